"""Channels: the ways out to phones and mailboxes."""

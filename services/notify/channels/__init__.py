"""Channels: the ways out of the house, to phones and mailboxes."""

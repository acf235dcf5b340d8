"""Inboxes: what a person finds, how much of it is unread, and the live stream of what comes."""

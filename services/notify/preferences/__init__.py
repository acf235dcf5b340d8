"""Preferences: by which channels, in which language and when somebody wants to be told."""

"""Preferences: channels, language and quiet hours of a recipient."""

"""Authenticators: the second factor of staff."""

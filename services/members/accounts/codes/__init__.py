"""Codes: six digits that are sent to a phone, for signing in; above people."""

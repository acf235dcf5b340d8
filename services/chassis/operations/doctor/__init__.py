"""Checks of a service and of what it needs; each finding is fine, or says what to do."""

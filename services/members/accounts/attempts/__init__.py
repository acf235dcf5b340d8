"""Attempts: how often signing in failed of late, counted for all strangers together and for each known device."""

"""Duty rosters: who hears that nobody will be on call."""

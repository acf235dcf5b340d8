"""Duty rosters: who is on call for a service system in a place; above accounts."""

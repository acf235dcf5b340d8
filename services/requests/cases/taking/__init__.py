"""Accepting a case, by who has it or by who is called about it."""

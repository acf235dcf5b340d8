"""Whom to ring about a case: copies of the people of members."""

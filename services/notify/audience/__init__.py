"""Audience: who there is to be told, as members and requests told us."""

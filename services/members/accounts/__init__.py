"""Accounts: who signs in, with which roles for which places; the secrets of staff. Above organisations, teams."""

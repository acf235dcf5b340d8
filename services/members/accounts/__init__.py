"""Accounts: who signs in, with which roles for what, and the secrets of staff; stands on organisations and teams."""

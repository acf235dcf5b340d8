"""Accounts: who may sign in, with which roles for which places, and the secrets of staff; stands on people."""

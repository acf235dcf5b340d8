"""Holders: who signs in with a phone that was silent for long says whose it is; above codes."""

"""The number of a case, and following a case by it without signing in."""

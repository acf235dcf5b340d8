"""The number of a case, and tracking a case by it without signing in."""

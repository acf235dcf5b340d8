"""The states in the life of a case."""

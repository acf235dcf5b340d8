"""The timeline of a case, for those who may see it."""

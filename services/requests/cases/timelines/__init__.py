"""What happened to a case, step by step, for those who may see it."""

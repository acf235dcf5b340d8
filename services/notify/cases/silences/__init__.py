"""Who is not told of a case, and why."""

"""The table of steps, and the steps that need nothing but the case."""

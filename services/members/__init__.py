"""Members: who people are and what they belong to."""

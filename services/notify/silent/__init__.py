"""Subjects of which nobody is told."""

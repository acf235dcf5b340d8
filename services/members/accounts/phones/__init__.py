"""Phones of people: corrected by their owner with a code, by an operator for a reason; above sessions."""

"""A first case, played for the eyes of a newcomer."""

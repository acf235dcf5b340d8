"""A first case, shown to a newcomer."""

"""Sign-in: the code that goes to a phone."""

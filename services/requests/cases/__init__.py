"""What a case is: one document, its state, and how cases are listed."""

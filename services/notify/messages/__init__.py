"""Messages: what was said to whom, and how it went out."""

"""The places of the city and who serves them, as members told."""

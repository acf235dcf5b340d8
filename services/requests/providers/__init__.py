"""The places of the city and who serves them, as copies of members' entities."""

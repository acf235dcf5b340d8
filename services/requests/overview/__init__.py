"""How the service does: cases by state, system and county, and how long they take."""

"""Figures of the service: cases by state, system and county, and how long they take."""

"""Suggests the service item for a resident's own words."""

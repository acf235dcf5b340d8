"""Audience: possible recipients, as copies of members' and requests' entities."""

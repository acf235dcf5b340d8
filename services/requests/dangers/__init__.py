"""Words of danger: what somebody's own words say, and what to do at once."""

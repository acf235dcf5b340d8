"""People: residents and staff, with their phone, address and place; above areas."""

"""Who does a case: by place, item and tier, or by hand; and what room volunteer teams have."""

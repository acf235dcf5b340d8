"""What a service is made of before any framework: entities, events, refusals, values, scope."""

"""The pure base of a service: entities, events, refusals, values, scope."""

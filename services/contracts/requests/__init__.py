"""The events of requests: the catalogue, the cases, and the slots of teams."""

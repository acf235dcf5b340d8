"""The events that services publish: event types and the values in them, nothing else."""

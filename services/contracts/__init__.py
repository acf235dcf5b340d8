"""What the services tell each other: event types, nothing else."""

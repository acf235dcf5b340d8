"""What only a service can tell of itself and of what it stands on: each thing is well, or what to do is said."""

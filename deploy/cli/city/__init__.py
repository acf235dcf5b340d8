"""How the commands talk to a running city: through its gateway, as any other client does."""

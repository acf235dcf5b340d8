"""The commands as clients of a running city: through its gateway, like any other client."""

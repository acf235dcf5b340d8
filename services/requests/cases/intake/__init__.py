"""Filing a request, by oneself or for a caller; verifying, refusing, withdrawing and reopening it."""

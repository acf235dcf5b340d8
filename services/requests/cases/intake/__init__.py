"""Filing a request, for oneself or for a caller; verifying, rejecting, withdrawing and reopening it."""

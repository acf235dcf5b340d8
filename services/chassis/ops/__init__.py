"""How a process runs: settings, logs, metrics, traces, start and stop."""

"""What happens because time passes: leases, timers and working time."""

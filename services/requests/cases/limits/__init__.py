"""When a case is due: clocks on working time, pauses, returns, urging, and escalation."""

"""By when a case is to be done: clocks on working time, pauses, returns, urging, and escalating to the top."""

"""By which calendar the limits of a case count, and for how long its words are kept."""

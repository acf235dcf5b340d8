"""Who may take which step with a case in which state, and the steps that need nothing but the case."""

"""How state and history reach MongoDB and come back, sealed where they are personal."""

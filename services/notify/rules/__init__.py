"""The engine: the rules of an event's subject say who gets which notice. It knows no subject."""

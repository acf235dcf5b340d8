"""The engine: of each event, the rules of its subject say who is told what. It knows no subject."""

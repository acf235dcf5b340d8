"""How a ledger of real messages is played through a running city."""

"""Forgetting a case: its words are gone with its key; its number, item, state and times stay."""

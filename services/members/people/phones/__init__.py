"""Phones: who has which number, since and until when; the id of a phone is the blind index of its number."""

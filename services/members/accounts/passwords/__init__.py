"""Passwords: they are hashed in a few threads of their own, with a bounded queue."""

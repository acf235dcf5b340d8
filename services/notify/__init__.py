"""Notify: who is told what, and how."""

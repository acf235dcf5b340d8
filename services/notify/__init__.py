"""Notify: who gets which notice, and how."""

"""Subjects without notices."""

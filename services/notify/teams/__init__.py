"""Volunteer teams: who hears of joining one."""

"""Volunteer teams, which take cases in a place while they are on duty; above people and areas."""

"""Organisations: stations, centres, departments and their supervisors; above people and areas."""

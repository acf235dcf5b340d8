"""Organisations: stations, centres, departments and who supervises them; stands on people and areas."""

"""The city's places: city, counties, sub-districts, communities and grids."""

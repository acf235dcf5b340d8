"""Checks of `linli doctor` besides those of the services: this machine and the city's data."""

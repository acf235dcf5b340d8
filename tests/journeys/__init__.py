"""Journeys through a whole town; a package, so that the town ends with the last of them."""

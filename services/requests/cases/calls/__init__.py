"""What volunteers see of a case that their team has."""

"""The parties that have a stake in a case, and the conditions on which they hear."""

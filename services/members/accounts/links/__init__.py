"""Links: a member of the staff says which resident they are."""

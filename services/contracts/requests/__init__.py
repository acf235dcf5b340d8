"""What requests tells: the catalogue, the cases, and the slots of teams."""

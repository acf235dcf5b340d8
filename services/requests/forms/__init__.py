"""What people answer to the questions of an item's form."""

"""What a case keeps about danger: how long somebody has to accept it, and who was called."""

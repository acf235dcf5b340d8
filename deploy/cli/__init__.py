"""`linli`: what an operator types."""

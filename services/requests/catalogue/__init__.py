"""What residents can ask for: four service systems and their items."""

"""What notify tells: messages and preferences."""

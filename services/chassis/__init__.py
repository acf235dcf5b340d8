"""What every service stands on; it knows no service and imports nothing of ours."""

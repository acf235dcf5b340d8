"""The base of every service. It knows no service and imports nothing else of ours."""

"""Publishing events through Kafka, and reacting to those of other services."""

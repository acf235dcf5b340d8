"""How events leave through Kafka and how other services react to them."""

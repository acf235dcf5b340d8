"""The metrics of messages."""

from prometheus_client import Counter

messages = Counter("linli_messages", "Messages, by how far each of their channels has come.", ["channel", "outcome"])

"""The events of notify: messages and preferences."""

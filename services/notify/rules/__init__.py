"""Rules: which event tells whom, with which words, by which channel."""

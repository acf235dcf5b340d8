"""The data that makes a city: one folder each, read and checked by `load`."""

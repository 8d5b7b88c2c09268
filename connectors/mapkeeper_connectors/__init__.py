"""Connectors that come with mapkeeper, one module each."""

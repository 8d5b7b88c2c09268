"""Mapkeeper keeps the map of personal data for those who hold it on behalf of others."""

from importlib.metadata import version

__version__ = version("mapkeeper")

"""People's names: which words are names, and which rows of words are a person's."""

from mapkeeper_classifiers.people.lists import Lists
from mapkeeper_classifiers.people.rows import first, full, last

__all__ = ["Lists", "first", "full", "last"]

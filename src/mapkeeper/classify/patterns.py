"""What is known of a regular expression, so that it can run on many texts at once.

Python's ``regex`` decides what a rule means; Rust's (inside Polars) is what runs over whole columns. ``reading`` says
of an expression what every match needs, whether a match can touch white space, and how Rust has to spell it: either
*exactly*, or *relaxed*, so that what it does not find Python would not find either.
"""

from __future__ import annotations

from dataclasses import dataclass

_FAR = 10_000


@dataclass(frozen=True, slots=True)
class Needs:
    """What every match holds at least."""

    length: int = 0  # characters
    digits: int = 0
    marks: frozenset[str] = frozenset()  # ASCII punctuation

    def both(self, other: Needs) -> Needs:
        """One after the other."""
        return Needs(self.length + other.length, self.digits + other.digits, self.marks | other.marks)

    def either(self, other: Needs) -> Needs:
        """One or the other."""
        return Needs(min(self.length, other.length), min(self.digits, other.digits), self.marks & other.marks)

    def times(self, least: int) -> Needs:
        """Repeated at least so often."""
        least = min(least, _FAR)
        return Needs(self.length * least, self.digits * least, self.marks if least else frozenset())


@dataclass(frozen=True, slots=True)
class Study:
    """What was learned of an expression."""

    needs: Needs = Needs()
    spans: bool = True  # whether a match, or what decides it, can lie on both sides of white space
    exact: bool = False  # whether Rust finds what Python finds
    rust: str | None = None  # for any text; None: only Python can run it
    ascii: str | None = None  # the same for texts of ASCII characters: smaller and quicker

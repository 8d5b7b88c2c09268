"""Cutting: where a stretch of an asset ends, so that somebody else can read on behind it meanwhile.

It ends behind some whole members, or, of a large member that can be gone into, behind a block of records or a row
group: at places where an undisturbed reading passes by as well. So both yield the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from mapkeeper.plugin import Cut
from mapkeeper.readers.member import Member
from mapkeeper.readers.resume import Point

_OVER = 1.5
"""How many times as large as asked for a stretch may become before it is cut: no crumbs are left over."""


class Stretch:
    """One stretch; ``open`` as long as it is not known where it ends."""

    def __init__(self, members: Sequence[Member], size: int, end: Point | None) -> None:
        """``size``: bytes; ``end``: where it ends, if a former reading told."""
        self.size = size
        self.end = end
        self.open = end is None
        self._members = members

    def over(self, member: int) -> bool:
        """Whether it ends before that member."""
        end = self.end
        return end is not None and (member > end.member or (member == end.member and not _within(end)))

    def inside(self, member: int) -> Point | None:
        """Where within that member it ends, if it does."""
        return self.end if self.end is not None and self.end.member == member and _within(self.end) else None

    def large(self, point: Point) -> bool:
        """Whether what is left of a member is worth to be cut."""
        return self._left(point.member, point.disk) > _OVER * self.size

    def worth(self, point: Point) -> bool:
        """Whether enough is left of a member behind a point for another stretch."""
        return self._left(point.member, point.disk) >= (_OVER - 1) * self.size

    def _left(self, member: int, taken: int = 0) -> int:
        size = self._members[member].size
        return 0 if size is None else size - taken

    def at(self, point: Point) -> Cut:
        """It ends here."""
        self.end, self.open = point, False
        return Cut(point.dump())

    def after(self, point: Point) -> Cut | None:
        """It ends behind the member of this point, and as many small ones behind that as fit in."""
        self.open = False
        taken, following = self._left(point.member, point.disk), point.member + 1
        while following < len(self._members) and taken + self._left(following) <= self.size:
            taken += self._left(following)
            following += 1
        return None if following == len(self._members) else self.at(Point(member=following))


def _within(point: Point) -> bool:
    return point.offset >= 0 or point.step > 0

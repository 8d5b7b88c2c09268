"""Read a regular expression into a tree.

An expression that uses what this reader does not know is left to Python wholly; nothing is guessed.
"""

from __future__ import annotations

from mapkeeper.classify.nodes import (
    ASCII,
    SPACES,
    Back,
    Chars,
    Choice,
    Edge,
    Fold,
    Group,
    Look,
    Node,
    Repeat,
    Sequence,
    Tree,
)

_DIGITS = frozenset("0123456789")
_WORD = frozenset(char for char in ASCII if char.isalnum() or char == "_")
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": SPACES}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\x0b"}
_CODES = {"x": 2, "u": 4}  # hexadecimal digits of a character's code
_PROPERTIES = {"L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "N", "Nd", "P", "S", "Sc"}
_MOST = 1000


class _Unknown(Exception):
    """The expression uses something this reader does not know."""


def read(expression: str) -> Tree | None:
    """Read an expression; ``None`` where it is not understood."""
    reader = _Reader(expression)
    try:
        root = reader.alternatives()
        if reader.at < len(expression):
            return None
    except (_Unknown, IndexError, ValueError):
        return None
    return Tree(root, reader.flags, reader.value)


class _Reader:
    """A recursive descent: each method reads one thing at ``at``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.flags = ""
        self.value = 0
        self.groups: list[Node | None] = []  # that capture, in order; None while one is open

    def peek(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def alternatives(self) -> Node:
        options = [self.sequence()]
        while self.peek("|"):
            self.at += 1
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            item = self.item()
            if item is not None:
                parts.append(self.repeated(item))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self, item: Node) -> Node:
        """Read the quantifier that may follow."""
        if self.at >= len(self.text):
            return item
        char = self.text[self.at]
        if char in "*+?":
            bounds: tuple[int, int | None] | None = int(char == "+"), 1 if char == "?" else None
            self.at += 1
        else:
            bounds = self._braces() if char == "{" else None
        if bounds is None:
            return item
        manner = self.text[self.at : self.at + 1]
        if manner and manner in "?+":
            self.at += 1
        else:
            manner = ""
        return Repeat(item, *bounds, manner)

    def _braces(self) -> tuple[int, int | None] | None:
        end = self.text.find("}", self.at)
        inner = self.text[self.at + 1 : end] if end > 0 else ""
        low, comma, high = inner.partition(",")
        if not (low or high) or not all(part.isascii() and part.isdigit() for part in (low, high) if part):
            return None
        if max(int(low or 0), int(high or 0)) > _MOST:
            raise _Unknown
        self.at = end + 1
        return int(low or 0), int(high) if high else None if comma else int(low)

    def item(self) -> Node | None:
        """One thing; ``None`` for flags, which stand for the whole expression."""
        char = self.text[self.at]
        if char == "(":
            return self.group()
        if char == "[":
            return self.set()
        if char == "\\":
            return self.escape()
        self.at += 1
        if char in "^$":
            return Edge(char)
        if char == ".":
            return Chars(frozenset("\n"), True, beyond=True, space=True, digit=False, kinds=frozenset("."))
        if char in "*+?":
            raise _Unknown
        return _literal(char)

    def escape(self) -> Node:
        char = self.text[self.at + 1]
        self.at += 2
        if char in "dws":
            space, digit = char == "s", char == "d"
            return Chars(_CLASSES[char], False, True, space, digit, frozenset(char))
        if char in "DWS":
            return Chars(_CLASSES[char.lower()], True, True, char != "S", False, frozenset(char.lower()))
        if char in "bBAZ":
            return Edge(char)
        if char in "123456789":
            number = int(char) - 1
            if self.text[self.at : self.at + 1].isdigit() or number >= len(self.groups):
                raise _Unknown
            body = self.groups[number]
            if body is None:
                raise _Unknown
            return Back(body, number + 1)
        if char in _CONTROLS:
            return _literal(_CONTROLS[char])
        if char in _CODES:
            return _literal(self._coded(_CODES[char]))
        if char == "p":
            name = self._property()
            members = _of_property(name)
            return Chars(members, False, True, name[0] not in "LNM", name == "Nd", frozenset({f"p{name}"}))
        if char.isalnum():
            raise _Unknown
        return _literal(char)

    def _coded(self, width: int) -> str:
        """The character whose code the next hexadecimal digits are."""
        digits = self.text[self.at : self.at + width]
        if len(digits) < width or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            raise _Unknown
        self.at += width
        return chr(int(digits, 16))

    def _property(self) -> str:
        end = self.text.index("}", self.at) if self.peek("{") else -1
        name = self.text[self.at + 1 : end]
        if end < 0 or name not in _PROPERTIES:
            raise _Unknown
        self.at = end + 1
        return name

    def set(self) -> Node:
        """A character class."""
        self.at += 1
        negated = self.peek("^")
        self.at += negated
        digit, space, shuts, members = True, False, False, set[str]()
        kinds, ranges = set[str](), list[tuple[int, int]]()
        first = True
        while first or not self.peek("]"):
            first = False
            low = self._member()
            if len(low) > 1:  # a class inside the class
                digit &= low == r"\d"
                space |= low in (r"\s", r"\D", r"\W") or (low[1] == "p" and low[3] not in "LNM")
                shuts |= low == r"\s"
                kinds.add(f"p{low[3:-1]}" if low[1] == "p" else low[1])
                members |= _of_class(low)
                continue
            high = low
            if self.peek("-") and not self.text.startswith("-]", self.at):
                self.at += 1
                high = self._member()
                if len(high) > 1:
                    raise _Unknown
            digit &= low >= "0" and high <= "9"
            if high == low:
                space |= low in SPACES or low.isspace()
            else:
                space |= any(low <= char <= high for char in SPACES) or high > "\x7f"
            if high > "\x7f":
                ranges.append((max(ord(low), 128), ord(high)))
            members |= {char for char in ASCII if low <= char <= high}
        self.at += 1
        beyond = bool(negated or kinds or ranges)
        if negated:
            # A class that shuts out only some white space is not worth being clever about.
            space, digit = not shuts, False
        return Chars(frozenset(members), negated, beyond, space, digit, frozenset(kinds), tuple(ranges))

    def _member(self) -> str:
        char = self.text[self.at]
        if char == "[" and self.text[self.at + 1] == ":":
            raise _Unknown
        self.at += 1
        if char != "\\":
            return char
        escaped = self.text[self.at]
        self.at += 1
        if escaped in "dwsDWS":
            return f"\\{escaped}"
        if escaped in _CONTROLS:
            return _CONTROLS[escaped]
        if escaped in _CODES:
            return self._coded(_CODES[escaped])
        if escaped == "p":
            return f"\\p{{{self._property()}}}"
        if escaped.isalnum():
            raise _Unknown
        return escaped

    def group(self) -> Node | None:
        self.at += 1
        if not self.peek("?"):
            return self._captured()
        for look in ("?=", "?!", "?<=", "?<!"):
            if self.peek(look):
                self.at += len(look)
                return Look("<" in look, "!" in look, self._nested())
        for opened, atomic in (("?>", True), ("?:", False)):
            if self.peek(opened):
                self.at += 2
                return Group(self._nested(), atomic=atomic)
        if self.peek("?P<") or self.peek("?<"):
            start, self.at = self.text.index("<", self.at) + 1, self.text.index(">", self.at) + 1
            name = self.text[start : self.at - 1]
            if name == "value":
                if self.value:
                    raise _Unknown  # one of several groups of that name
                self.value = len(self.groups) + 1
            return self._captured()
        return self.flagged()

    def _captured(self) -> Node:
        number = len(self.groups)
        self.groups.append(None)
        body = self.groups[number] = self._nested()
        return Group(body, number + 1)

    def _nested(self) -> Node:
        """Read up to the end of a group and past it."""
        node = self.alternatives()
        if not self.peek(")"):
            raise _Unknown
        self.at += 1
        return node

    def flagged(self) -> Node | None:
        """``(?i)``: for the whole expression, wherever it stands. ``(?i:…)`` is for its group only."""
        at = self.at + 1
        while self.text[at] in "ims":
            at += 1
        flags, end = self.text[self.at + 1 : at], self.text[at]
        self.at = at + 1
        if not flags or end not in ":)" or (end == ":" and "m" in flags):
            raise _Unknown
        if end == ")":
            self.flags = "".join(sorted(set(self.flags) | set(flags)))
            return None
        return Fold(self._nested(), flags)


def _literal(char: str) -> Chars:
    members = frozenset({char}) if char.isascii() else frozenset[str]()
    space = char in SPACES or char.isspace()
    ranges = () if char.isascii() else ((ord(char), ord(char)),)
    return Chars(members, False, not char.isascii(), space, char.isascii() and char.isdigit(), ranges=ranges)


def _of_class(low: str) -> frozenset[str]:
    if low[1] == "p":
        return _of_property(low[3:-1])
    members = _CLASSES[low[1].lower()]
    return ASCII - members if low[1].isupper() else members


def _of_property(name: str) -> frozenset[str]:
    """The ASCII characters of a Unicode property; more than there are would do no harm."""
    kinds = {
        "L": str.isalpha,
        "Lu": str.isupper,
        "Ll": str.islower,
        "N": str.isdigit,
        "Nd": str.isdigit,
        "P": _is_sign,
        "S": _is_sign,
        "Sc": _is_sign,
    }
    holds = kinds.get(name)
    return frozenset() if holds is None else frozenset(char for char in ASCII if holds(char))


def _is_sign(char: str) -> bool:
    return not char.isalnum() and char.isprintable() and char != " "

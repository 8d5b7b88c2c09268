"""Read a regular expression, character by character, into a `Study`.

Look-arounds are dropped from what Rust runs, and back-references widened: it then finds at least what Python finds. A
look-around at an end of the expression is not dropped but consumed, which is as good where only the question is
whether there is a match. An expression that this reader does not know is left to Python wholly; nothing is guessed.
"""

from __future__ import annotations

from mapkeeper.classify.patterns import Needs, Study

_ASCII = {"d": "[0-9]", "w": "[0-9A-Za-z_]", "s": r"[\t\n\x0b\f\r ]", "b": r"(?-u:\b)", "B": r"\B"}
_INSIDE = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\x0b\f\r "}
_NEGATED = {"D": "[^0-9]", "W": "[^0-9A-Za-z_]", "S": r"[^\t\n\x0b\f\r ]"}
_SPACES = frozenset("\t\n\x0b\f\r \x1c\x1d\x1e\x1f\x85\xa0")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\x0b"}
_CODES = {"x": 2, "u": 4}  # hexadecimal digits of a character's code


class _Unknown(Exception):
    """The expression uses something this reader does not know."""


def study(expression: str) -> Study:
    """Read an expression; one that is not understood comes back as `Study()`."""
    reader = _Reader(expression)
    try:
        needs = reader.alternatives()
        if reader.at < len(expression):
            return Study()
    except (_Unknown, IndexError):
        return Study()
    flags = f"(?{reader.flags})" if reader.flags else ""
    return Study(needs, reader.spans, reader.exact, flags + "".join(reader.rust), flags + "".join(reader.ascii))


class _Reader:
    """A recursive descent: each method reads one thing at ``at``, and emits how Rust has to spell it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.flags = ""
        self.spans = False
        self.exact = True
        self.rust: list[str] = []
        self.ascii: list[str] = []
        self.depth = 0
        self.begins = True  # nothing of the present top-level alternative has been read
        self.ahead: tuple[int, str, str] | None = None  # a look-ahead, to be consumed if nothing follows it

    def peek(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def emit(self, rust: str, ascii: str | None = None) -> None:
        self.rust.append(rust)
        self.ascii.append(rust if ascii is None else ascii)

    def alternatives(self) -> Needs:
        needs = self.sequence()
        while self.peek("|"):
            self.at += 1
            self.emit("|")
            needs = needs.either(self.sequence())
        return needs

    def sequence(self) -> Needs:
        needs = Needs()
        if not self.depth:
            self.begins = True
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            mark = len(self.rust)
            self.ahead = None
            flags = self.peek("(?i)") or self.peek("(?s)") or self.peek("(?is)")
            item, zero_width = self.item()
            needs = needs.both(self.repeated(item, mark, zero_width))
            if not self.depth and not flags:
                self.begins = False
        if not self.depth and self.ahead is not None:
            at, rust, ascii = self.ahead
            if at == self.at:
                self.emit(rust, ascii)
        self.ahead = None
        return needs

    def repeated(self, item: Needs, mark: int, zero_width: bool) -> Needs:
        """Read the quantifier that may follow, and apply it."""
        if self.at >= len(self.text):
            return item
        char = self.text[self.at]
        if char in "*+?":
            least, spelled = int(char == "+"), char
            self.at += 1
        elif char == "{" and (found := self._braces()) is not None:
            least, spelled = found
        else:
            return item
        if zero_width:
            # A repeated look-around or boundary says nothing that can be kept.
            del self.rust[mark:], self.ascii[mark:]
            self.exact = False
            if self.peek("?") or self.peek("+"):
                self.at += 1
            return Needs()
        self.emit(spelled)
        if self.peek("?"):
            self.at += 1
            self.emit("?")
        elif self.peek("+"):
            self.at += 1  # possessive: Rust's match can only be wider
            self.exact = False
        return item.times(least)

    def _braces(self) -> tuple[int, str] | None:
        end = self.text.find("}", self.at)
        inner = self.text[self.at + 1 : end] if end > 0 else ""
        low, comma, high = inner.partition(",")
        if not (low or high) or not all(part.isascii() and part.isdigit() for part in (low, high) if part):
            return None
        if max(int(low or 0), int(high or 0)) > 1000:
            raise _Unknown
        self.at = end + 1
        return int(low or 0), f"{{{low or 0}{comma}{high}}}"

    def item(self) -> tuple[Needs, bool]:
        char = self.text[self.at]
        if char == "(":
            return self.group()
        if char == "[":
            return self.set(), False
        if char == "\\":
            return self.escape()
        self.at += 1
        if char in "^$":
            self.spans = True
            self.exact = False
            self.emit(r"\A" if char == "^" else r"(?:\n?\z)")  # "$" also stands before a last line break in Python
            return Needs(), True
        if char == ".":
            self.spans = True
            self.emit(".")
            return Needs(1), False
        if char in "*+?":
            raise _Unknown
        return self.literal(char), False

    def literal(self, char: str) -> Needs:
        self.spans |= char in _SPACES or char.isspace()
        self.emit(char if char.isalnum() or char.isspace() or not char.isascii() or char == "_" else f"\\{char}")
        if char in "<>":  # "\<" is a word's start in Rust
            self.rust[-1] = self.ascii[-1] = char
        return Needs(1, int(char.isdigit() and char.isascii()), _mark(char))

    def escape(self) -> tuple[Needs, bool]:
        char = self.text[self.at + 1]
        self.at += 2
        if char in "dws":
            self.spans |= char == "s"
            self.emit(f"\\{char}", _ASCII[char])
            return Needs(1, int(char == "d")), False
        if char in "DWS":
            self.spans |= char != "S"
            self.emit(f"\\{char}", _NEGATED[char])
            return Needs(1), False
        if char in "bB":
            self.emit(f"\\{char}", _ASCII[char])
            return Needs(), True
        if char in "AZ":
            self.spans = True
            self.emit(r"\A" if char == "A" else r"\z")
            return Needs(), True
        if char in "123456789":  # a back-reference: anything may stand there
            self.exact = False
            self.spans = True
            self.emit("(?s:.*)")
            return Needs(), False
        if char in _CONTROLS:
            return self.literal(_CONTROLS[char]), False
        if char in _CODES:
            return self.literal(self._coded(_CODES[char])), False
        if char == "p":
            name = self._property()
            self.spans |= name[0] not in "LNM"
            self.emit(f"\\p{{{name}}}")
            return Needs(1), False
        if char.isalnum():
            raise _Unknown
        return self.literal(char), False

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
        if end < 0 or name not in {"L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "N", "Nd", "P", "S", "Sc"}:
            raise _Unknown
        self.at = end + 1
        return name

    def set(self) -> Needs:
        """A character class; respelled, because Rust reads ``[``, ``&&``, ``--`` and ``~~`` inside as operators."""
        self.at += 1
        negated = self.peek("^")
        self.at += negated
        rust, ascii, digits_only, spaces, members = "", "", True, False, set[str]()
        first = True
        while first or not self.peek("]"):
            first = False
            low = self._member()
            if len(low) > 1:  # a class inside the class
                rust += low
                ascii += _INSIDE.get(low[1], low)
                digits_only &= low == r"\d"
                spaces |= low in (r"\s", r"\D", r"\W") or (low[1] == "p" and low[3] not in "LNM")
                members |= {"", low}
                continue
            if self.peek("-") and not self.text.startswith("-]", self.at):
                self.at += 1
                high = self._member()
                if len(high) > 1:
                    raise _Unknown
                rust += f"{_inside(low)}-{_inside(high)}"
                ascii += f"{_inside(low)}-{_inside(high)}"
                digits_only &= low >= "0" and high <= "9"
                spaces |= any(low <= space <= high for space in _SPACES) or low > "\x7f"
                members |= {low, high, ""}
            else:
                rust += _inside(low)
                ascii += _inside(low)
                digits_only &= low.isascii() and low.isdigit()
                spaces |= low in _SPACES or low.isspace()
                members.add(low)
        self.at += 1
        if negated:
            kept_out = r"\s" in members
            self.spans |= not kept_out
            # A class that shuts out only some spaces is not worth being clever about.
            self.emit(f"[^{rust}]", f"[^{ascii}]")
            return Needs(1)
        self.spans |= spaces
        self.emit(f"[{rust}]", f"[{ascii}]")
        marks = _mark(next(iter(members))) if len(members) == 1 else frozenset[str]()
        return Needs(1, int(digits_only), marks)

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

    def group(self) -> tuple[Needs, bool]:
        self.at += 1
        opened = "("
        if self.peek("?"):
            for look in ("?=", "?!", "?<=", "?<!"):
                if self.peek(look):
                    return self.look(look)
            if self.peek("?>"):
                self.at += 2
                self.exact = False
                opened = "(?:"
            elif self.peek("?:"):
                self.at += 2
                opened = "(?:"
            elif self.peek("?P<") or self.peek("?<"):
                end = self.text.index(">", self.at)
                self.at = end + 1
                opened = "("
            else:
                return self.flagged()
        self.emit(opened)
        needs = self._nested()
        self.emit(")")
        return needs, False

    def _nested(self) -> Needs:
        """Read up to the end of a group and past it."""
        self.depth += 1
        needs = self.alternatives()
        self.depth -= 1
        if not self.peek(")"):
            raise _Unknown
        self.at += 1
        return needs

    def look(self, kind: str) -> tuple[Needs, bool]:
        """A look-around: dropped from what Rust runs, but what it looks at may be white space."""
        first = self.begins and not self.depth
        self.at += len(kind)
        mark = len(self.rust)
        seen = self._nested()
        rust, ascii = self.rust[mark:], self.ascii[mark:]
        del self.rust[mark:], self.ascii[mark:]
        self.exact = False
        if "!" not in kind:
            consumed = f"(?:{''.join(rust)})", f"(?:{''.join(ascii)})"
        elif len(rust) == 1 and seen.length == 1 and rust[0] != ".":
            edge = r"\A" if "<" in kind else r"\z"
            consumed = f"(?:{edge}|[^{rust[0]}])", f"(?:{edge}|[^{ascii[0]}])"
        else:
            return Needs(), True
        if "<" not in kind:
            self.ahead = self.at, *consumed
        elif first:
            self.emit(*consumed)
        return Needs(), True

    def flagged(self) -> tuple[Needs, bool]:
        """``(?i)``: for the whole expression, wherever it stands. ``(?i:…)`` is for its group only."""
        for flags in ("i", "s", "is", "si"):
            if self.peek(f"?{flags})"):
                self.at += len(flags) + 2
                self.flags = "".join(sorted(set(self.flags) | set(flags)))
                return Needs(), True
            if self.peek(f"?{flags}:"):
                self.at += len(flags) + 2
                self.emit(f"(?{flags}:")
                needs = self._nested()
                self.emit(")")
                return needs, False
        raise _Unknown


def _mark(char: str) -> frozenset[str]:
    return frozenset({char}) if char.isascii() and not char.isalnum() and char.isprintable() else frozenset()


def _inside(char: str) -> str:
    return f"\\{char}" if char in r"\]^-[&~|" else char

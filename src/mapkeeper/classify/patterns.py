"""What is known of a regular expression, so that it can run on many texts at once.

Python's ``regex`` decides what a rule means; Rust's (inside Polars) is what runs over whole columns. Here is said of an
expression what every match needs, whether a match can touch white space, and how Rust has to spell it: either
*exactly*, or *relaxed*, so that what it does not find Python would not find either.

Look-arounds are dropped from what Rust runs, and back-references widened: it then finds at least what Python finds. A
look-around at an end of the expression is not dropped but consumed, which is as good where only the question is
whether there is a match. Texts have no white space at their ends, so that ``$`` means the same to both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mapkeeper.classify.nodes import Back, Chars, Choice, Edge, Fold, Group, Look, Node, Repeat, Sequence, Tree
from mapkeeper.classify.reading import read

_FAR = 10_000
_EDGES = {"b": r"\b", "B": r"\B", "A": r"\A", "^": "^", "Z": r"\z", "$": "$"}


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
    tree: Tree | None = None


@cache
def study(expression: str) -> Study:
    """Learn what there is; one that is not understood comes back as `Study()`."""
    tree = read(expression)
    if tree is None:
        return Study()
    flags = f"(?{tree.flags})" if tree.flags else ""
    rust, plain = (flags + _ends_consumed(tree.root, plain) for plain in (False, True))
    return Study(needs_of(tree.root), _spans(tree.root), _exact(tree.root), rust, plain, tree)


def needs_of(node: Node) -> Needs:
    """What every match of a part holds."""
    match node:
        case Chars():
            lone = next(iter(node.members)) if len(node.members) == 1 and not (node.negated or node.beyond) else ""
            mark = frozenset({lone}) if lone and not lone.isalnum() and lone.isprintable() else frozenset[str]()
            return Needs(1, int(node.digit), mark)
        case Repeat():
            return needs_of(node.body).times(node.least)
        case Sequence():
            needs = Needs()
            for part in node.parts:
                needs = needs.both(needs_of(part))
            return needs
        case Choice():
            needs, *others = map(needs_of, node.options)
            for other in others:
                needs = needs.either(other)
            return needs
        case Group() | Fold():
            return needs_of(node.body)
        case Edge() | Look() | Back():
            return Needs()


def _spans(node: Node) -> bool:
    match node:
        case Chars():
            return node.space
        case Edge():
            return node.kind not in "bB"
        case Repeat() | Group() | Fold() | Look() | Back():
            return _spans(node.body)
        case Sequence():
            return any(map(_spans, node.parts))
        case Choice():
            return any(map(_spans, node.options))


def _exact(node: Node) -> bool:
    match node:
        case Chars() | Edge():
            return True
        case Back() | Look():
            return False
        case Repeat():
            # A possessive one gives nothing back; a repeated boundary is dropped.
            return node.manner != "+" and not _is_empty(node.body) and _exact(node.body)
        case Group():
            return not node.atomic and _exact(node.body)
        case Fold():
            return _exact(node.body)
        case Sequence() | Choice():
            return all(map(_exact, node.parts if isinstance(node, Sequence) else node.options))


def _is_empty(node: Node) -> bool:
    """Whether it stands between characters, and takes none."""
    return isinstance(node, Edge | Look)


def _spell(node: Node, plain: bool) -> str:
    match node:
        case Chars():
            return node.plain if plain else node.rust
        case Edge():
            relaxed = {"b": r"(?-u:\b)"} if plain else {}
            return {**_EDGES, **relaxed}[node.kind]
        case Look():
            return ""
        case Back():
            return f"(?:{_spell(node.body, plain)})"
        case Repeat():
            if _is_empty(node.body):
                return ""
            return _spell(node.body, plain) + quantifier(node) + node.manner.replace("+", "")
        case Group():
            return f"({'' if node.captures else '?:'}{_spell(node.body, plain)})"
        case Fold():
            return f"(?{node.flags}:{_spell(node.body, plain)})"
        case Sequence():
            return "".join(_spell(part, plain) for part in node.parts)
        case Choice():
            return "|".join(_spell(option, plain) for option in node.options)


def quantifier(node: Repeat) -> str:
    """How often, as every dialect spells it."""
    known = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (node.least, node.most) in known:
        return known[node.least, node.most]
    if node.least == node.most:
        return f"{{{node.least}}}"
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


def _ends_consumed(root: Node, plain: bool) -> str:
    return "|".join(_of_option(option, plain) for option in (root.options if isinstance(root, Choice) else (root,)))


def _of_option(option: Node, plain: bool) -> str:
    parts = option.parts if isinstance(option, Sequence) else (option,)
    first, last = parts[:1], parts[-1:]
    before = "".join(_consumed(part, plain) for part in first if isinstance(part, Look) and part.behind)
    after = "".join(_consumed(part, plain) for part in last if isinstance(part, Look) and not part.behind)
    return before + "".join(_spell(part, plain) for part in parts) + after


def _consumed(look: Look, plain: bool) -> str:
    """A look-around as characters that are matched; nothing where that is not as good."""
    body = look.body
    if not look.negative:
        return f"(?:{_spell(body, plain)})"
    if isinstance(body, Chars) and body.rust != ".":
        edge = r"\A" if look.behind else r"\z"
        return f"(?:{edge}|[^{body.plain if plain else body.rust}])"
    return ""

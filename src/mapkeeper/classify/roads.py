"""By which road an expression's few candidates are found among very many texts.

The kernel passes over every byte once, whatever the number of rules. It yields *tokens* (runs of letters, digits and
the marks that stand inside numbers and addresses), *regions* (tokens in a row, such as a card number in groups) and
*literals* (words that a match cannot do without). What an expression consumes decides which of them is enough to find
all of its matches; nothing is guessed, and what fits no road looks at every text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from mapkeeper.classify.keywords import Reach, keywords, most, plus, united
from mapkeeper.classify.nodes import ASCII, SPACES, Back, Chars, Choice, Edge, Fold, Group, Look, Node, Repeat, Sequence
from mapkeeper.classify.patterns import MANY, needs_of, quantifier, study, widths

LETTERS = frozenset(char for char in ASCII if char.isalpha())
DIGITS = frozenset("0123456789")
MARKS = frozenset("-./:_+@%'")
"""What tokens hold beside letters and digits."""

GAPS = SPACES | frozenset("(),;")
"""What may stand between the tokens of a region."""

WIDEST_GAP = 3
SHORT = 4
"""Letters of a token that belongs to a region without having a digit."""

_TOKEN = LETTERS | DIGITS | MARKS
_NONE = r"\x00"


class Road(Enum):
    """Where the matches of an expression lie."""

    TOKEN = "token"  # noqa: S105 - no password
    REGION = "region"
    WORD = "word"  # round a literal, between white space
    TEXT = "text"  # in a text that holds a literal
    SEED = "seed"  # in a text with a token that looks like a part of every match
    MIXED = "mixed"  # in a token, or round a literal
    EVERY = "every"  # anywhere


@dataclass(frozen=True, slots=True)
class Route:
    """How to find an expression's candidates."""

    road: Road
    shape: str = ""  # for Rust: what shapes of tokens and regions look like, relaxed
    digits: int = 0  # in what has that shape
    reach: int | None = 0  # characters of a match before what has that shape; None: no limit
    literals: Mapping[str, Reach] = field(default_factory=dict)  # in small letters: every match holds one of them


@cache
def route(expression: str) -> Route:
    """The cheapest road on which none of an expression's matches is missed."""
    learned = study(expression)
    if learned.tree is None:
        return Route(Road.EVERY)
    root, fold = learned.tree.root, "i" in learned.tree.flags
    eaten = _consumed(root, fold)
    digits = learned.needs.digits
    in_token = eaten.alphabet <= _TOKEN
    literals = keywords(root)
    if literals and _looks_far_behind(root):
        return Route(Road.TEXT, literals=literals)
    if in_token and digits:
        return Route(Road.TOKEN, _shape(root, fold), digits=digits)
    regular = eaten.letters.best <= SHORT and eaten.gaps.best <= WIDEST_GAP and not (eaten.ends & SPACES)
    if eaten.alphabet <= _TOKEN | GAPS and regular and digits and _bounded(root):
        return Route(Road.REGION, _shape(root, fold), digits=digits)
    if literals:
        return Route(Road.TEXT if learned.spans else Road.WORD, literals=literals)
    if in_token:
        return Route(Road.TOKEN, _shape(root, fold))
    if (mixed := _mixed(root, fold)) is not None:
        return mixed
    seed = _seed(root, fold)
    if seed is not None and (held := needs_of(seed.node).digits):
        return Route(Road.SEED, _shape(seed.node, fold), digits=held, reach=seed.reach)
    return Route(Road.EVERY)


def _mixed(root: Node, fold: bool) -> Route | None:
    """The road of options of which some lie in tokens, and the others hold literals; ``None``: there are no such."""
    parts = list(root.parts) if isinstance(root, Sequence) else [root]
    wide = [at for at, part in enumerate(parts) if not isinstance(part, Edge)]
    choice = parts[wide[0]] if len(wide) == 1 else root
    while isinstance(choice, Group):
        choice = choice.body
    if not isinstance(choice, Choice) or len(wide) != 1:
        return None
    inside = [o for o in choice.options if _consumed(o, fold).alphabet <= _TOKEN and needs_of(o).digits]
    found = [keywords(option) for option in choice.options if option not in inside]
    if not inside or not all(found):
        return None
    parts[wide[0]] = Choice(tuple(inside))
    shape, digits = _shape(Sequence(tuple(parts)), fold), min(needs_of(option).digits for option in inside)
    return Route(Road.MIXED, shape, digits=digits, literals=united(found))


def _looks_far_behind(node: Node) -> bool:
    """Whether what stands before a match decides, at any distance: it is dear to look for."""
    match node:
        case Look():
            return node.behind and widths(node.body)[1] >= MANY
        case Sequence() | Choice():
            return any(map(_looks_far_behind, node.parts if isinstance(node, Sequence) else node.options))
        case Group() | Fold() | Repeat():
            return _looks_far_behind(node.body)
        case _:
            return False


def _bounded(node: Node) -> bool:
    """Whether a match cannot begin or end within a word: a region leaves out words that are long."""
    match node:
        case Group() | Fold():
            return _bounded(node.body)
        case Choice():
            return all(map(_bounded, node.options))
        case Sequence():
            return all(
                any(isinstance(part, Look) or (isinstance(part, Edge) and part.kind == "b") for part in parts)
                or not _consumed(parts[0], fold=True).alphabet & LETTERS
                for parts in (node.parts[:1], node.parts[-1:])
            )
        case _:
            return not _consumed(node, fold=True).alphabet & LETTERS


@dataclass(frozen=True, slots=True)
class _Seed:
    """A part that every match has and that lies in one token."""

    node: Node
    reach: int | None = 0  # characters before it

    def behind(self, before: int | None) -> _Seed:
        return _Seed(self.node, plus(self.reach, before))

    @property
    def worth(self) -> tuple[int, int]:
        needs = needs_of(self.node)
        return needs.digits, needs.length


def _seed(node: Node, fold: bool) -> _Seed | None:
    """The part with the most digits of those that every match has and that lie in one token."""
    match node:
        case Group() | Fold():
            return _seed(node.body, fold or (isinstance(node, Fold) and "i" in node.flags))
        case Repeat():
            return _seed(node.body, fold) if node.least else None
        case Sequence():
            found: list[_Seed] = []
            before: int | None = 0
            row: list[Node] = []
            row_before: int | None = 0
            for part in node.parts:
                seed = _seed(part, fold)
                if seed is not None:
                    found.append(seed.behind(before))
                if _consumed(part, fold).alphabet <= _TOKEN:
                    row.append(part)
                    before = plus(before, most(part))
                else:
                    found.append(_Seed(Sequence(tuple(row)), row_before))
                    before = plus(before, most(part))
                    row, row_before = [], before
            found.append(_Seed(Sequence(tuple(row)), row_before))
            return max(found, key=lambda each: each.worth, default=None)
        case Chars():
            return _Seed(node) if node.ascii(fold) <= _TOKEN else None
        case Choice():
            seeds = [seed for option in node.options if (seed := _seed(option, fold)) is not None]
            if len(seeds) < len(node.options):
                return None
            reaches = [seed.reach for seed in seeds if seed.reach is not None]
            return _Seed(
                Choice(tuple(seed.node for seed in seeds)), max(reaches) if len(reaches) == len(seeds) else None
            )
        case Edge() | Look() | Back():
            return None


@dataclass(frozen=True, slots=True)
class _Runs:
    """How many characters of a kind may stand in a row."""

    whole: int | None  # in a match that is nothing but such; None: there is none
    before: int  # at its beginning
    after: int  # at its end
    best: int  # anywhere

    def then(self, other: _Runs) -> _Runs:
        whole = None if self.whole is None or other.whole is None else self.whole + other.whole
        before = self.before if self.whole is None else max(self.before, self.whole + other.before)
        after = other.after if other.whole is None else max(other.after, other.whole + self.after)
        return _Runs(whole, before, after, max(self.best, other.best, self.after + other.before))

    def beside(self, other: _Runs) -> _Runs:
        whole = max((each for each in (self.whole, other.whole) if each is not None), default=None)
        before, after = max(self.before, other.before), max(self.after, other.after)
        return _Runs(whole, before, after, max(self.best, other.best))

    def times(self, most: int | None) -> _Runs:
        if most == 0:
            return _NOTHING
        if self.whole:
            many = _LOTS if most is None else min(_LOTS, self.whole * most)
            return _Runs(many, many, many, many)
        return self if most == 1 else self.then(self)


_LOTS = 10_000
_NOTHING = _Runs(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Eaten:
    """What a match consumes."""

    alphabet: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    empty: bool = True  # whether it can consume nothing
    letters: _Runs = _NOTHING
    gaps: _Runs = _NOTHING

    @property
    def ends(self) -> frozenset[str]:
        """What a match can begin or end with."""
        return self.first | self.last


def _consumed(node: Node, fold: bool) -> _Eaten:
    match node:
        case Chars():
            chars = node.ascii(fold)
            one, none = _Runs(1, 1, 1, 1), _Runs(None, 0, 0, 0)
            return _Eaten(chars, chars, chars, False, one if chars & LETTERS else none, one if chars & GAPS else none)
        case Edge() | Look():
            return _Eaten()
        case Repeat():
            body = _consumed(node.body, fold)
            letters, gaps = body.letters.times(node.most), body.gaps.times(node.most)
            if node.least == 0:
                letters, gaps = letters.beside(_NOTHING), gaps.beside(_NOTHING)
            return _Eaten(body.alphabet, body.first, body.last, body.empty or node.least == 0, letters, gaps)
        case Group() | Back():
            return _consumed(node.body, fold)
        case Fold():
            return _consumed(node.body, fold or "i" in node.flags)
        case Sequence():
            eaten = _Eaten()
            for part in node.parts:
                eaten = _then(eaten, _consumed(part, fold))
            return eaten
        case Choice():
            first, *others = (_consumed(option, fold) for option in node.options)
            for other in others:
                first = _Eaten(
                    first.alphabet | other.alphabet,
                    first.first | other.first,
                    first.last | other.last,
                    first.empty or other.empty,
                    first.letters.beside(other.letters),
                    first.gaps.beside(other.gaps),
                )
            return first


def _then(left: _Eaten, right: _Eaten) -> _Eaten:
    return _Eaten(
        left.alphabet | right.alphabet,
        left.first | right.first if left.empty else left.first,
        left.last | right.last if right.empty else right.last,
        left.empty and right.empty,
        left.letters.then(right.letters),
        left.gaps.then(right.gaps),
    )


def _shape(node: Node, fold: bool) -> str:
    """How Rust finds what may match among shapes (see `shapes`)."""
    match node:
        case Chars():
            return _class(node.ascii(fold))
        case Edge():
            return r"\b" if node.kind == "b" else ""
        case Look():
            return ""
        case Repeat():
            return f"(?:{_shape(node.body, fold)}){quantifier(node)}"
        case Group() | Back():
            return f"(?:{_shape(node.body, fold)})"
        case Fold():
            return _shape(node.body, fold or "i" in node.flags)
        case Sequence():
            return "".join(_shape(part, fold) for part in node.parts)
        case Choice():
            return f"(?:{'|'.join(_shape(option, fold) for option in node.options)})"


def _class(chars: frozenset[str]) -> str:
    members = "".join(f"\\{char}" for char in sorted(chars & (MARKS | (GAPS - SPACES))))
    if chars & DIGITS:
        members += "9"
    if chars & LETTERS:
        members += "a"
    if chars & (DIGITS | LETTERS):
        members += "X"
    if chars & SPACES:
        members += " "
    return f"[{members}]" if members else _NONE

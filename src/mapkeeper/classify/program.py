"""Turn the tree of a regular expression into a program for the machine (see `machine`).

A program does what Python's ``regex`` does, choice by choice and in the same order, so that both find the same
matches. What it cannot say comes back as no program, and is left to Python.
"""

from __future__ import annotations

from mapkeeper.classify.beginnings import BEYOND, Beginning, beginning
from mapkeeper.classify.instructions import (
    AGAIN,
    ALL,
    ATOMIC,
    ATOMIC_END,
    BESIDE,
    BYTE,
    BYTE_BACK,
    CLASS,
    CLASS_BACK,
    END,
    GREEDY,
    GREEDY_BACK,
    JUMP,
    LAZY,
    LOOK,
    LOOKED,
    MATCH,
    POSSESSIVE,
    SAVE,
    SPLIT,
    TABLE,
    TEXT_EDGE,
    WORD_EDGE,
    Bytes,
    Program,
)
from mapkeeper.classify.kinds import Impossible, Kind, kind_of
from mapkeeper.classify.nodes import Back, Chars, Choice, Edge, Fold, Group, Look, Node, Repeat, Sequence
from mapkeeper.classify.patterns import MANY, study, widths

_LARGEST = 8_000  # instructions
_TABLED = 4  # options from which a table tells the ones that can match


def program(expression: str, *, whole: bool = False) -> Program | None:
    """The program of an expression; ``whole``: a match is all of a text. ``None``: only Python can run it."""
    tree = study(expression).tree
    if tree is None:
        return None
    value = tree.value
    writer = _Writer(tree.flags, value, _referred(tree.root))
    least = widths(tree.root)[0]
    if not least and not whole:
        return None  # where it matches nothing, Python tries the same place again
    try:
        writer.write(tree.root, "i" in tree.flags, "s" in tree.flags)
    except Impossible:
        return None
    if whole:
        writer.put(TEXT_EDGE, 1)
    writer.put(MATCH)
    done = writer.done
    _tighten(done)
    begin = beginning(tree.root, "i" in tree.flags)
    done.first, done.second = (ALL, ALL | {END}) if begin.empty else (begin.first, begin.seconds)
    done.least = least
    done.value = value > 0
    done.edged = _starts(tree.root, "b")
    done.anchored = _starts(tree.root, "A" if "m" in tree.flags else "A^")
    return done


class _Writer:
    def __init__(self, flags: str, value: int, referred: set[int]) -> None:
        self.done = Program()
        self._lines = "m" in flags
        self._back = False  # whether what is written runs to the left
        self._slots = {value: 0} if value else {}
        for number in referred - {value}:
            self._slots[number] = self.done.slots
            self.done.slots += 2
        self._numbers: dict[Kind, int] = {}

    def put(self, op: int, a: int = 0, b: int = 0, c: int = 0) -> int:
        if len(self.done.code) >= _LARGEST:
            raise Impossible
        self.done.code.append((op, a, b, c))
        return len(self.done.code) - 1

    @property
    def here(self) -> int:
        return len(self.done.code)

    def patch(self, at: int, a: int | None = None, b: int | None = None) -> None:
        op, old_a, old_b, c = self.done.code[at]
        self.done.code[at] = (op, old_a if a is None else a, old_b if b is None else b, c)

    def slot(self) -> int:
        self.done.slots += 1
        return self.done.slots - 1

    def kind(self, kind: Kind) -> int:
        if kind not in self._numbers:
            self._numbers[kind] = len(self.done.classes)
            self.done.classes.append(kind)
        return self._numbers[kind]

    def chars(self, node: Chars, fold: bool, dots: bool) -> int:
        return self.kind(kind_of(node, fold, dots))

    def write(self, node: Node, fold: bool, dots: bool) -> None:
        match node:
            case Chars():
                kind = kind_of(node, fold, dots)
                if len(kind.ascii) == 1 and not kind.beyond:
                    self.put(BYTE_BACK if self._back else BYTE, ord(next(iter(kind.ascii))))
                else:
                    self.put(CLASS_BACK if self._back else CLASS, self.kind(kind))
            case Edge():
                self._edge(node)
            case Look():
                self._look(node, fold, dots)
            case Back():
                self._forward()
                self.put(AGAIN, self._slots[node.number], 0, int(fold))
            case Repeat():
                self._repeat(node, fold, dots)
            case Sequence():
                for part in reversed(node.parts) if self._back else node.parts:
                    self.write(part, fold, dots)
            case Choice():
                self._choice(node, fold, dots)
            case Group():
                self._group(node, fold, dots)
            case Fold():
                self.write(node.body, fold or "i" in node.flags, dots or "s" in node.flags)

    def _forward(self) -> None:
        """To the left only what is simple runs: whether it matches does not hang on the order of choices."""
        if self._back:
            raise Impossible

    def _edge(self, node: Edge) -> None:
        match node.kind:
            case "b" | "B":
                self.put(WORD_EDGE, int(node.kind == "B"))
            case "A":
                self.put(TEXT_EDGE, 0)
            case "Z":
                self.put(TEXT_EDGE, 1)
            case "^":
                self.put(TEXT_EDGE, 2 if self._lines else 0)
            case _:
                self.put(TEXT_EDGE, 3 if self._lines else 4)

    def _look(self, node: Look, fold: bool, dots: bool) -> None:
        if isinstance(node.body, Chars):
            self.put(BESIDE, self.chars(node.body, fold, dots), int(node.behind), int(node.negative))
            return
        if self._captures(node.body):
            raise Impossible
        slot = self.slot()
        look = self.put(LOOK, 0, slot, int(node.negative))
        back, self._back = self._back, node.behind
        self.write(node.body, fold, dots)
        self._back = back
        self.put(LOOKED, 0, slot, int(node.negative))
        self.patch(look, a=self.here)

    def _group(self, node: Group, fold: bool, dots: bool) -> None:
        if node.atomic:
            self._atomic(node.body, fold, dots)
        elif node.number in self._slots:
            slot = self._slots[node.number]
            self.put(SAVE, slot)
            self.write(node.body, fold, dots)
            self.put(SAVE, slot + 1)
        else:
            self.write(node.body, fold, dots)

    def _atomic(self, body: Node, fold: bool, dots: bool) -> None:
        self._forward()
        if self._captures(body):
            raise Impossible
        slot = self.slot()
        self.put(ATOMIC, 0, slot)
        self.write(body, fold, dots)
        self.put(ATOMIC_END, 0, slot)

    def _captures(self, node: Node) -> bool:
        """Whether what a part matched is asked for: what a look or an atom matched is not undone."""
        match node:
            case Group():
                return node.number in self._slots or self._captures(node.body)
            case Repeat() | Look() | Fold():
                return self._captures(node.body)
            case Sequence() | Choice():
                return any(map(self._captures, node.parts if isinstance(node, Sequence) else node.options))
            case _:
                return False

    def _repeat(self, node: Repeat, fold: bool, dots: bool) -> None:
        body = node.body
        while isinstance(body, Group) and body.number not in self._slots and not body.atomic:
            body = body.body
        if isinstance(body, Chars):
            op = {"": GREEDY, "?": LAZY, "+": POSSESSIVE}[node.manner]
            if self._back:
                op = GREEDY_BACK
                if node.manner == "+":
                    raise Impossible
            most = MANY if node.most is None else node.most
            if node.least == most == 1:
                self.write(body, fold, dots)
            else:
                self.put(op, self.chars(body, fold, dots), node.least, most)
            return
        if node.manner == "+":
            self._atomic(Repeat(node.body, node.least, node.most, ""), fold, dots)
            return
        if beginning(body, fold).empty and (node.most is None or node.most > 1):
            raise Impossible
        for _ in range(node.least):
            self.write(node.body, fold, dots)
        begins = self._begins(body, fold)
        if node.most is None:
            loop = self._split(node.manner, begins)
            self.write(node.body, fold, dots)
            self.put(JUMP, loop)
            self._leave(loop, node.manner)
            return
        splits = []
        for _ in range(node.most - node.least):
            splits.append(self._split(node.manner, begins))
            self.write(node.body, fold, dots)
        for split in splits:
            self._leave(split, node.manner)

    def _split(self, manner: str, begins: int) -> int:
        """Choose between going on and leaving, of which the other place is not yet known."""
        at = self.here
        return self.put(SPLIT, 0, at + 1, -1) if manner else self.put(SPLIT, at + 1, 0, begins)

    def _leave(self, split: int, manner: str) -> None:
        if manner:
            self.patch(split, a=self.here)
        else:
            self.patch(split, b=self.here)

    def _begins(self, node: Node, fold: bool) -> int:
        """The class of what a part begins with; -1 where it can be anything or nothing."""
        begin = beginning(node, fold)
        if self._back or begin.empty or len(begin.first) > 200:
            return -1
        able = frozenset(chr(byte) for byte in begin.first if byte < 128)
        return self.kind(Kind(able, bool(begin.first & BEYOND), negated=True))

    def _choice(self, node: Choice, fold: bool, dots: bool) -> None:
        begins = [beginning(option, fold) for option in node.options]
        if len(begins) >= _TABLED and not self._back and not any(begin.empty for begin in begins):
            self._tabled(node, begins, fold, dots)
            return
        ends = []
        for option in node.options[:-1]:
            split = self.put(SPLIT, self.here + 1, 0, self._begins(option, fold))
            self.write(option, fold, dots)
            ends.append(self.put(JUMP))
            self.patch(split, b=self.here)
        self.write(node.options[-1], fold, dots)
        for end in ends:
            self.patch(end, a=self.here)

    def _tabled(self, node: Choice, begins: list[Beginning], fold: bool, dots: bool) -> None:
        """Tables tell by the next byte, or two, which options there are to try, in their order."""
        first = self._table(0)
        places, ends = [], []
        for option in node.options:
            places.append(self.here)
            self.write(option, fold, dots)
            ends.append(self.put(JUMP))
        able: dict[int, list[int]] = {}
        for number, begin in enumerate(begins):
            for byte in begin.first:
                able.setdefault(byte, []).append(number)
        rows: dict[tuple[int, ...], int] = {}
        for byte, numbers in sorted(able.items()):
            which = tuple(numbers)
            if which not in rows:
                rows[which] = self._row(which, begins, places)
            first[byte] = rows[which]
        for end in ends:
            self.patch(end, a=self.here)

    def _table(self, ahead: int) -> dict[int, int]:
        table: dict[int, int] = {}
        self.done.tables.append(table)
        self.put(TABLE, len(self.done.tables) - 1, ahead)
        return table

    def _row(self, able: tuple[int, ...], begins: list[Beginning], places: list[int]) -> int:
        """Where several options are tried, one after the other."""
        if len(able) < _TABLED:
            return self._chain([places[number] for number in able])
        at = self.here
        self._fill(self._table(1), {number: begins[number].seconds for number in able}, places)
        return at

    def _fill(self, table: dict[int, int], bytes: dict[int, Bytes], places: list[int]) -> None:
        """Lead each byte to a chain of the options that have it, in their order."""
        able: dict[int, list[int]] = {}
        for number, some in bytes.items():
            for byte in some:
                able.setdefault(byte, []).append(number)
        rows: dict[tuple[int, ...], int] = {}
        for byte, numbers in sorted(able.items()):
            still = tuple(numbers)
            if still not in rows:
                rows[still] = self._chain([places[number] for number in still])
            table[byte] = rows[still]

    def _chain(self, places: list[int]) -> int:
        if len(places) == 1:
            return places[0]
        at = self.here
        for place in places[:-1]:
            self.put(SPLIT, place, self.here + 1, -1)
        self.put(JUMP, places[-1])
        return at


def _tighten(program: Program) -> None:
    """Rows after which nothing can come that a shorter one would end before give nothing back."""
    code = program.code
    for at, (op, a, b, c) in enumerate(code):
        if op == GREEDY and _settled(program, program.classes[a], b, at + 1):
            code[at] = POSSESSIVE, a, b, c


def _settled(program: Program, kind: Kind, least: int, at: int) -> bool:
    """Whether what stands at a place of the program cannot match within a row of a class of so many at least."""
    op, a, b, _ = program.code[at]
    while op in (SAVE, JUMP):
        at = a if op == JUMP else at + 1
        op, a, b, _ = program.code[at]
    if op == BYTE:
        return chr(a) not in kind.ascii
    if op == CLASS or (op in (GREEDY, POSSESSIVE, LAZY) and b > 0):
        other = program.classes[a]
        return not (kind.ascii & other.ascii or (kind.beyond and other.beyond))
    if op == WORD_EDGE:
        return a == 0 and least > 0 and not kind.beyond and all(char.isalnum() or char == "_" for char in kind.ascii)
    return op == TEXT_EDGE and (a == 1 or (a > 2 and "\n" not in kind.ascii))


def _referred(node: Node) -> set[int]:
    """The groups that back-references ask for."""
    match node:
        case Back():
            return {node.number}
        case Repeat() | Look() | Fold() | Group():
            return _referred(node.body)
        case Sequence() | Choice():
            parts = node.parts if isinstance(node, Sequence) else node.options
            return set().union(*map(_referred, parts))
        case _:
            return set()


def _starts(node: Node, edges: str) -> bool:
    """Whether a match begins at such an edge."""
    match node:
        case Edge():
            return node.kind in edges
        case Group() | Fold():
            return _starts(node.body, edges)
        case Sequence():
            return bool(node.parts) and _starts(node.parts[0], edges)
        case Choice():
            return all(_starts(option, edges) for option in node.options)
        case _:
            return False

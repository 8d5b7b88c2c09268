"""Many literals, made into one automaton that finds them all at once, whatever their case.

It finds a little more than the literals: long ones go by their beginnings, and rare signs stand for each other. That
keeps the automaton in the processor's cache, and is as good where the question is only where to look closer.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from mapkeeper.classify.kernel import Automaton
from mapkeeper.classify.keywords import Reach

_LONGEST = 7
"""Bytes of a literal that are looked for."""

_SPELLINGS = 16
"""Spellings of a literal with letters beyond ASCII, small and capital, that are looked for."""

_SIGNS = b"\t .-_:/=@'\"\\<*$["
"""Signs that are told from one another."""

_OTHER_SIGNS, _DIGITS, _BEYOND = 1, 2, 3
_KINDS_BEYOND = 8  # symbols for bytes beyond ASCII, by their last bits


def _symbols() -> npt.NDArray[np.uint8]:
    symbols = np.full(256, _OTHER_SIGNS, np.uint8)
    symbols[:32] = 0  # no literal holds one, but for tabs
    symbols[48:58] = _DIGITS
    for byte in range(128, 256):
        symbols[byte] = _BEYOND + byte % _KINDS_BEYOND
    first = _BEYOND + _KINDS_BEYOND
    for number, byte in enumerate(_SIGNS, first):
        symbols[byte] = number
    for letter in range(26):
        symbols[97 + letter] = symbols[65 + letter] = first + len(_SIGNS) + letter
    return symbols


SYMBOLS = _symbols()
"""By byte; small letters and capitals of ASCII share one."""

Word = tuple[int, ...]


class Literals:
    """Literals, and the automaton that finds them."""

    def __init__(self, everywhere: Iterable[str], once: Iterable[str]) -> None:
        """Of those ``everywhere`` each place is told, of the others only whether a text holds them. All small."""
        each = {word for literal in everywhere for word in _spellings(literal)}
        words = sorted(each.union(word for literal in once for word in _spellings(literal)))
        trie = _Trie(words)
        kinds = {kind: number for number, kind in enumerate(dict.fromkeys(filter(None, trie.implied)))}
        output = np.array([kinds.get(kind, -1) for kind in trie.implied], np.int32)
        wanted = np.zeros(max(1, len(kinds)), np.bool_)
        self._outputs: dict[Word, list[int]] = {word: [] for word in words}
        for kind, number in kinds.items():
            wanted[number] = any(words[word] in each for word in kind)
            for word in kind:
                self._outputs[words[word]].append(number)
        self.automaton = Automaton(SYMBOLS, trie.moves, output, wanted)

    def __repr__(self) -> str:
        return f"Literals({len(self._outputs)})"

    def outputs(self, literals: Iterable[str]) -> npt.NDArray[np.int32]:
        """The outputs of the automaton that tell of any of some literals."""
        return np.array(sorted(self.told(dict.fromkeys(literals, (0, None)))), np.int32)

    def told(self, reaches: Mapping[str, Reach]) -> dict[int, Reach]:
        """By output that tells of any of some literals, how far before its last byte a match can begin.

        ``reaches``: how far before each literal. The nearest is in bytes of ASCII and the farthest in characters.
        """
        told: dict[int, Reach] = {}
        for literal, (low, high) in reaches.items():
            for word in _spellings(literal):
                # Of letters beyond ASCII only a part may be looked for, from a place that is not known.
                near = low + len(word) if literal.isascii() else low
                far = None if high is None or not literal.isascii() else high + len(word)
                for output in self._outputs[word]:
                    other_near, other_far = told.get(output, (near, far))
                    told[output] = (
                        min(near, other_near),
                        None if far is None or other_far is None else max(far, other_far),
                    )
        return told


class _Trie:
    """Words by number, as states, their moves, and the words that each state implies."""

    def __init__(self, words: Sequence[Word]) -> None:
        branches: list[dict[int, int]] = [{}]
        ends: dict[int, int] = {}
        for number, word in enumerate(words):
            state = 0
            for symbol in word:
                after = branches[state].setdefault(symbol, len(branches))
                if after == len(branches):
                    branches.append({})
                state = after
            ends[state] = number
        kind = np.uint16 if len(branches) < 1 << 16 else np.int32
        self.moves = np.zeros((len(branches), int(SYMBOLS.max()) + 1), kind)
        self.implied: list[tuple[int, ...]] = [()] * len(branches)
        fails = [0] * len(branches)
        waiting = deque([0])
        while waiting:
            state = waiting.popleft()
            own = (ends[state],) if state in ends else ()
            self.implied[state] = own + (self.implied[fails[state]] if state else ())
            if state:
                self.moves[state] = self.moves[fails[state]]
            for symbol, after in branches[state].items():
                fails[after] = int(self.moves[fails[state], symbol]) if state else 0
                self.moves[state, symbol] = after
                waiting.append(after)


@cache
def _spellings(literal: str) -> Sequence[Word]:
    """As symbols; letters beyond ASCII have two spellings, which the automaton cannot take for one."""
    choices = [{char.lower(), char.upper()} if not char.isascii() else {char} for char in literal]
    if np.prod([len(choice) for choice in choices]) > _SPELLINGS:
        # The longest part in ASCII has to do.
        literal = max("".join(char if char.isascii() else "\0" for char in literal).split("\0"), key=len)
        choices = [{char} for char in literal]
    spelled = ("".join(chars).encode()[:_LONGEST] for chars in itertools.product(*choices))
    return [tuple(int(SYMBOLS[byte]) for byte in each) for each in spelled if each]

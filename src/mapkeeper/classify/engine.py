"""The engine: a set of rules, ready to run over the batches of any asset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from mapkeeper.classify.classification import Classification, Counted
from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.judgement import Judgement
from mapkeeper.classify.people import People
from mapkeeper.classify.redaction import Redaction
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.classify.wording import Wording
from mapkeeper.rules import Rule


class Engine:
    """A set of rules, ready to run. Keeps no value; make one a worker and use it for many assets."""

    def __init__(self, rules: Iterable[Rule], people: People | None = None) -> None:
        """``people`` looks for names in running text; by default with the language model that is installed."""
        self._ruleset = Ruleset(rules, Words.shipped(), Weights.shipped())
        self._redaction = Redaction(self._ruleset.rules)
        self._people = people or People()
        told = (self._ruleset.fingerprint(), Wording.shipped().text, Idiom.shipped().text)
        self.fingerprint = hashlib.sha256("\0".join(told).encode()).hexdigest()
        """Changes whenever a rule, a weight or a word does; part of what makes an asset unchanged."""

    def __repr__(self) -> str:
        return f"Engine({len(self._ruleset.rules)} rules)"

    def start(
        self, asset_name: str, *, client_domains: tuple[str, ...] = (), reveal: int = 0, counted: Counted = ()
    ) -> Classification:
        """Begin with an asset, or go on with what was ``counted`` of it by the same rules.

        ``client_domains`` tell a client's own people from others; ``reveal`` keeps up to so many true values of each
        finding for the caller to show.
        """
        return Classification(self._ruleset, asset_name, client_domains, reveal, counted)

    def judge(self, classification: Classification, reveal: int = 0) -> Judgement:
        """End with an asset: look for names in a sample of its running text, and weigh all that was counted.

        ``reveal`` keeps up to so many of the names.
        """
        gaps = self._people.look([tally for tally, _, _ in classification.counted()], reveal)
        return replace(classification.finish(), gaps=gaps)

    def redact(self, name: str, token: Callable[[str, str], str]) -> str:
        """Replace each part of a name (key, path, sheet, column) that identifies somebody by ``token(kind, value)``."""
        return self._redaction.redacted(name, token)

"""The acceptance kit for authors of plug-ins: run it in your own tests, with any test runner.

A connector is tried on a small store that its author fills and therefore knows::

    from mapkeeper.testing import accept

    def test_tapes_keep_the_contract(tmp_path):
        fill(tmp_path)
        accept(lambda: Tapes(str(tmp_path)), expect={"one.tape": 300}, canary="canary@example.com")

Every check is also a function of a `Trial`, so that a test runner can show each as a case of its own::

    @pytest.mark.parametrize("check", checks())
    def test_the_contract(check, tmp_path):
        fill(tmp_path)
        check(Trial(lambda: Tapes(str(tmp_path)), expect={"one.tape": 300}, canary="canary@example.com"))

Rules prove themselves with their own examples::

    def test_the_rules():
        accept_rules(acme_rules.rules())

What breaks the contract raises `Refused`, an AssertionError: it says which rule is broken, where, and how to mend it.
It never quotes what was read.
"""

from __future__ import annotations

from mapkeeper.testing.acceptance import accept, checks
from mapkeeper.testing.rulebook import accept_rules
from mapkeeper.testing.trial import Check, Refused, Trial, contents

__all__ = ["Check", "Refused", "Trial", "accept", "accept_rules", "checks", "contents"]

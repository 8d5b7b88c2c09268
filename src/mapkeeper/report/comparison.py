"""Declaration and scan held against each other, word by word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mapkeeper.model import CellState, KnownFinding, Level
from mapkeeper.report.holding import Holding, finding_evidence
from mapkeeper.report.record import NONE, NOT_DECLARED, Evidence
from mapkeeper.report.wording import counted, unseen

_TO_CONFIRM = "to confirm"
_ADDED = "added by a person"


@dataclass(frozen=True, slots=True)
class Declarations:
    """What is declared, and where; an explicit "none" is a declaration too."""

    words: Mapping[str, tuple[Evidence, ...]]
    nones: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """One word, declared, observed or both."""

    word: str
    state: CellState
    note: str | None
    evidence: tuple[Evidence, ...]
    findings: tuple[KnownFinding, ...] = ()
    listed: bool = True  # whether what declares words has this one, or stands for it


def observed_state(findings: Sequence[KnownFinding]) -> CellState:
    """What findings that nothing declares rest on: scans, or the word of a person alone."""
    return CellState.DECLARED if all(one.finding.added for one in findings) else CellState.OBSERVED


def declarations(told: Sequence[tuple[Sequence[str] | None, tuple[Evidence, ...]]]) -> Declarations:
    """Put together what several keys declare; ``None`` is no declaration, an empty list says "none"."""
    words: dict[str, tuple[Evidence, ...]] = {}
    nones: tuple[Evidence, ...] = ()
    for listed, evidence in told:
        for word in listed or ():
            words[word] = (*words.get(word, ()), *evidence)
        if listed is not None and not listed:
            nones += evidence
    return Declarations(words, () if words else nones)


def compare(
    declared: Declarations,
    observed: Mapping[str, Sequence[KnownFinding]],
    unobserved: str,
    covers: Callable[[str, str], bool] = str.__eq__,
) -> list[Compared]:
    """Hold what is declared against what was observed.

    Args:
        declared: words with where they are declared.
        observed: words with the findings that say so.
        unobserved: what to remark on a word that is only declared.
        covers: whether a declared word stands for an observed one.
    """
    rows = []
    everything = [finding for findings in observed.values() for finding in findings]
    if declared.nones:
        state = CellState.CONTRADICTED if everything else CellState.DECLARED
        by_scan = observed_state(everything) is CellState.OBSERVED
        note = f"but {'the scan found' if by_scan else 'a person added'} something" if everything else unobserved
        rows.append(Compared(NONE, state, note, declared.nones + finding_evidence(everything), tuple(everything)))
    elif not declared.words:
        rows.append(Compared(NOT_DECLARED, CellState.MISSING, None, ()))
    for word, findings in observed.items():
        by = [key for key in declared.words if covers(key, word)]
        remarks = [f"declared as {', '.join(by)}"] if by and word not in by else []
        if all(one.finding.level is Level.LIKELY and one.verdict is None for one in findings):
            remarks.append(_TO_CONFIRM)
        told = tuple(evidence for key in by for evidence in declared.words[key])
        state = observed_state(findings)
        if state is CellState.DECLARED:
            remarks.append(_ADDED)
        elif by:
            state = CellState.AGREED
        evidence = told + finding_evidence(findings)
        remark = "; ".join(remarks) or None
        rows.append(Compared(word, state, remark, evidence, tuple(findings), bool(by)))
    for key, told in declared.words.items():
        if not any(covers(key, word) for word in observed):
            rows.append(Compared(key, CellState.DECLARED, unobserved, told))
    return rows


def not_seen(holding: Holding) -> str:
    """Why a declaration may lack its finding, as far as coverage tells."""
    assets = holding.assets
    if not holding.scanned:
        return "not scanned"
    if not assets:
        return "no asset was seen"
    partly = [asset for asset in assets if not asset.coverage.complete]
    if not partly:
        return f"not seen, and {'the one asset was' if len(assets) == 1 else f'all {len(assets):,} assets were'} read"
    bounds = [asset.coverage.bound_95 for asset in partly]
    known = [bound for bound in bounds if bound is not None]
    hidden = unseen(max(known) if len(known) == len(bounds) else None)
    return f"not seen; {counted(len(partly), 'asset')} of {len(assets):,} not wholly read: {hidden}"

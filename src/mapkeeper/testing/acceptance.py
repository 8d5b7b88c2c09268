"""Accepts a connector: every check of the kit, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from mapkeeper.plugin import Connector
from mapkeeper.testing import knowing, leaks, manners, opening, rows, sampling
from mapkeeper.testing.trial import Check, Refused, Trial


def checks() -> tuple[Check, ...]:
    """Every check; the name of each is a sentence. The last two change the store, if the trial says how."""
    return (
        manners.it_only_reads,  # first: what is written once may not show the second time
        opening.it_is_a_dataclass_that_hides_its_secrets,
        opening.it_takes_any_text_for_a_target,
        opening.it_pickles_before_it_is_opened,
        opening.it_opens_and_closes_again,
        opening.a_missing_store_is_a_source_error,
        knowing.survey_lists_what_lies_there,
        knowing.facts_and_flows_say_how_they_are_known,
        rows.read_yields_what_lies_there,
        rows.positions_point_to_their_rows,
        rows.reading_goes_on_where_it_stopped,
        rows.lookup_finds_its_rows_and_no_others,
        sampling.a_plan_is_kept,
        sampling.a_sample_is_drawn_as_it_says,
        leaks.no_value_leaks,
        knowing.a_mark_moves_with_the_contents_only,
        manners.an_asset_that_vanished_is_a_gap,
    )


def accept(
    make: Callable[[], Connector],
    *,
    expect: Mapping[str, int | None],
    unreadable: Collection[str] = (),
    canary: str | None = None,
    target: str | None = None,
    missing: Callable[[], Connector] | None = None,
    change: Callable[[str], None] | None = None,
    vanish: Callable[[str], None] | None = None,
    fingerprint: Callable[[], object] | None = None,
) -> None:
    """Run every check on a connector; the arguments are those of `Trial`.

    Raises:
        Refused: the connector breaks its contract; the text has a line for every check that says so.
    """
    trial = Trial(make, expect, unreadable, canary, target, missing, change, vanish, fingerprint)
    said: dict[str, list[str]] = {}
    for check in checks():
        try:
            check(trial)
        except Refused as refusal:
            said.setdefault(str(refusal), []).append(check.__name__.replace("_", " "))
    if said:
        # One fault may show in several checks: it is told once, under the first.
        lines = [f"{names[0]}: {text}" for text, names in said.items()]
        raise Refused("\n".join([f"{len(lines)} breaches of the contract of connectors", *lines]))

"""Accepts a connector: every check of the kit, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from mapkeeper.plugin import Connector
from mapkeeper.testing import (
    access,
    elsewhere,
    knowing,
    leaks,
    manners,
    marks,
    opening,
    pace,
    rows,
    sampling,
    settings,
    stores,
)
from mapkeeper.testing.trial import Check, Refused, Trial


def checks() -> tuple[Check, ...]:
    """Every check; the name of each is a sentence. The last two change the store, if the trial says how."""
    return (
        manners.it_only_reads,  # first: what is written once may not show the second time
        settings.it_is_a_dataclass_that_hides_its_secrets,
        settings.it_takes_any_text_for_a_target,
        elsewhere.it_pickles_before_it_is_opened,
        opening.it_opens_and_closes_again,
        opening.a_missing_store_is_a_source_error,
        access.rights_are_told_without_opening,
        access.check_tries_and_reads_nothing,
        stores.stores_can_be_covered,
        knowing.survey_lists_what_lies_there,
        knowing.facts_and_flows_say_how_they_are_known,
        rows.read_yields_what_lies_there,
        rows.positions_point_to_their_rows,
        rows.reading_goes_on_where_it_stopped,
        rows.stretches_make_up_the_whole,
        elsewhere.it_goes_on_in_another_process,
        pace.requests_are_counted_and_paced,
        rows.lookup_finds_its_rows_and_no_others,
        sampling.a_plan_is_kept,
        sampling.a_sample_is_drawn_as_it_says,
        leaks.no_value_leaks,
        marks.a_mark_moves_with_the_contents_only,
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
    processes: bool = True,
) -> None:
    """Run every check on a connector; the arguments are those of `Trial`.

    Raises:
        Refused: the connector breaks its contract; the text has a line for every check that says so.
    """
    trial = Trial(make, expect, unreadable, canary, target, missing, change, vanish, fingerprint, processes)
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

"""From records to tables: who stands in which table, over which seeds, in which order.

A table ranks only rows with equal signatures, but for the weights that models were given. Models that look at whole
videos only predict the same under every segment source, so their rows also stand in tables that differ in nothing but
`segments`, and are marked there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

import numpy as np

from bench.evidence.comparisons import has_values, values_of
from bench.evidence.kinds import kind_of
from bench.files import digest
from bench.leaderboard.board import KINDS, Board, Neighbours, Resolution, Row, Section, Table
from bench.leaderboard.records import Entry, Note
from bench.leaderboard.rows import columns_of, identity, ranked, remarks_on, row_of, without
from bench.metrics.comparisons import LEVEL, p_value_of, tiers
from bench.metrics.power import detectable, rank_intervals, units_needed
from bench.reading.numbers import number_of
from bench.results import WEIGHTS, Evidence, comparable, parse_signature, protocol


def boards(entries: Sequence[Entry]) -> tuple[tuple[Board, ...], tuple[Note, ...]]:
    """Returns one board for each task, by name, and notes on records that repeat a run already shown."""
    by_task: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_task[entry.result.task.name.partition(":")[0]].append(entry)
    built, repeated = [], []
    for task in sorted(by_task):
        whole, again = first_of_each_seed([entry for entry in by_task[task] if not entry.partial])
        repeated += again
        tables = _tables(whole)
        sections = tuple(
            Section(kind, of_kind) for kind in KINDS if (of_kind := tuple(t for t in tables if t.parts["data"] == kind))
        )
        partial = [_partial_note(entry) for entry in by_task[task] if entry.partial]
        built.append(Board(task, sections, tuple(sorted(partial, key=lambda note: (note.file, note.reason)))))
    return tuple(built), tuple(repeated)


def first_of_each_seed(entries: Iterable[Entry]) -> tuple[list[Entry], list[Note]]:
    """Keeps the earliest run of every row, signature and seed: a repeated run must not count twice in a mean."""
    kept: dict[tuple[str, str, int], Entry] = {}
    notes = []
    for entry in sorted(entries, key=lambda e: (e.result.provenance.started, e.result.run, e.file)):
        first = kept.setdefault((comparable(entry.result.signature), identity(entry.result), entry.result.seed), entry)
        if first is not entry:
            reason = f"seed {entry.result.seed} of {entry.result.model.name} is already shown, from {first.file}."
            notes.append(Note(entry.file, reason))
    return list(kept.values()), notes


def _partial_note(entry: Entry) -> Note:
    result = entry.result
    share = f"{result.data.n_evaluated:,} of {number_of(result.data.n_expected, 'video')}"
    return Note(entry.file, f"{result.model.name} on {result.task.name}, seed {result.seed}: partial, {share}.")


def _test(entry: Entry) -> tuple[str, str, int]:
    """Returns what rows of a table share beside the signature: primary measurement, test set, number of units compared.

    The signature holds the first digits of the test set's digest only.
    """
    primary = entry.result.primary
    compared = has_values(entry.evidence, primary)
    units = len(values_of(entry.evidence, primary).values) if compared else entry.result[primary].n
    return primary, entry.evidence.pool, units


def _measured(entry: Entry) -> tuple[str, str, bool | None]:
    """Returns how the primary measurement is counted: no two rows of a table differ in it but for a forged record."""
    primary = entry.result[entry.result.primary]
    return kind_of(entry.evidence).name, primary.unit, primary.higher_is_better


def _but_segments(entry: Entry) -> tuple[object, ...]:
    return (
        _test(entry),
        _measured(entry),
        *((key, value) for key, value in entry.signature.items() if key not in ("segments", WEIGHTS)),
    )


def _tables(entries: Sequence[Entry]) -> list[Table]:
    by_signature: dict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        by_signature[protocol(entry.result.signature), *_test(entry), _measured(entry)].append(entry)
    in_order = sorted(by_signature.values(), key=_place)
    return [_table(own, _guests(own, by_signature)) for own in in_order]


def _guests(own: Sequence[Entry], by_signature: Mapping[tuple[object, ...], Sequence[Entry]]) -> list[Entry]:
    """Returns runs of models that ignore segments from one other table each, where `own` has none of that model."""
    here = {identity(entry.result) for entry in own}
    guests: dict[str, list[Entry]] = {}
    for key in sorted(by_signature, key=str):
        for entry in by_signature[key]:
            row = identity(entry.result)
            fits = _but_segments(entry) == _but_segments(own[0]) and not entry.result.model.uses_segments
            if fits and row not in here:
                runs = guests.setdefault(row, [])
                if not runs or comparable(runs[0].result.signature) == comparable(entry.result.signature):
                    runs.append(entry)
    return [entry for runs in guests.values() for entry in runs]


def _place(own: Sequence[Entry]) -> tuple[int, int, bool, str]:
    """Ground-truth segments first, then windows by their number, then whole videos; a task as it is before what has
    parameters, such as `:shots=4`."""
    signature = own[0].signature
    kind, _, count = signature.get("segments", "").partition("-")
    windows = int(count) if count.isdecimal() and len(count) < 10 else 0
    asked = all(":" in entry.result.task.name for entry in own)
    return {"gt": 0, "uniform": 1, "none": 2}.get(kind, 3), windows, asked, own[0].result.signature


def _table(own: Sequence[Entry], guests: Sequence[Entry]) -> Table:
    by_row: dict[str, list[Entry]] = defaultdict(list)
    for entry in [*own, *guests]:
        by_row[identity(entry.result)].append(entry)
    columns = columns_of([entry.result for entry in [*own, *guests]])
    kind = kind_of(own[0].evidence)
    reasons = {column.name: kind.certain(own[0].evidence, column.name) for column in columns}
    reasons = {name: why for name, why in reasons.items() if why and name != own[0].result.primary}
    remarks = remarks_on([entries[0].result for entries in by_row.values()])
    segments = own[0].signature.get("segments", "")
    rows = [
        without(replace(row_of(entries, columns, segments), remarks=told), columns, reasons)
        for entries, told in zip(by_row.values(), remarks, strict=True)
    ]
    first, shared = own[0].result, protocol(own[0].result.signature)
    evidence = {
        (row.model, row.remarks): [entry.evidence for entry in entries]
        for row, entries in zip(rows, by_row.values(), strict=True)
    }
    told_apart, resolution = _told_apart(ranked(rows, columns, first.primary), evidence, first.primary)
    return Table(
        key=f"t-{digest([shared, *_test(own[0])])[:8]}",
        signature=shared,
        parts=parse_signature(shared),
        label=first.data.label,
        kind=kind,
        n=first.data.n_evaluated,
        primary=first.primary,
        columns=columns,
        tested=kind.tested(first),
        certain=tuple(reasons.values()),
        rows=told_apart,
        resolution=resolution,
        beside=_said_by_all([*own, *guests]),
    )


def _said_by_all(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Returns what every record says beside its score."""
    said = [entry.result.data.remarks for entry in entries]
    return tuple(line for line in dict.fromkeys(said[0]) if all(line in other for other in said))


def _told_apart(
    rows: Sequence[Row], evidence: Mapping[tuple[str, tuple[str, ...]], Sequence[Evidence]], primary: str
) -> tuple[tuple[Row, ...], Resolution | None]:
    """Returns the rows, best first, with tiers and ranks, and what the test set can show.

    Nothing is added where `primary` has no value for each query.
    """
    if not all(has_values(seed, primary) for row in rows for seed in evidence[row.model, row.remarks]):
        return tuple(rows), None
    values = [[values_of(seed, primary) for seed in evidence[row.model, row.remarks]] for row in rows]
    what = values[0][0]
    tier_of = tiers([[seed.values for seed in row] for row in values])
    means = [np.mean(np.stack([seed.values for seed in row]), axis=0) for row in values]
    ranks = rank_intervals(means, higher_is_better=what.higher_is_better)
    told = tuple(
        replace(row, tier=tier, ranks=of if len(rows) > 1 else None)
        for row, tier, of in zip(rows, tier_of, ranks, strict=True)
    )
    return told, _resolution(told, means, what.scale)


def _resolution(rows: Sequence[Row], means: Sequence[np.ndarray], scale: float) -> Resolution | None:
    """Returns what (n,) values of neighbouring rows, seeds averaged, show of the test set."""
    n = len(means[0])
    differences = [better - worse for better, worse in pairwise(means)]
    spreads = [float(one.std(ddof=1)) if n > 1 else 0.0 for one in differences]
    if not any(spreads):
        return None
    neighbours = []
    for (better, worse), values, spread in zip(pairwise(rows), differences, spreads, strict=True):
        if p_value_of(values) >= LEVEL:
            difference = abs(float(np.round(values.mean(), 12)))
            needed = units_needed(difference, spread)
            neighbours.append(Neighbours(better.key, worse.key, scale * difference, needed))
    return Resolution(scale * detectable(median(filter(None, spreads)), n), tuple(neighbours))

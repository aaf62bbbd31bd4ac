"""What a study came to: its rows, each over its seeds, with a paired test against the best."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bench.evidence.comparisons import has_values, paired
from bench.evidence.verified import RESULT, Verified, read_record
from bench.metrics.comparisons import holm
from bench.results import protocol
from bench.study.cells import StudyCell
from bench.study.running import Ledger
from bench.study.study_file import Study


@dataclass(frozen=True)
class StudyRow:
    """A model under one choice of settings on one task.

    Attributes:
        settings: those that differ within the study.
        records: of its seeds that are done, by seed.
        primary: the name of the measurement.
        mean, std, ci95: of it over seeds, the interval as the mean of theirs.
        best: whether no row of the task is better.
        chosen: whether the study's task to choose on chose these settings for its model.
        held_out: whether settings were chosen on other videos than those that its task tests on.
        p_value: of the paired test against the best row, after Holm's correction; None for the best, and where rows
            were not measured alike.
    """

    task: str
    model: str
    settings: dict[str, str]
    records: tuple[Verified, ...]
    primary: str
    mean: float
    std: float | None
    ci95: tuple[float, float] | None
    best: bool = False
    chosen: bool = False
    held_out: bool = False
    p_value: float | None = None


def rows_of(study: Study, blind: Collection[str]) -> list[StudyRow]:
    """Returns the rows of a study that have records, task by task, best first.

    Args:
        blind: the tasks for which settings are chosen on held-out data, as `bench.study.choosing` tells them.

    Raises: InvalidData, VerificationError for a record that does not hold.
    """
    cells, choose_on = study.cells, study.choose_on
    ledger = Ledger(cells.output)
    grouped: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[Verified]] = defaultdict(list)
    for cell in cells.cells:
        outcome = ledger.outcome(cell)
        if outcome is not None and outcome.state == "done":
            row = (cell.task, cell.model, tuple(sorted(cell.settings.items())))
            grouped[row].append(read_record(cells.output / outcome.run / RESULT))
    swept = _swept(cells.cells)
    rows = [
        _row(task, model, {name: value for name, value in settings if name in swept[model]}, records)
        for (task, model, settings), records in grouped.items()
    ]
    chosen = {(row.model, tuple(row.settings.items())) for row in _chosen(rows, choose_on)}
    marked = [
        replace(
            row, chosen=(row.model, tuple(row.settings.items())) in chosen, held_out=bool(chosen) and row.task in blind
        )
        for row in rows
    ]
    ordered = []
    for task in dict.fromkeys(row.task for row in rows):
        ordered += _tested(sorted((row for row in marked if row.task == task), key=_merit, reverse=True))
    return ordered


def chosen_on(rows: Sequence[StudyRow], choose_on: str) -> str:
    """Returns where the settings of a task's rows are chosen, in words."""
    if rows[0].task == choose_on:
        return "Settings are chosen here."
    if all(row.held_out for row in rows):
        return f"Settings were chosen on {choose_on}."
    return "Settings were chosen on the test split: the best is optimistic."


def _swept(cells: Sequence[StudyCell]) -> dict[str, set[str]]:
    """Returns the settings of each model that have several values in a study."""
    values: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for cell in cells:
        for name, value in cell.settings.items():
            values[cell.model][name].add(value)
    found = {model: {name for name, of in named.items() if len(of) > 1} for model, named in values.items()}
    return {cell.model: found.get(cell.model, set()) for cell in cells}


def _row(task: str, model: str, settings: dict[str, str], records: Sequence[Verified]) -> StudyRow:
    by_seed = tuple(sorted(records, key=lambda record: record.result.seed))
    primary = by_seed[0].result.primary
    measured = [record.result[primary] for record in by_seed]
    values = [one.value for one in measured]
    ends = [one.ci95 for one in measured if one.ci95 is not None]
    interval = None
    if len(ends) == len(measured):
        interval = statistics.fmean(low for low, _ in ends), statistics.fmean(high for _, high in ends)
    std = statistics.stdev(values) if len(values) > 1 else None
    return StudyRow(task, model, settings, by_seed, primary, statistics.fmean(values), std, interval)


def _merit(row: StudyRow) -> float:
    return row.mean if row.records[0].result[row.primary].higher_is_better else -row.mean


def _chosen(rows: Sequence[StudyRow], choose_on: str) -> list[StudyRow]:
    """Returns the best row of each model on the task to choose on."""
    of_task = [row for row in rows if row.task == choose_on]
    models = dict.fromkeys(row.model for row in of_task)
    return [max((row for row in of_task if row.model == model), key=_merit) for model in models]


def _tested(rows: Sequence[StudyRow]) -> list[StudyRow]:
    """Returns the rows of a task, best first, each compared with the first."""
    first, *others = rows
    p_values = [_p_value(first, row) for row in others]
    adjusted = iter(holm([p for p in p_values if p is not None]))
    tested = [
        replace(row, p_value=None if p is None else next(adjusted)) for row, p in zip(others, p_values, strict=True)
    ]
    return [replace(first, best=True), *tested]


def _p_value(first: StudyRow, other: StudyRow) -> float | None:
    """Returns the p-value of a paired test; None where the two cannot be compared query by query."""
    sides = [[record.evidence for record in row.records] for row in (first, other)]
    signatures = {protocol(record.result.signature) for row in (first, other) for record in row.records}
    pools = {evidence.pool for side in sides for evidence in side}
    if len(signatures) > 1 or len(pools) > 1 or not has_values(sides[0][0], first.primary):
        return None
    return paired(sides[0], sides[1], first.primary).comparison.p_value

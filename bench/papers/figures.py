"""Published figures against ours: difference, and a verdict that claims no more than the protocol allows.

A verdict compares only where every known circumstance agrees; else it says how the protocol differs, whatever the
figures are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.evidence.kinds import worded_by
from bench.leaderboard.board import Cell, Column
from bench.leaderboard.rows import cell_of
from bench.papers.tables import PaperRow, PaperTable
from bench.reading.numbers import number_of
from bench.results import Evidence, Result

NO_RUN = "not run: "


@dataclass(frozen=True)
class Figure:
    """One column of one row: the published value and ours, either of which may be unknown."""

    column: str
    published: float | None
    ours: Cell | None

    @property
    def difference(self) -> float | None:
        """Ours minus the published value."""
        return None if self.published is None or self.ours is None else self.ours.mean - self.published

    @property
    def within(self) -> bool:
        """True when the published value lies in our 95 % interval."""
        if self.published is None or self.ours is None or self.ours.ci95 is None:
            return False
        return self.ours.ci95[0] <= self.published <= self.ours.ci95[1]


@dataclass(frozen=True)
class ComparedRow:
    """A row of the paper with what was measured for it; `runs` is empty where nothing was."""

    row: PaperRow
    figures: tuple[Figure, ...]
    verdict: str
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComparedTable:
    """A table of a paper beside our figures.

    Attributes:
        paper: the paper's title.
        kind: `real`, `simulated` or `generated` where something was measured, else "".
        circumstances: what was measured on, in one line.
        notes: what else sets all rows apart from our protocol.
    """

    paper: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    kind: str
    circumstances: str
    notes: tuple[str, ...]

    @property
    def has_published(self) -> bool:
        """True when the paper gives at least one figure of it as a number."""
        return any(figure.published is not None for row in self.rows for figure in row.figures)


def not_run(table: PaperTable, row: PaperRow, reason: str) -> ComparedRow:
    """Returns a row that keeps its place with its published values and says why it has no others."""
    return ComparedRow(row, _figures(table, row, []), NO_RUN + reason)


def compared(
    table: PaperTable, row: PaperRow, results: Sequence[Result], changed: Mapping[str, object], runs: int
) -> ComparedRow:
    """Returns a row beside the results of its runs, one for each task and seed.

    Args:
        changed: settings the user set.
        runs: how many were asked for; one that failed is missing from `results`.
    """
    figures = _figures(table, row, results)
    different = list(dict.fromkeys(reason for result in results for reason in differences(row, result, changed)))
    if len(results) < runs:
        different.append(f"{len(results)} of {number_of(runs, 'run')}")
    return ComparedRow(row, figures, _verdict(figures, different), tuple(result.run for result in results))


def differences(row: PaperRow, result: Result, changed: Mapping[str, object]) -> list[str]:
    """Returns how a run differs from a published row: its data, its features, and what no record can tell of its model.

    Where data are not real, that outweighs their features; what of the model differs is said on any data.
    """
    data, checkpoint = result.data, result.provenance.checkpoint
    differences = {"generated": ["generated data"], "simulated": ["simulated features"]}.get(data.kind, [])
    if data.n_evaluated < data.n_expected:
        differences = [*differences, f"{data.n_evaluated:,} of {number_of(data.n_expected, 'video')}"]
    elif result.status != "complete":
        differences = [*differences, "partial"]
    differences = [*differences, *(f"{name}={value}" for name, value in changed.items())]
    if data.kind != "real":
        return [*differences, *row.differs]
    if row.extractor and data.features.extractor != row.extractor:
        differences = [*differences, f"features {data.features.extractor or 'unnamed'} instead of {row.extractor}"]
    if data.missing:
        differences = [*differences, f"videos without features ({data.missing.policy})"]
    if checkpoint and checkpoint.word_vectors == "random":
        differences = [*differences, "random word vectors"]
    return [*differences, *row.differs]


def _verdict(figures: Iterable[Figure], different: Sequence[str]) -> str:
    if different:
        return f"protocol differs: {'; '.join(different)}"
    known = [figure for figure in figures if figure.difference is not None]
    if not known:
        return "no published figure"
    outside = [figure.column for figure in known if not figure.within]
    return f"outside: {', '.join(outside)}" if outside else "within"


def _figures(table: PaperTable, row: PaperRow, results: Sequence[Result]) -> tuple[Figure, ...]:
    published = row.values or [None] * len(table.columns)
    return tuple(
        Figure(column, value, _ours(row, column, results))
        for column, value in zip(table.columns, published, strict=True)
    )


def _ours(row: PaperRow, column: str, results: Sequence[Result]) -> Cell | None:
    task, name = row.source(column)
    of_task = [result for result in results if task in ("", result.task.name.partition(":")[0])]
    measurements = [m for result in of_task for m in result.measurements if m.name == name]
    return (
        cell_of(of_task, Column(name, measurements[0].unit, measurements[0].higher_is_better)) if measurements else None
    )


def measured_on(records: Sequence[tuple[Result, Evidence]]) -> tuple[str, str]:
    """Returns the kind of data of some records, and one line on what they were measured on; both "" for no record."""
    results = [result for result, _ in records]
    if not results:
        return "", ""
    lines = dict.fromkeys(
        f"{r.data.label} · split {r.task.split} · {worded_by(evidence).tested(r)} · "
        f"features {r.data.features.extractor or 'unnamed'}"
        for r, evidence in records
    )
    seeds = sorted({result.seed for result in results})
    return results[0].data.kind, f"{'; '.join(lines)} · seeds {', '.join(map(str, seeds))}"

"""Confusions of one record, written beside it: a picture, every pair and every class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.analysis.confusions.picture import svg
from bench.errors import UsageError
from bench.evidence.kinds import worded_by
from bench.evidence.verified import Verified
from bench.files import spreadsheet_cell, write_atomically
from bench.metrics.confusions import Confusion
from bench.reading.numbers import number_of

SHOWN = 20
"""Pairs in the picture."""


def write_confusions(record: Verified, folder: Path) -> tuple[list[Confusion], list[Path]]:
    """Returns the pairs that were confused, the most frequent first, and the files written to `folder`.

    Raises: UsageError for a record of another kind of task; SaveError when a file cannot be written.
    """
    result, evidence = record.result, record.evidence
    kind = worded_by(evidence)
    if (pairs := kind.confusions(evidence)) is None:
        raise UsageError(
            f"{record.path}: {result.task.name} scores no classes, so none was confused. Name runs of a zero-shot or "
            "linear-probe task; `bench list runs` shows the runs."
        )
    title = f"Most confused classes: {result.model.name}, seed {result.seed}"
    note = (
        f"{result.task.name} on {result.data.label}, {number_of(result[result.primary].n, 'video')}, "
        f"{result.primary} {result[result.primary].value:.1f} %. A video counts for its main class."
    )
    files = {
        "confusions.svg": svg(pairs[:SHOWN], title, note),
        "confusions.csv": _table(
            ("true", "predicted", "videos", "of", "percent"),
            ((one.true, one.predicted, one.videos, one.of, f"{one.share:.2f}") for one in pairs),
        ),
        "classes.csv": _table(
            ("class", "videos", "main_videos", "top1", "average_precision", "predicted", "most_taken_for"),
            (
                (row.name, row.videos, row.main, _percent(row.top1), _percent(row.average_precision), row.predicted,
                 row.taken_for)
                for row in kind.class_rows(evidence)
            ),
        ),
    }  # fmt: skip
    for name, content in files.items():
        write_atomically(folder / name, content)
    return pairs, [folder / name for name in files]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(head)
    table.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue().encode()


def _cell(value: object) -> object:
    """Returns a cell that no spreadsheet takes for a formula."""
    return spreadsheet_cell(value) if isinstance(value, str) else value

"""From the records of one model to a row: means over seeds, what tells it from its like, and its place."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from bench.files import digest
from bench.leaderboard.board import Cell, Column, Row
from bench.leaderboard.checks import least
from bench.leaderboard.records import Entry
from bench.results import Measurement, Result


def identity(result: Result) -> str:
    """Returns what makes a row: two runs with equal identities differ in their seed at most."""
    checkpoint = result.provenance.checkpoint
    model = result.model
    trained = (checkpoint.selection, checkpoint.word_vectors) if checkpoint else ()
    made = [model.name, model.distribution, model.revision, trained, result.provenance.precision]
    made += [model.fingerprint] if model.fingerprint else []  # rows from before there were any keep their keys
    return json.dumps([*made, model.settings], sort_keys=True)


def columns_of(results: Iterable[Result]) -> tuple[Column, ...]:
    """Returns the measurements in the order of the records, each once, then what plugins added to them."""
    in_order = sorted(results, key=lambda r: (r.model.name, r.run))
    measured = [m for result in in_order for m in result.measurements]
    added = [m for result in in_order for m in result.columns]
    return tuple(dict.fromkeys(Column(m.name, m.unit, m.higher_is_better) for m in [*measured, *added]))


def row_of(entries: Sequence[Entry], columns: Sequence[Column], segments: str) -> Row:
    """Returns the row of a model's runs in a table with the segment source `segments`; its remarks are still empty."""
    by_seed = sorted(entries, key=lambda entry: entry.result.seed)
    result = by_seed[0].result
    own_segments = by_seed[0].signature.get("segments", "")
    return Row(
        key=f"r-{digest([identity(result), result.signature, result.primary])[:12]}",
        model=result.model.name,
        summary=result.model.summary,
        paper=result.model.paper,
        control=result.model.control,
        remarks=(),
        settings=tuple(_setting(name, value) for name, value in sorted(result.model.settings.items())),
        seeds=tuple(entry.result.seed for entry in by_seed),
        cells=tuple(cell_of([entry.result for entry in by_seed], column) for column in columns),
        from_segments="" if own_segments == segments else own_segments,
        entries=tuple(by_seed),
        status=least([entry.status for entry in by_seed]),
    )


def without(row: Row, columns: Sequence[Column], names: Container[str]) -> Row:
    """Returns a row with nothing in the columns of these names."""
    cells = (None if column.name in names else cell for column, cell in zip(columns, row.cells, strict=True))
    return replace(row, cells=tuple(cells))


def _setting(name: str, value: bool | int | float | str) -> str:
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def cell_of(results: Sequence[Result], column: Column) -> Cell | None:
    """Returns one measurement of a row's runs, one for each seed; None where a run lacks it."""
    measurements: list[Measurement] = [
        m
        for result in results
        for m in [*result.measurements, *result.columns]
        if Column(m.name, m.unit, m.higher_is_better) == column
    ]
    if len(measurements) < len(results):
        return None
    values = [m.value for m in measurements]
    intervals = [m.ci95 for m in measurements if m.ci95 is not None]
    known = len(intervals) == len(measurements)
    return Cell(
        mean=statistics.fmean(values),
        std=statistics.stdev(values) if len(values) > 1 else None,
        ci95=(statistics.fmean(low for low, _ in intervals), statistics.fmean(high for _, high in intervals))
        if known
        else None,
    )


def remarks_on(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Returns, for each row, the settings and circumstances in which it differs from other rows of the same model."""
    described = [_circumstances(result) for result in results]
    remarks = []
    for result, own in zip(results, described, strict=True):
        same = [other for r, other in zip(results, described, strict=True) if r.model.name == result.model.name]
        remarks.append(
            tuple(f"{name}={value}" for name, value in own.items() if any(other.get(name) != value for other in same))
        )
    return remarks


def _circumstances(result: Result) -> dict[str, str]:
    model, checkpoint = result.model, result.provenance.checkpoint
    settings = dict(_setting(name, value).split("=", 1) for name, value in sorted(model.settings.items()))
    trained = {"selection": checkpoint.selection, "word vectors": checkpoint.word_vectors} if checkpoint else {}
    made = {"from": model.distribution, "revision": str(model.revision), "precision": result.provenance.precision}
    made |= {"fingerprint": model.fingerprint} if model.fingerprint else {}
    return {**settings, **trained, **made}


def _best(column: Column, means: Sequence[float]) -> float:
    """Returns the best of some values of a column; NaN, which none equals, where there is none."""
    if column.higher_is_better is None or not means:
        return math.nan
    return max(means) if column.higher_is_better else min(means)


def ranked(rows: Sequence[Row], columns: Sequence[Column], primary: str) -> tuple[Row, ...]:
    """Returns the rows, best first by the primary measurement, with the best cells of each column marked."""
    place = next(i for i, column in enumerate(columns) if column.name == primary)
    best = [_best(column, [cell.mean for row in rows if (cell := row.cells[i])]) for i, column in enumerate(columns)]

    def marked(row: Row) -> Row:
        return replace(
            row,
            cells=tuple(
                cell and replace(cell, best=math.isclose(cell.mean, best[i], rel_tol=1e-9))
                for i, cell in enumerate(row.cells)
            ),
        )

    def order(row: Row) -> tuple[float, str, tuple[str, ...]]:
        cell = row.cells[place]
        value = -math.inf if cell is None else cell.mean if columns[place].higher_is_better else -cell.mean
        return -value, row.model, row.remarks

    return tuple(marked(row) for row in sorted(rows, key=order))

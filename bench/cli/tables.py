"""Tables: plain columns, wide enough for their content, so that they can be piped and pasted; fitted on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bench.cli.options import asked_wide
from bench.cli.saying import echo
from bench.errors import printable

if TYPE_CHECKING:
    from bench.evidence.kinds.kind import Line
    from bench.results import Evidence, Measurement, Result


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers_from: int | None = None,
    foremost: Collection[str] = (),
    on_demand: Collection[str] = (),
) -> None:
    """Prints columns, those from `numbers_from` on as figures: whole and aligned, or on a terminal fitted to its width.

    Args:
        foremost, on_demand: heads of columns that a terminal shows first and always, and last; see `bench.cli.fitted`.
    """
    lines = [[printable(cell) for cell in line] for line in (head, *rows)]
    first_number = len(head) if numbers_from is None else numbers_from
    if sys.stdout.isatty() and not asked_wide():
        from bench.cli.fitted import LONGEST, FittedColumn, print_fitted

        columns = []
        for i, name in enumerate(lines[0]):
            below = tuple(line[i] for line in lines[1:])
            figures = i >= first_number and max(map(len, below), default=0) <= LONGEST
            columns.append(FittedColumn(name, below, number=figures))
        print_fitted(columns, foremost, on_demand)
        return
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if i >= first_number else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        echo("  ".join(cells).rstrip())
        if number == 0:
            echo("  ".join("-" * width for width in widths))


def print_results(results: Sequence[tuple[Result, Evidence]], *, as_json: bool) -> None:
    """Prints one table for runs that rank together: a row or more per run, as the kind of its evidence lays them out.

    The primary measurement has its 95 % interval; one that is the same for every model has a dash, with the reason.
    """
    from bench.evidence.kinds import worded_by
    from bench.results import protocol

    if as_json:
        echo(json.dumps([result.model_dump(by_alias=True, mode="json") for result, _ in results], indent=2))
        return
    for shared in dict.fromkeys(protocol(result.signature) for result, _ in results):
        group = [(result, evidence) for result, evidence in results if protocol(result.signature) == shared]
        signature = shared if len({result.signature for result, _ in group}) > 1 else group[0][0].signature
        first, kind = group[0][0], worded_by(group[0][1])
        echo(f"\n{first.task.name} on {first.data.label}, {first.task.split}, {kind.tested(first)}")
        names = list(dict.fromkeys(measurement.name for result, _ in group for measurement in result.measurements))
        certain = {name: why for name in names if name != first.primary and (why := kind.certain(group[0][1], name))}
        _print_lines([result for result, _ in group], kind.lines(names, first.primary), certain)
        echo(signature)
        for remark in dict.fromkeys([*certain.values(), *(one for result, _ in group for one in result.data.remarks)]):
            echo(remark)
        say_too_few(*(result for result, _ in group))


def say_too_few(*results: Result) -> None:
    """Prints why there are no intervals, where records are of too few videos."""
    from bench.metrics.statistics import FEWEST, TOO_FEW

    if any(
        m.ci95 is None and min(m.n, result.data.n_evaluated) < FEWEST for result in results for m in result.measurements
    ):
        echo(TOO_FEW)


def _print_lines(results: Sequence[Result], lines: Sequence[Line], certain: Container[str]) -> None:
    heads = {
        f"{shown.head} [95 %]" if shown.interval else shown.head: shown.interval
        for line in lines
        for shown in line.shown
    }
    labelled = any(line.label for line in lines)
    rows = []
    for result in results:
        known = {
            measurement.name: measurement for measurement in result.measurements if measurement.name not in certain
        }
        for line in lines:
            cells = [_cell(known.get(shown.name), interval=shown.interval) for shown in line.shown]
            said = [result.model.name, str(result.seed), *([line.label] if labelled else []), *cells]
            rows.append([*said, "partial" if result.status == "partial" else ""])
            rows += _bounds([known.get(shown.name) for shown in line.shown], len(said))
    head = ["model", "seed", *(["metric"] if labelled else []), *heads, ""]
    first = {"", *(name for name, interval in heads.items() if interval)}
    print_table(head, rows, numbers_from=3 if labelled else 2, foremost=first)


def _bounds(shown: Sequence[Measurement | None], width: int) -> Iterator[list[str]]:
    """Yields what stands below a record on a test set of which videos are missing, where that is other than the record.

    Args:
        width: how many cells a row has before its remark.
    """
    from bench.results import BOUNDS

    for case, words in BOUNDS.items():
        bounds = [one and one.bounds for one in shown]
        if any(own and one and getattr(own, case) != one.value for own, one in zip(bounds, shown, strict=True)):
            cells = [f"{getattr(own, case):.1f}" if own else "–" for own in bounds]
            yield [*[""] * (width - len(cells)), *cells, words]


def _cell(measurement: Measurement | None, *, interval: bool) -> str:
    if measurement is None:
        return "–"
    text = f"{measurement.value:.1f}"
    return f"{text} [{measurement.ci95[0]:.1f}, {measurement.ci95[1]:.1f}]" if interval and measurement.ci95 else text

"""Tables on the terminal: plain columns, wide enough for their content, so that they can be piped and pasted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from bench.metrics.names import parse_name

if TYPE_CHECKING:
    from bench.results import Result


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int | None = None) -> None:
    """Prints aligned columns; those from `numbers_from` on are aligned to the right."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    first_number = len(head) if numbers_from is None else numbers_from
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if i >= first_number else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
        if number == 0:
            click.echo("  ".join("-" * width for width in widths))


def print_results(results: Sequence[Result], *, as_json: bool) -> None:
    """Prints one table per signature: a row per run, the primary measurement with its 95 % interval."""
    if as_json:
        click.echo(json.dumps([result.model_dump(by_alias=True, mode="json") for result in results], indent=2))
        return
    for signature in dict.fromkeys(result.signature for result in results):
        group = [result for result in results if result.signature == signature]
        first = group[0]
        names = list(dict.fromkeys(measurement.name for result in group for measurement in result.measurements))
        click.echo(f"\n{first.task.name} on {first.data.label}, {first.task.split}, {first.tested()}")
        if any("[keep=" in name for name in names):
            _print_curves(group)
            click.echo(signature)
            continue
        head = ["model", "seed", *[f"{n} [95 %]" if n == first.primary else n for n in names], ""]
        print_table(head, [_row(result, names) for result in group], numbers_from=2)
        click.echo(signature)
        for remark in dict.fromkeys(remark for result in group for remark in result.data.remarks):
            click.echo(remark)


def _row(result: Result, names: Sequence[str]) -> list[str]:
    cells = []
    known = {measurement.name: measurement for measurement in result.measurements}
    for name in names:
        if (measurement := known.get(name)) is None:
            cells.append("–")
            continue
        text = f"{measurement.value:.1f}"
        if name == result.primary and measurement.ci95:
            text += f" [{measurement.ci95[0]:.1f}, {measurement.ci95[1]:.1f}]"
        cells.append(text)
    return [result.model.name, str(result.seed), *cells, "partial" if result.status == "partial" else ""]


def _print_curves(results: Sequence[Result]) -> None:
    """Prints the curves of the primary metric, a row per run and direction; records and boards have the others."""
    primary = parse_name(results[0].primary)
    rows: dict[tuple[str, str, str], list[str]] = {}
    shown: dict[str, None] = {}
    for result in results:
        for measurement in result.measurements:
            name = parse_name(measurement.name)
            if name is None or primary is None or name.metric != primary.metric:
                continue
            shown["area [95 %]" if name.keep is None else f"{100 * name.keep:.0f} %"] = None
            text = f"{measurement.value:.1f}"
            if name.area and measurement.ci95:
                text += f" [{measurement.ci95[0]:.1f}, {measurement.ci95[1]:.1f}]"
            rows.setdefault((result.model.name, str(result.seed), f"{name.direction}/{name.metric}"), []).append(text)
    print_table(["model", "seed", "metric", *shown], [[*key, *cells] for key, cells in rows.items()], numbers_from=3)

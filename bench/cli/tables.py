"""Tables on the terminal: plain columns, wide enough for their content, so that they can be piped and pasted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

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
        names = [measurement.name for measurement in first.measurements]
        click.echo(f"\n{first.task.name} on {first.data.label}, {first.task.split}, {first.data.n_evaluated} videos")
        head = ["model", "seed", *[f"{n} [95 %]" if n == first.primary else n for n in names], ""]
        print_table(head, [_row(result, names) for result in group], numbers_from=2)
        click.echo(signature)


def _row(result: Result, names: Sequence[str]) -> list[str]:
    cells = []
    for name in names:
        measurement = result[name]
        text = f"{measurement.value:.1f}"
        if name == result.primary and measurement.ci95:
            text += f" [{measurement.ci95[0]:.1f}, {measurement.ci95[1]:.1f}]"
        cells.append(text)
    return [result.model.name, str(result.seed), *cells, "partial" if result.status == "partial" else ""]

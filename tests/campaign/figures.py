"""The table of the last figures in docs/reliability.md: a row for each phase, replaced when the phase was run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from journal import PROJECT, Journal
from phases import Phase

PAGE = PROJECT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->"
HEADS = ("phase", "attempts", "hits", "faults", "CPU s", "load", "seed", "date", "commit")


def write(journals: Iterable[Journal], phases: Mapping[str, Phase], page: Path = PAGE) -> None:
    """Writes the figures of journals into the page, in place of earlier ones of the same phases."""
    before, rest = page.read_text("utf-8").split(BEGIN)
    old, after = rest.split(END)
    rows = rows_of(old) | {journal.told["phase"]: journal.figures for journal in journals}
    page.write_text(before + BEGIN + table(rows, phases) + END + after, "utf-8")


def rows_of(text: str) -> dict[str, dict[str, str]]:
    """Returns the rows of a table by their phase."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    rows = [dict(zip(HEADS, cells, strict=True)) for cells in lines[2:]]
    return {row["phase"].strip("`"): row for row in rows}


def table(rows: Mapping[str, Mapping[str, str]], phases: Mapping[str, Phase]) -> str:
    """Returns the table in the order of the phases, and below it what each of them does."""
    lines = ["| " + " | ".join(HEADS) + " |", "|---|" + "---:|" * (len(HEADS) - 1)]
    known = [[f"`{name}`", *(rows[name][head] for head in HEADS[1:])] for name in phases if name in rows]
    lines += [f"| {' | '.join(cells)} |" for cells in known]
    told = [f"- `{name}` ({phase.size:,}): {phase.does}." for name, phase in phases.items()]
    return "\n".join([*lines, "", *told, ""])

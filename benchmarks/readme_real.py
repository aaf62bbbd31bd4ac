"""The README's table of real data, from the committed records alone; see `readme_table.py`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from bench.leaderboard.board import Cell, Row, Table
from bench.leaderboard.records import read_entry
from bench.leaderboard.tables import boards

SETS = {
    "msrvtt-train1000": "1,000 videos of MSR-VTT's training list",
    "flickr8k-1000": "1,000 photographs of Flickr8k",
    "vidvrd": "447 clips of VidVRD",
}


def real_table(results: Path) -> str:
    """Returns what stands between the marks: a table, the best of the first set first, and who leads each set."""
    tables = {name: table_of(results, name) for name in SETS}
    ranked = list(dict.fromkeys(called(row) for table in tables.values() for row in table.rows))
    heads = [f"{name} R@1 | R@10" for name in SETS]
    lines = [f"| text → video | {' | '.join(heads)} |\n", f"|---|{'---:|---:|' * len(SETS)}\n"]
    rows = {name: {called(row): row for row in table.rows} for name, table in tables.items()}
    for label in ranked:
        cells = [figures(tables[name], rows[name].get(label)) for name in SETS]
        lines.append(f"| {label} | {' | '.join(cells)} |\n")
    return introduction(tables) + "".join(lines) + "\n" + leaders(tables)


def table_of(results: Path, dataset: str) -> Table:
    """Returns the retrieval table of a set, and stops unless it is one table of real data."""
    folder = results / f"{dataset}-retrieval"
    paths = [path for path in sorted(folder.glob("*--*.json")) if not path.name.endswith(".check.json")]
    tables = [table for board in boards([read_entry(path, path.name) for path in paths])[0] for table in board.tables]
    if len(tables) != 1 or tables[0].parts["data"] != "real":
        sys.exit(f"{folder}: expected records of one table on real data: benchmarks/real_rows.py makes them.")
    return tables[0]


def called(row: Row) -> str:
    """Returns a model's name as the table shows it, with the frozen encoder it reads sentences by."""
    text = next((value.partition("=")[2] for value in row.settings if value.startswith("text=")), "")
    read_by = f" + {text.partition('@')[0]}" if text else ""
    return f"*{row.model}*{read_by} (control)" if row.control else f"`{row.model}`{read_by}"


def figures(table: Table, row: Row | None) -> str:
    """Returns R@1 with deviation and interval, and R@10."""
    if row is None:
        return "– | –"
    first, tenth = (cell_of(table, row, k) for k in (1, 10))
    spread = "" if first.std is None else f" ± {first.std:.1f}"
    low, high = first.ci95 or (first.mean, first.mean)
    return f"{first.mean:.1f}{spread} ({low:.1f}–{high:.1f}) | {tenth.mean:.1f}"


def cell_of(table: Table, row: Row, k: int) -> Cell:
    names = [column.name for column in table.columns]
    place = next(i for i, name in enumerate(names) if name in (f"t2v/R@{k}", f"t2v/any-hit R@{k}"))
    cell = row.cells[place]
    if cell is None:
        sys.exit(f"{row.model}: no R@{k} in {table.signature}.")
    return cell


def introduction(tables: Mapping[str, Table]) -> str:
    sets = "; ".join(f"{words} (tested on {tables[name].tested})" for name, words in SETS.items())
    return fill(
        f"{sets}. Mean ± standard deviation over three seeds, or one seed, and the 95 % interval by resampling videos. "
        "It can say which of these models gets most out of a few hundred videos when all are [tuned alike]"
        "(docs/real-data.md); it cannot say how they do on the full sets, and no published figure is on these tests."
    )


def leaders(tables: Mapping[str, Table]) -> str:
    told = []
    for name, table in tables.items():
        level = sum(row.tier == 1 for row in table.rows) - 1
        others = f"{level} others are" if level != 1 else "1 other is"
        told.append(f"on {name} {called(table.rows[0])} of {len(table.rows)} rows ({others} not told apart from it)")
    return fill(
        f"First in R@1: {'; '.join(told)}, by paired tests with Holm's correction. "
        "`python benchmarks/real_rows.py DATA` makes all of them again."
    )


def fill(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n\n"

"""What a table's test set can show, in plain words: for HTML and Markdown alike."""

from __future__ import annotations

import math

from bench.leaderboard.board import Neighbours, Row, Table
from bench.leaderboard.pages.wording import plain

TITLE = "What can this test set show?"
MOST = 6
"""Pairs of neighbours that are named."""
ENOUGH = 1_000_000
"""More videos than this are called out of reach."""
POINTS = {"percent": "points", "rank": "ranks"}


def ranks(row: Row) -> str:
    """Returns `rank 1–3`, `rank 2` for one that is certain, or nothing."""
    if row.ranks is None:
        return ""
    first, last = row.ranks
    return f"rank {first}" if first == last else f"rank {first}\u2013{last}"


def resolution(table: Table) -> list[str]:
    """Returns sentences on the smallest difference that is seen and on neighbours that are not told apart."""
    if table.resolution is None:
        return []
    column = table.columns[table.place]
    points = POINTS.get(column.unit, "")
    smallest = _number(table.resolution.detectable, points)
    lines = [
        f"A difference of {smallest} in {plain(table.primary)}, between rows that disagree as neighbours here do, is "
        f"seen in four of five test sets of {table.n:,} videos; a smaller one less often."
    ]
    named = table.resolution.neighbours[:MOST]
    lines += [_neighbours(table, pair, points) for pair in named]
    if left := len(table.resolution.neighbours) - len(named):
        lines.append(f"{left} more pairs of neighbours are not told apart.")
    return lines


def _neighbours(table: Table, pair: Neighbours, points: str) -> str:
    names = {row.key: _name(row) for row in table.rows}
    both = f"{names[pair.better]} and {names[pair.worse]}"
    if math.isinf(pair.needed):
        return f"{both} are level: no number of videos is known that would tell them apart."
    apart = f"{both} are {_number(pair.difference, points)} apart"
    if pair.needed > ENOUGH:
        return f"{apart}: more than {ENOUGH:,} videos would be needed to see that."
    return f"{apart}: about {_rounded(max(pair.needed, table.n)):,} videos would be needed to see that."


def _name(row: Row) -> str:
    return plain(f"{row.model} ({', '.join(row.remarks)})" if row.remarks else row.model)


def _number(value: float, points: str) -> str:
    shown = f"{value:.1f}" if value >= 0.05 else "less than 0.1"
    return f"{shown} {points}".rstrip()


def _rounded(videos: float) -> int:
    """Returns a number of videos with two digits: it is known no better."""
    step: int = 10 ** max(0, int(math.log10(videos)) - 1)
    return math.ceil(videos / step) * step

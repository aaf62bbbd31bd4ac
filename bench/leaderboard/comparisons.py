"""Rows of a table against one another: the difference in the primary measurement, its interval, and Holm's p-value."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from bench.evidence.comparisons import Paired, has_values, paired
from bench.leaderboard.board import Row, Table
from bench.metrics.comparisons import LEVEL, holm

MOST = 8
"""Rows that are compared: the best that are no controls, then controls. More would not fit on a page."""


@dataclass(frozen=True)
class Pair:
    """One row against another.

    Attributes:
        paired: the first minus the second.
        p_value: after Holm's correction over all pairs of the table that are shown.
        ahead: 1 where the first is significantly better, -1 where the second is, else 0.
    """

    paired: Paired
    p_value: float
    ahead: int


@dataclass(frozen=True)
class ComparedRows:
    """The rows of a table that are compared, best first, and each pair by the places of its two rows."""

    rows: tuple[Row, ...]
    pairs: dict[tuple[int, int], Pair]


def compared_rows(table: Table) -> ComparedRows | None:
    """Returns the first rows of a table against one another; None where there is nothing to compare."""
    rows = [row for row in table.rows if not row.control] + [row for row in table.rows if row.control]
    chosen = sorted(rows[:MOST], key=table.rows.index)
    if len(chosen) < 2 or not has_values(chosen[0].entries[0].evidence, table.primary):
        return None
    places = list(combinations(range(len(chosen)), 2))
    evidence = [[entry.evidence for entry in row.entries] for row in chosen]
    compared = [paired(evidence[a], evidence[b], table.primary) for a, b in places]
    adjusted = holm([one.comparison.p_value for one in compared])
    upwards = 1 if table.columns[table.place].higher_is_better else -1
    pairs = {}
    for place, one, p_value in zip(places, compared, adjusted, strict=True):
        sign = (one.comparison.difference > 0) - (one.comparison.difference < 0)
        pairs[place] = Pair(one, p_value, upwards * sign if p_value < LEVEL else 0)
    return ComparedRows(tuple(chosen), pairs)

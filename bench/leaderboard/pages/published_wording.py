"""The words and numbers of published figures, the same in Markdown and in HTML; figures stand as in their source."""

from __future__ import annotations

from bench.evidence.kinds.wording import head_of
from bench.leaderboard.board import Column
from bench.leaderboard.pages.wording import UNKNOWN, grouped, segments_in_words
from bench.leaderboard.published import PublishedRow, PublishedTable, PublishedTask

TITLE = "Published figures"
NOTE = (
    "Copied from papers, on real data. They have no evidence that could be scored again, stand in the order of their "
    "source, and are never ranked with the rows above; figures on simulated or generated data do not compare with them."
)


def table_heads(table: PublishedTable) -> list[tuple[str, list[str]]]:
    """Returns the two levels of a table's head."""
    return grouped((Column(name, "percent", "R@" in name) for name in table.columns), head_of)


def circumstances(task: PublishedTask, table: PublishedTable) -> str:
    """Returns one line on where the figures were read and what was ranked; the paper stands above it."""
    gallery = f"{table.gallery:,} videos" if table.gallery else "gallery not stated"
    return f"{table.source} · {task.split}, {gallery}"


def remarks(row: PublishedRow) -> str:
    """Returns what a row was measured with."""
    segments = segments_in_words(row.segments) if row.segments else "segments not stated"
    return f"{row.features}, {segments[0].lower()}{segments[1:]}"


def value(row: PublishedRow, column: str) -> str:
    """Returns the figure as the source has it."""
    return UNKNOWN if column not in row.values else _shown(row.values[column], column)


def std(row: PublishedRow, column: str) -> str:
    """Returns the deviation over runs, or nothing."""
    return f"±{row.std[column]:g}" if column in row.std else ""


def _shown(figure: float, column: str) -> str:
    """Returns at least one decimal, as the tables above have, but for whole median ranks."""
    whole = column.endswith("MedR") and figure == int(figure)
    return f"{figure:.1f}" if not whole and figure == round(figure, 1) else f"{figure:g}"


def differences(table: PublishedTable) -> list[str]:
    """Returns what sets the table, and single rows of it, apart from our protocol."""
    return [*table.differs, *(f"{row.model}: {row.differs}" for row in table.rows if row.differs)]

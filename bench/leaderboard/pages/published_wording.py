"""The words and numbers of published figures, the same in Markdown and in HTML; figures stand as in their source."""

from __future__ import annotations

from bench.evidence.kinds.wording import head_of
from bench.leaderboard.board import Column
from bench.leaderboard.pages.wording import UNKNOWN, grouped, segments_in_words
from bench.leaderboard.published import PublishedRow, PublishedTable, PublishedTask
from bench.leaderboard.published_sets import MeasuredOn

TITLE = "Published figures"
LONGEST = 450
"""Of a line that holds words of a file and ours."""
NOTE = (
    "Copied from papers, on real data. They have no evidence that could be scored again, stand in the order of their "
    "source, and are never ranked with the rows above; figures on simulated or generated data do not compare with them."
)


def heading(group: MeasuredOn) -> str:
    """Returns the heading over the tables of one test set; "" where no set is named on the whole page."""
    if group.set:
        return f"Another test set: {group.set}" if group.apart else f"On {group.set}"
    return "Test set not known" if group.apart else ""


def table_heads(group: MeasuredOn, table: PublishedTable) -> list[tuple[str, list[str]]]:
    """Returns the two levels of a table's head."""
    columns = (Column(name, "percent", "R@" in name) for name in table.columns)
    return grouped(columns, lambda name: head_of(name, group.text))


def circumstances(task: PublishedTask, table: PublishedTable) -> list[str]:
    """Returns where the figures were read and what was ranked, and what says which test set that is; the paper stands
    above them.
    """
    ranked = table.named_set.videos if table.named_set else table.gallery
    gallery = f"{ranked:,} videos" if ranked else "gallery not stated"
    lines = [f"{table.source} · {task.split}, {gallery}"]
    return [*lines, f"{'Set' if table.set else 'Set not known'}: {table.set_by}"] if table.set_by else lines


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

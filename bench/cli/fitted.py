"""A table on a terminal: as many columns as it has room for, the ones that matter first; the rest is named below it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile

from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = 2
"""Columns of the terminal between two of the table."""
LONGEST = 32
"""Characters of a word that is not broken over two lines; longer ones are paths and signatures."""


@dataclass(frozen=True)
class FittedColumn:
    """A column of texts.

    Attributes:
        head: its head.
        cells: what stands below it.
        number: whether its cells are figures, which stand at the right and are never broken; a sentence is none.
    """

    head: str
    cells: tuple[str, ...]
    number: bool

    @property
    def widest(self) -> int:
        return max(map(len, [self.head, *self.cells]))

    def narrowest(self, longest: int | None = None) -> int:
        """Returns the width below which it cannot be read, where words are broken that have more than `longest`."""
        words = [len(word) for text in [self.head, *([] if self.number else self.cells)] for word in text.split()]
        whole = [len(cell) for cell in self.cells if self.number]
        return max([*(min(word, longest or word) for word in words), *whole], default=0)


def arranged(columns: Sequence[FittedColumn], foremost: Collection[str]) -> list[FittedColumn]:
    """Returns the columns that hold something as a terminal has them: labels, the foremost figures, the others."""
    filled = [column for column in columns if any(column.cells)]
    labels = list(takewhile(lambda column: not column.number, filled))
    first = [column for column in filled[len(labels) :] if column.head in foremost]
    return [*labels, *first, *(column for column in filled[len(labels) :] if column not in first)]


def print_fitted(columns: Sequence[FittedColumn], foremost: Collection[str], on_demand: Collection[str]) -> None:
    """Prints as many columns as the terminal has room for, and names those that it has not.

    Args:
        columns: of one length.
        foremost: heads of the figures that stand first and are never left out; "" is the column of marks.
        on_demand: heads of the columns that are left out before any text is broken over lines.
    """
    console = Console()
    kept = arranged(columns, foremost)
    if _total([column.widest for column in kept]) > console.width:
        kept = [column for column in kept if column.head not in on_demand]
    while _total([column.narrowest() for column in kept]) > console.width:
        loose = [column for column in kept if column.number and column.head not in foremost]
        if not loose:
            break
        kept.remove(loose[-1])
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for column, width in zip(kept, _widths(kept, console.width), strict=True):
        table.add_column(Text(column.head), width=width, justify="right" if column.number else "left", overflow="fold")
    for row in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    left_out = [column.head for column in columns if column not in kept and any(column.cells)]
    if left_out:
        what = "1 more column" if len(left_out) == 1 else f"{len(left_out)} more columns"
        words = f"{what} with --wide: {', '.join(left_out)}"
        console.print(Text(words, style="dim"))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _widths(columns: Sequence[FittedColumn], room: int) -> list[int]:
    """Returns the width of each column: its own, or less where texts can be broken over lines, the widest first.

    Words are broken only where nothing else helps.
    """
    widths = [column.widest for column in columns]
    for longest in (None, LONGEST):
        least = [column.narrowest(longest) for column in columns]
        while _total(widths) > room and (loose := [i for i, width in enumerate(widths) if width > least[i]]):
            widths[max(loose, key=widths.__getitem__)] -= 1
    return widths

"""What Python sessions make of records: tables in HTML, data frames of pandas, pictures of values with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from bench.results.record import Measurement

MOST_ROWS = 60
"""Rows of a table in a notebook; a data frame has them all."""
INK, QUIET = "#1c2126", "#8a939b"
_TABLE = """<table>
<caption style="text-align: left; caption-side: top; white-space: nowrap">{{ title }}</caption>
<thead>
<tr>{% for name in head %}<th style="text-align: {{ sides[loop.index0] }}">{{ name }}</th>{% endfor %}</tr>
</thead>
<tbody>
{%- for row in rows %}
<tr>{% for cell in row %}<td style="text-align: {{ sides[loop.index0] }}">{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody>
</table>
{%- for note in notes %}
<p style="font-size: smaller">{{ note }}</p>
{%- endfor %}
"""


@dataclass(frozen=True)
class Interval:
    """A value on a picture.

    Attributes:
        label: what it is of.
        value: where its mark stands.
        ci95: its 95 % interval, or None where that is not known.
        quiet: whether it stands back, as a control does.
    """

    label: str
    value: float
    ci95: tuple[float, float] | None
    quiet: bool = False


def in_words(value: float, ci95: tuple[float, float] | None = None) -> str:
    """Returns a value as a terminal shows it, with its interval where there is one: `53.8 [49.4, 58.2]`."""
    return f"{value:.1f}" + (f" [{ci95[0]:.1f}, {ci95[1]:.1f}]" if ci95 else "")


def as_html(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int, notes: Sequence[str] = ()
) -> str:
    """Returns a table as HTML; whatever stands in a name or a value is text there and never markup.

    Args:
        numbers_from: the columns from this one on are figures and stand at the right.
        notes: sentences below the table.
    """
    from jinja2 import Environment

    more = [f"and {len(rows) - MOST_ROWS:,} more rows: to_pandas() has them all"] if len(rows) > MOST_ROWS else []
    sides = ["right" if place >= numbers_from else "left" for place in range(len(head))]
    template = Environment(autoescape=True).from_string(_TABLE)
    return template.render(title=title, head=head, rows=rows[:MOST_ROWS], sides=sides, notes=[*more, *notes])


def as_frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> DataFrame:
    """Returns rows as a data frame.

    Args:
        columns: those that stand first; a frame without rows has them as well.
    """
    from pandas import DataFrame

    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    return DataFrame([dict(row) for row in rows], columns=list(names))


def measured(measurement: Measurement) -> dict[str, Any]:
    """Returns a measurement as a row of a data frame."""
    low, high = measurement.ci95 or (None, None)
    return {
        "measurement": measurement.name,
        "value": measurement.value,
        "low": low,
        "high": high,
        "unit": measurement.unit,
        "higher_is_better": measurement.higher_is_better,
        "n": measurement.n,
    }


def draw(intervals: Sequence[Interval], label: str, title: str, ax: Axes | None, *, zero: bool = False) -> Axes:
    """Draws values with their intervals, one below the other, and returns the axes.

    Args:
        label: what the values are.
        ax: where to draw; None for a new figure.
        zero: whether to mark 0, as between two models.
    """
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(7, 1 + 0.3 * max(len(intervals), 1)), layout="constrained")
    for place, one in enumerate(intervals):
        low, high = one.ci95 or (one.value, one.value)
        colour = QUIET if one.quiet else INK
        ax.plot([low, high], [place, place], color=colour, linewidth=1.5)
        ax.plot([one.value], [place], color=colour, marker="o", markersize=5)
    if zero:
        ax.axvline(0, color=QUIET, linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(intervals)), [one.label for one in intervals], parse_math=False)
    ax.set_ylim(len(intervals) - 0.5, -0.5)
    ax.set_xlabel(label, parse_math=False)
    ax.set_title(title, parse_math=False, loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    return ax

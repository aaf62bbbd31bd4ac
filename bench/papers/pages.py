"""A compared table as Markdown and HTML, in the board's style; equal tables give equal bytes."""

from __future__ import annotations

from pathlib import Path

from bench.evidence.kinds.wording import head_of
from bench.files import slug, write_atomically
from bench.leaderboard.board import Column
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.html import environment
from bench.leaderboard.pages.markdown import escape
from bench.papers.curves import curves
from bench.papers.figures import ComparedTable, Figure

NOTE = (
    "Each cell: the published figure, then ours, the mean over seeds ± standard deviation, its 95 % interval by "
    "resampling videos, and ours minus published. Within: every published figure lies in our interval."
)
OURS_ALONE = (
    "No figure of this table was published as a number. Each cell: ours, the mean over seeds ± standard deviation, and "
    "its 95 % interval by resampling videos."
)


def write_pages(table: ComparedTable, folder: Path, name: str) -> tuple[Path, Path]:
    """Writes `<name>.md` and `<name>.html` into `folder`; returns their paths. Raises: SaveError."""
    paths = folder / f"{slug(name)}.md", folder / f"{slug(name)}.html"
    for path, content in zip(paths, (markdown(table), html(table)), strict=True):
        write_atomically(path, content.encode())
    return paths


def published(figure: Figure) -> str:
    """Returns the published value as the paper has it."""
    return wording.UNKNOWN if figure.published is None else f"{figure.published:.1f}"


def ours(figure: Figure) -> str:
    """Returns our mean with the deviation over seeds."""
    return " ".join(filter(None, (wording.value(figure.ours, 1), wording.spread(figure.ours))))


def interval(figure: Figure) -> str:
    """Returns our 95 % interval, or nothing."""
    return wording.bounds(figure.ours, 1)


def difference(figure: Figure) -> str:
    """Returns ours minus published, with its sign, or nothing."""
    return "" if figure.difference is None else f"{figure.difference:+.1f}".replace("-", "\u2212")


def heads(table: ComparedTable) -> list[tuple[str, list[str]]]:
    """Returns the two levels of the table's head."""
    return wording.grouped((Column(name, "percent", True) for name in table.columns), head_of)


def markdown(table: ComparedTable) -> str:
    """Returns the table as a Markdown page."""
    lines = [f"# {escape(table.title)}", "", escape(table.paper), ""]
    if table.circumstances:
        lines += [escape(table.circumstances), ""]
    if wording.KIND_WARNINGS.get(table.kind):
        lines += [f"> {wording.KIND_WARNINGS[table.kind]}", ""]
    names = [f"{group} {name}".strip() for group, inner in heads(table) for name in inner]
    lines += [_line(["System", *map(escape, names), "Verdict"])]
    lines += [_line(["---", *["---:"] * len(names), "---"])]
    for row in table.rows:
        detail = ", ".join(filter(None, (row.row.variant, row.row.features)))
        system = escape(row.row.system) + (f"<br><sub>{escape(detail)}</sub>" if detail else "")
        cells = [_cell(figure, with_published=table.has_published) for figure in row.figures]
        lines.append(_line([system, *cells, escape(row.verdict)]))
    notes = [f"- {escape(remark)}" for remark in table.notes]
    return "\n".join([*lines, "", legend(table), *(["", *notes] if notes else [])]) + "\n"


def legend(table: ComparedTable) -> str:
    """Returns what the cells of the table hold."""
    return NOTE if table.has_published else OURS_ALONE


def _cell(figure: Figure, *, with_published: bool) -> str:
    if figure.ours is None:
        return published(figure)
    small = "<br>".join(filter(None, (interval(figure), difference(figure))))
    above = f"{published(figure)}<br>" if with_published else ""
    return f"{above}**{ours(figure)}**" + (f"<br><sub>{small}</sub>" if small else "")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def html(table: ComparedTable, root: str = "", style: str | None = None) -> str:
    """Returns the table as an HTML page: self-contained, or with the style sheet of the board it belongs to.

    Args:
        root: where the board's index is, seen from the page.
        style: the style sheet, seen from the page; None puts it into the page.
    """
    shown = {"published": published, "ours": ours, "interval": interval, "difference": difference}
    template = environment().get_template("paper.html.j2")
    return template.render(
        table=table, heads=heads(table), wording=wording, note=legend(table), shown=shown, root=root, style=style,
        pictures=curves(table),
    )  # fmt: skip

"""A board as Markdown. Everything that comes from a record is escaped: it can make no link, tag, row or heading."""

from __future__ import annotations

import re

from bench.leaderboard.board import Board, Row, Table
from bench.leaderboard.pages import published_wording, resolution_wording, wording
from bench.leaderboard.pages.leading import Leading, leading
from bench.leaderboard.pages.site import Site
from bench.leaderboard.pages.wording import plain
from bench.leaderboard.published import PublishedTable, PublishedTask
from bench.leaderboard.published_sets import MeasuredOn, by_set
from bench.leaderboard.records import Note

_ACTIVE = re.compile(r"[\\`*_{}\[\]|~$!#^]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def escape(text: str, longest: int = wording.LONGEST) -> str:
    """Returns untrusted text such that Markdown shows it as it is, in a table cell as well."""
    tagless = plain(text, longest).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(lambda match: f"\\{match.group()}", tagless)


def page(board: Board) -> str:
    """Returns the Markdown page of one task."""
    lines = [f"# {escape(board.task)}", ""]
    for section in board.sections:
        lines += [f"## {wording.KIND_TITLES[section.kind]}", ""]
        if wording.KIND_WARNINGS[section.kind]:
            lines += [f"> {wording.KIND_WARNINGS[section.kind]}", ""]
        for table in section.tables:
            lines += _table(table)
    if not board.sections:
        lines += ["No complete run yet.", ""]
    lines += _published(board)
    lines += notes("Not ranked", board.partial)
    return "\n".join(lines).rstrip("\n") + "\n"


def index(site: Site) -> str:
    """Returns the list of all boards by kind of data, with who leads each."""
    lines = [f"# {escape(site.title)}", ""]
    for kind, tasks in leading(site):
        lines += [f"## {wording.KIND_TITLES[kind]}", ""]
        lines += [f"> {wording.KIND_WARNINGS[kind]}", ""] if wording.KIND_WARNINGS[kind] else []
        lines += [_line(["Task", "Leading", "Value", "Measurement"]), _line(["---", "---", "---:", "---"])]
        lines += [_leading(one) for one in tasks]
        lines.append("")
    if site.untested:
        lines += ["## No ranked model yet", ""]
        lines += [*(f"- [{escape(board.task)}]({site.tasks[board.task]}.md)" for board in site.untested), ""]
    if not site.boards:
        lines += ["No records yet.", ""]
    if site.papers:
        lines += ["## Tables of papers", ""]
        lines += [*(f"- [{escape(one.title)}](papers/{site.paper_files[one.name]}.md)" for one in site.papers), ""]
    lines += notes("Left out", site.left_out)
    return "\n".join(lines).rstrip("\n") + "\n"


def _leading(one: Leading) -> str:
    name = escape(one.row.model) if one.row else wording.UNKNOWN
    shown = f"*{name}*<br><sub>{escape(one.remark)}</sub>" if one.remark else name
    return _line([f"[{escape(one.board.task)}]({one.file}.md)", shown, one.value, escape(one.table.primary)])


def notes(heading: str, listed: tuple[Note, ...]) -> list[str]:
    """Returns a section that lists files with their reasons, or nothing."""
    if not listed:
        return []
    return [f"## {heading}", "", *(f"- <code>{escape(note.file)}</code>: {escape(note.reason)}" for note in listed), ""]


def _table(table: Table) -> list[str]:
    places = wording.decimals(table)
    lines = [f"### {escape(wording.title(table))}", "", escape(wording.circumstances(table)), ""]
    lines += [line for said in table.beside for line in (escape(said, wording.LONGEST_REMARK), "")]
    first = 0
    for group, names in wording.heads(table):  # one table for each direction: twelve columns are too many
        lines += [_line([escape(group) or "Model", "Status", "Tier", "Seeds", *map(escape, names)])]
        lines += [_line(["---", "---", *["---:"] * (len(names) + 2)])]
        for row in table.rows:
            cells = [_value(row, i, places[i]) for i in range(first, first + len(names))]
            lines.append(_line([_model(row), row.status, _tier(row), wording.seeds(row), *cells]))
        lines.append("")
        first += len(names)
    lines += [f"{note}  " for note in wording.footnotes(table, bars=False)]
    if shown := resolution_wording.resolution(table):
        lines += ["", f"{resolution_wording.TITLE}", "", *(f"- {escape(line, len(line))}" for line in shown), ""]
    return [*lines, f"Signature: <code>{escape(table.signature, wording.LONGEST_SIGNATURE)}</code>", ""]


def _published(board: Board) -> list[str]:
    if board.published is None:
        return []
    lines = [f"## {published_wording.TITLE}", "", f"> {published_wording.NOTE}", ""]
    for group in by_set(board):
        if heading := published_wording.heading(group):
            lines += [f"### {escape(heading)}", "", *(f"{_worded(told)}  " for told in group.told), ""]
        for table in group.tables:
            lines += _published_table(board.published, group, table, "####" if heading else "###")
    return lines


def _published_table(task: PublishedTask, group: MeasuredOn, table: PublishedTable, level: str) -> list[str]:
    lines = [f"{level} {escape(table.title)}", "", f"{escape(table.paper)}  "]
    lines += ["  \n".join(map(_worded, published_wording.circumstances(task, table))), ""]
    groups = published_wording.table_heads(group, table)
    names = [f"{escape(group)} {escape(name)}" for group, names in groups for name in names]
    lines += [_line(["Published", *names]), _line(["---", *["---:"] * len(names)])]
    for row in table.rows:
        cells = [
            " ".join(filter(None, (published_wording.value(row, name), published_wording.std(row, name))))
            for name in table.columns
        ]
        lines.append(_line([f"{escape(row.model)}<br><sub>{escape(published_wording.remarks(row))}</sub>", *cells]))
    return [*lines, "", *(f"{escape(note)}  " for note in published_wording.differences(table)), ""]


def _worded(line: str) -> str:
    return escape(line, published_wording.LONGEST)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _model(row: Row) -> str:
    name = escape(row.model) + (" †" if row.from_segments else "")
    shown = f"*{name}* (control)" if row.control else name
    return f"{shown}<br><sub>{escape(wording.remarks(row))}</sub>" if row.remarks else shown


def _tier(row: Row) -> str:
    ranks = resolution_wording.ranks(row)
    return f"{wording.tier(row)}<br><sub>{ranks}</sub>" if ranks else wording.tier(row)


def _value(row: Row, column: int, places: int) -> str:
    cell = row.cells[column]
    number = wording.value(cell, places)
    shown = f"**{number}**" if cell and cell.best else number
    small = " ".join(part for part in (wording.spread(cell), wording.bounds(cell, places)) if part)
    return f"{shown}<br><sub>{small}</sub>" if small else shown

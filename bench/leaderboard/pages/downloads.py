"""A table as CSV, JSON and LaTeX: full precision, one row for each row, and nothing that a program would run.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula, so text that
does gets an apostrophe in front. In LaTeX every character with a meaning of its own is written as what it shows.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from bench.files import spreadsheet_cell
from bench.leaderboard.board import Board, Resolution, Row, Table
from bench.leaderboard.pages import wording

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "±": r"$\pm$", "–": "--", "−": "$-$", "→": r"$\rightarrow$", "↓": r"$\downarrow$", "†": r"\dag{}", "…": r"\ldots{}",
}  # fmt: skip


def csv_cell(text: str) -> str:
    """Returns untrusted text as a spreadsheet may show it: on one line, and no formula."""
    return spreadsheet_cell(wording.plain(text))


def latex(text: str) -> str:
    """Returns untrusted text such that LaTeX sets it as it is."""
    return "".join(_LATEX.get(c, c) for c in wording.plain(text))


def as_csv(table: Table) -> str:
    """Returns a table as CSV: for each measurement its mean, deviation over seeds and the ends of its interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ["model", "remarks", "status", "control", "tier", "rank low", "rank high", "seeds", "settings"]
    for column in table.columns:
        head += [f"{column.name}{part}" for part in ("", " std", " low", " high")]
    writer.writerow([csv_cell(name) for name in [*head, "signature"]])
    for row in table.rows:
        line: list[object] = [csv_cell(row.model), csv_cell(", ".join(row.remarks)), row.status]
        line += ["yes" if row.control else "no", "" if row.tier is None else row.tier, *(row.ranks or ("", ""))]
        line.append(" ".join(map(str, row.seeds)))
        line.append(csv_cell(" ".join(row.settings)))
        for cell in row.cells:
            low, high = ("", "") if cell is None or cell.ci95 is None else cell.ci95
            line += ["" if cell is None else cell.mean, "" if cell is None or cell.std is None else cell.std, low, high]
        writer.writerow([*line, csv_cell(table.signature)])
    return out.getvalue()


def as_json(board: Board, table: Table) -> str:
    """Returns a table as JSON, with all that a program needs to compare two builds of it."""
    value = {
        "schema": "bench-table/1",
        "task": board.task,
        "signature": table.signature,
        "data": table.parts.get("data", ""),
        "label": table.label,
        "n": table.n,
        "primary": table.primary,
        "columns": [
            {"name": column.name, "unit": column.unit, "higher_is_better": column.higher_is_better}
            for column in table.columns
        ],
        "rows": [_row(table, row) for row in table.rows],
        "resolution": table.resolution and _resolution(table.resolution),
    }
    return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _resolution(resolution: Resolution) -> dict[str, Any]:
    return {
        "detectable": resolution.detectable,
        "neighbours": [
            {
                "better": pair.better,
                "worse": pair.worse,
                "difference": pair.difference,
                "needed": pair.needed if math.isfinite(pair.needed) else None,
            }
            for pair in resolution.neighbours
        ],
    }


def _row(table: Table, row: Row) -> dict[str, Any]:
    values = {
        column.name: {"mean": cell.mean, "std": cell.std, "ci95": cell.ci95}
        for column, cell in zip(table.columns, row.cells, strict=True)
        if cell is not None
    }
    return {
        "key": row.key,
        "model": row.model,
        "remarks": list(row.remarks),
        "control": row.control,
        "status": row.status,
        "tier": row.tier,
        "ranks": row.ranks,
        "seeds": list(row.seeds),
        "settings": list(row.settings),
        "from_segments": row.from_segments,
        "runs": [entry.result.run for entry in row.entries],
        "values": values,
    }


def as_latex(table: Table) -> str:
    r"""Returns a table for `\input`: booktabs, the best of each column bold, a rule above each new tier."""
    places = wording.decimals(table)
    heads = wording.heads(table)
    lines = [
        f"% {latex(table.signature)}",
        "% needs \\usepackage{booktabs}, \\usepackage{textcomp} and \\usepackage[T1]{fontenc}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        " & ".join(["", *(rf"\multicolumn{{{len(names)}}}{{c}}{{{latex(group)}}}" for group, names in heads)]) + r" \\",
        " & ".join(["Model", *(latex(name) for _, names in heads for name in names)]) + r" \\",
        r"\midrule",
    ]
    for i, row in enumerate(table.rows):
        if wording.opens_tier(table, i):
            lines.append(r"\addlinespace")
        cells = [_latex_cell(row, column, places[column]) for column in range(len(table.columns))]
        lines.append(" & ".join([_latex_model(row), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex_model(row: Row) -> str:
    name = latex(row.model) + (r"\,\dag{}" if row.from_segments else "")
    shown = rf"\textit{{{name}}}" if row.control else name
    return shown + (rf" {{\footnotesize {latex(', '.join(row.remarks))}}}" if row.remarks else "")


def _latex_cell(row: Row, column: int, places: int) -> str:
    cell = row.cells[column]
    number = latex(wording.value(cell, places))
    shown = rf"\textbf{{{number}}}" if cell and cell.best else number
    spread = wording.spread(cell)
    return shown + (rf" {{\footnotesize {latex(spread)}}}" if spread else "")

"""Every file of a site with its content: equal records give equal bytes."""

from __future__ import annotations

import json

from bench.leaderboard.comparisons import compared_rows
from bench.leaderboard.pages import downloads, html, markdown
from bench.leaderboard.pages.site import Site
from bench.leaderboard.pictures.charts import pictures

MANIFEST = "build.json"


def contents(site: Site) -> dict[str, bytes]:
    """Returns the content of every page and table by its path below the output folder, and the build report."""
    files: dict[str, str] = {html.STYLE: html.style()}
    compared = []
    for board in site.boards:
        name = site.tasks[board.task]
        drawn = {table.key: pictures(table) for table in board.tables}
        files[f"{name}.html"] = html.task(site, board, drawn)
        files[f"{name}.md"] = markdown.page(board)
        for table in board.tables:
            place = f"tables/{name}-{table.key}"
            files[f"{place}.csv"] = downloads.as_csv(table)
            files[f"{place}.json"] = downloads.as_json(board, table)
            files[f"{place}.tex"] = downloads.as_latex(table)
            rows = compared_rows(table)
            if rows is not None:
                compared.append((board, table, rows))
    for model, rows_of_model in site.rows.items():
        files[f"models/{site.models[model]}.html"] = html.model(site, model, list(rows_of_model))
    for paper in site.papers:
        files[f"papers/{site.paper_files[paper.name]}.html"] = paper.html
        files[f"papers/{site.paper_files[paper.name]}.md"] = paper.markdown
    files["compare.html"] = html.compare(site, compared)
    files["index.html"] = html.index(site)
    files["index.md"] = markdown.index(site)
    files[MANIFEST] = _report(site, sorted([*files, MANIFEST]))
    return {name: content.encode() for name, content in files.items()}


def _report(site: Site, files: list[str]) -> str:
    """Returns what was built and what was left out, as JSON."""
    value = {
        "schema": "bench-build/1",
        "tasks": len(site.boards),
        "tables": sum(len(board.tables) for board in site.boards),
        "rows": sum(len(table.rows) for board in site.boards for table in board.tables),
        "left_out": [{"file": note.file, "reason": note.reason} for note in site.left_out],
        "partial": [{"file": note.file, "reason": note.reason} for note in site.partial],
        "files": files,
    }
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"

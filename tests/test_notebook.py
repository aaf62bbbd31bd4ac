"""The notebook of docs/ runs from top to bottom in a kernel of its own and shows what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbclient
import nbformat
import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.slow
def test_the_notebook_runs_and_shows_tables_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(DOCS / "python.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not committed: clear them"
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    (tmp_path / "docs").mkdir()
    shutil.copytree(DOCS.parent / "leaderboards" / "results", tmp_path / "leaderboards" / "results")

    client = nbclient.NotebookClient(
        notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": tmp_path / "docs"}}
    )
    client.execute()

    shown = {cell.source.splitlines()[-1]: _kinds(cell) for cell in notebook.cells if cell.cell_type == "code"}
    for last, kinds in shown.items():
        if ".plot(" in last:
            assert "image/png" in kinds, last
        elif last in ("result", "hse", "comparison", "board", "table") or "[[" in last:
            assert "text/html" in kinds, last
        else:
            assert "text/plain" in kinds, last


def _kinds(cell: nbformat.NotebookNode) -> set[str]:
    """Returns the forms in which a cell shows what it gives."""
    return {form for output in cell.outputs for form in output.get("data", {})}

"""Pages of docs/ are followed from an empty folder: their files are written and their commands run, in their order, and
what they print is what the page shows.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
INSTALL = "pip install vtbench\n"


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Yields language, file name or '', and content of each fenced block of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for head, content in re.findall(r"^```([^\n]+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, _, name = head.partition(" ")
        yield language, name, content


@pytest.fixture
def shell(tmp_path: Path, bench_in: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], str]:
    """Returns a function that gives lines to a shell in an empty folder, where `python` is this one.

    A line is a command. Of `bench` the shell makes its words, which are run in this process: starts take the most time.
    """
    programs, folder, words = tmp_path / "bin", tmp_path / "empty", tmp_path / "words"
    for made in (programs, folder):
        made.mkdir()
    for name, script in (("bench", f"printf '%s\\0' \"$@\" > '{words}'"), ("python", f'exec "{sys.executable}" "$@"')):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    bench = bench_in(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def command(line: str, data: Path | str) -> str:
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-c", line],
            cwd=folder,
            env={**os.environ, "PATH": path, "DATA": str(data)},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        if not words.exists():
            return done.stdout
        asked = words.read_text(encoding="utf-8").split("\0")[:-1]
        words.unlink()
        return str(bench(*asked).stdout)

    return lambda lines, data="": "".join(command(line, data) for line in lines.splitlines())


def numbers(table: str) -> dict[str, list[float]]:
    """Returns the numbers of each row of a table by its first word, without deviations; a comma parts thousands."""
    rows = [
        re.sub(r"±\S+", "", line).replace("[", " ").replace("]", " ").replace(", ", " ").split()
        for line in table.splitlines()
    ]
    cells = {row[0]: [cell.replace(",", "") for cell in row[1:]] for row in rows if row}
    return {
        name: [float(cell) for cell in row if re.fullmatch(r"[+-]?\d+(\.\d+)?", cell)] for name, row in cells.items()
    }


def follow(page: str, shell: Any, folder: Path, data: Path | str = "", near: float = 0.0) -> list[str]:
    """Does what a page says; returns the rows it shows, each of which the command above it has printed as well."""
    said, shown = "", []
    for language, name, content in blocks(page):
        if name:
            if "/" not in name:
                (folder / name).write_text(content, encoding="utf-8")
        elif language == "sh":
            said = shell(content.replace(INSTALL, ""), data)
        elif language == "text":
            found = numbers(said)
            for row, written in numbers(content).items():
                if written and row != "model":
                    shown.append(row)
                    assert written == pytest.approx(found[row][: len(written)], abs=near), row
    return shown


@pytest.mark.parametrize("page", ["ties.md", "intervals.md", "leaks.md"])
def test_an_explanation_shows_what_its_commands_print(page: str, shell: Any, tmp_path: Path) -> None:
    assert follow(page, shell, tmp_path / "empty")


@pytest.mark.slow
def test_the_tutorial_is_followed_from_an_empty_folder(shell: Any, shared: Any, tmp_path: Path) -> None:
    data = shared("data/msrvtt1000_vggae/captions.json").parent
    shared("data/msrvtt1000_vggae/features.npz")
    folder = tmp_path / "empty"

    shown = follow("tutorial.md", shell, folder, data, near=2.6)  # 200 queries: five of them on another machine

    assert {"random", "ridge", "mean-pool", "t2v/R@5"} <= set(shown)
    assert (folder / "pages" / "index.html").is_file()
    assert len(list(folder.glob("runs/mean-pool--*/*.examples.html"))) == 1
    board = json.loads((folder / "leaderboards" / "build.json").read_text(encoding="utf-8"))
    assert board["left_out"] == []
    assert "mean-pool" in (folder / "leaderboards" / "mine-retrieval.md").read_text(encoding="utf-8")
    chosen = [line for line in shell("bench study table study.yaml", data).splitlines() if line.endswith("chosen")]
    assert [line.split()[1] for line in chosen] == ["10", "10"]


def test_without_data_the_sample_takes_its_place_and_says_so(bench_command: Any) -> None:
    (declared,) = [content for _, name, content in blocks("tutorial.md") if name == "sample/bench.yaml"]
    (bench_command.folder / "bench.yaml").write_text(declared, encoding="utf-8")

    (record,) = json.loads(bench_command("run", "-m", "random", "-t", "mine-retrieval", "--json").stdout)

    assert record["data"]["kind"] == "generated"
    assert "text=captions-together" in record["signature"]

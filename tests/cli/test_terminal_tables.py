"""Tables on a terminal have lines that fit, the primary measurement first; through a pipe they are plain and whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from terminals import on_terminal

ALL = [f"{way}/{name}" for way in ("t2v", "v2t") for name in ("R@1", "R@5", "R@10", "R@50", "MedR", "MeanR")]


@pytest.fixture
def run(control_runs: Path) -> Path:
    """Returns the folder of one finished run of the control `random`."""
    (found,) = control_runs.glob("*--*")
    return found


@pytest.mark.parametrize(("width", "whole"), [(80, False), (200, True)])
def test_results_show_as_many_figures_as_fit_the_primary_one_with_its_interval_first(
    tmp_path: Path, run: Path, width: int, whole: bool
) -> None:
    lines = on_terminal(tmp_path, width, "rescore", run)
    place = next(i for i, line in enumerate(lines) if line.startswith("model "))
    head, row, left_out = lines[place].split(), lines[place + 1].split(), " ".join(lines[place + 2 :])
    figures = head[5:]

    assert max(map(len, lines[place : place + 2])) <= width
    assert head[:5] == ["model", "seed", "t2v/R@1", "[95", "%]"]
    assert figures == ALL[1 : 1 + len(figures)]
    assert row[:2] == ["random", "0"]
    assert row[3].startswith("[")
    assert len(row) == len(head)
    assert (len(figures) == len(ALL) - 1) == whole == ("--wide" not in left_out)
    for name in ALL[1 + len(figures) :]:
        assert name in left_out


def test_wide_tables_and_piped_ones_are_whole(bench_command: Any, run: Path) -> None:
    piped = bench_command("compare", run, run).stdout.splitlines()
    wide = on_terminal(bench_command.folder, 60, "compare", run, run, "--wide")
    narrow = on_terminal(bench_command.folder, 60, "compare", run, run)

    assert wide == piped
    assert any("wins/losses/ties" in line and "--wide" not in line for line in piped)
    table = narrow[narrow.index("") + 1 :]
    assert max(map(len, table[:7])) <= 60
    assert "wins/losses/ties" in " ".join(line for line in table if "--wide" in line or line.startswith("wins"))


def test_texts_are_broken_between_words_and_nothing_of_them_is_lost(bench_command: Any) -> None:
    listed = json.loads(bench_command("list", "models", "--json").stdout)
    lines = on_terminal(bench_command.folder, 80, "list", "models")

    assert max(map(len, lines)) <= 80
    shown = " ".join(lines).split()
    for row in listed:
        assert row["model"] in shown
        assert set(row["summary"].split()) <= set(shown)


@pytest.fixture
def some_runs(bench_command: Any, run: Path) -> Path:
    """Returns a folder of runs: three models with records, one of them partial, and one unfinished run."""
    folder = bench_command.folder / "runs"
    record = json.loads((run / "result.json").read_text())
    for model, task, value, date, status in [
        ("alpha", "anet-retrieval", 20.0, "2026-01-03T00:00:00Z", "complete"),
        ("beta", "anet-retrieval", 30.0, "2026-01-01T00:00:00Z", "complete"),
        ("gamma", "didemo-retrieval", 25.0, "2026-01-02T00:00:00Z", "partial"),
    ]:
        name = f"{model}--{task}--s0--00000000"
        shutil.copytree(run, folder / name)
        own = json.loads(json.dumps(record)) | {"run": name, "status": status}
        own["model"]["name"], own["task"]["name"], own["provenance"]["started"] = model, task, date
        own["signature"] = own["signature"].replace("anet-retrieval", task)
        own["measurements"][0]["value"] = value
        (folder / name / "result.json").write_text(json.dumps(own))
        (folder / name / "config.json").write_text(json.dumps({"model": model, "task": task}))
    (folder / "alpha--anet-retrieval--s9--00000000").mkdir()
    begun = json.dumps({"model": "alpha", "task": "anet-retrieval:segments=none"})
    (folder / "alpha--anet-retrieval--s9--00000000" / "config.json").write_text(begun)
    return folder


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((), ["alpha/0", "alpha/9", "beta/0", "gamma/0"]),
        (("-m", "alpha"), ["alpha/0", "alpha/9"]),
        (("-m", "alpha", "--model", "gamma"), ["alpha/0", "alpha/9", "gamma/0"]),
        (("-t", "anet-retrieval"), ["alpha/0", "alpha/9", "beta/0"]),
        (("-t", "anet-retrieval:segments=none"), ["alpha/9"]),
        (("--status", "unfinished", "--status", "partial"), ["alpha/9", "gamma/0"]),
        (("--sort", "date"), ["alpha/0", "gamma/0", "beta/0", "alpha/9"]),
        (("--sort", "score"), ["beta/0", "alpha/0", "gamma/0", "alpha/9"]),
        (("-m", "delta"), []),
    ],
)
def test_runs_are_filtered_and_sorted(
    bench_command: Any, some_runs: Path, asked: tuple[str, ...], expected: list[str]
) -> None:
    assert some_runs.is_dir()
    found = json.loads(bench_command("list", "runs", *asked, "--json").stdout)
    assert [f"{row['run'].split('--')[0]}/{row['run'].split('--')[2][1:]}" for row in found] == expected


def test_signatures_of_runs_are_shown_where_there_is_room_or_on_demand(bench_command: Any, some_runs: Path) -> None:
    narrow = on_terminal(bench_command.folder, 80, "list", "runs")
    wide = on_terminal(bench_command.folder, 400, "list", "runs")

    assert len(list(some_runs.iterdir())) == 4
    assert narrow[0].split() == ["run", "status", "primary"]
    assert len(narrow) == 1 + 4 + 1
    assert narrow[-1] == "1 more column with --wide: signature"
    assert max(map(len, narrow)) <= 80
    assert wide[0].split() == ["run", "status", "primary", "signature"]
    assert on_terminal(bench_command.folder, 80, "list", "runs", "--wide") == [
        line.rstrip() for line in bench_command("list", "runs").stdout.splitlines()
    ]

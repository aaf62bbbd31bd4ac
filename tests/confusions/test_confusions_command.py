"""`bench confusions`: the picture and the tables of a record, also of a hostile one."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

NASTY = ("=cmd()", "<script>alert(1)</script>", "$x^2$ & 水泳", "a" * 200)


@pytest.fixture
def run(bench_command: Any) -> Path:
    """Returns a folder with a record over classes of hostile names."""
    folder = bench_command.folder
    labels = {f"v{i}": NASTY[i % 4] for i in range(24)}
    said = {f"v{i}": {name: float((i + j) % 5) for j, name in enumerate(NASTY)} for i in range(24)}
    for name, value in (("labels.json", labels), ("said.json", said)):
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    flags = ("--output", "out", "--data-kind", "generated", "--name", "<b>mine</b>")
    bench_command("score", "classification", "--predictions", "said.json", "--labels", "labels.json", *flags)
    return next((folder / "out").iterdir())


def test_picture_and_tables_are_written_beside_the_record(bench_command: Any, run: Path) -> None:
    out = bench_command("confusions", run).stdout
    assert "taken for" in out
    for name in ("confusions.svg", "confusions.csv", "classes.csv"):
        assert str(run / name) in out
    with (run / "classes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == sorted(("'=cmd()", *NASTY[1:]), key=lambda n: n.removeprefix("'"))
    assert sum(int(row["videos"]) for row in rows) == 24
    with (run / "confusions.csv").open(encoding="utf-8", newline="") as file:
        assert all(int(row["videos"]) <= int(row["of"]) for row in csv.DictReader(file))


def test_the_picture_holds_names_as_text_and_repeats_to_the_byte(bench_command: Any, run: Path) -> None:
    bench_command("confusions", run)
    first = (run / "confusions.svg").read_bytes()
    root = ElementTree.fromstring(first)  # noqa: S314 (our own)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in tags
    titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "<b>mine</b>" in titles[0]
    assert any("were taken for" in title and "$x^2$ & 水泳" in title for title in titles)
    bench_command("confusions", run)
    assert (run / "confusions.svg").read_bytes() == first


def test_a_perfect_record_has_an_empty_picture(bench_command: Any) -> None:
    (bench_command.folder / "labels.json").write_text(json.dumps({"a": "run", "b": "swim"}), encoding="utf-8")
    flags = ("--predictions", "labels.json", "--labels", "labels.json", "--output", "out", "--data-kind", "real")
    bench_command("score", "classification", *flags)
    run = next((bench_command.folder / "out").iterdir())
    bench_command("confusions", run, "--output", "pictures")
    assert (bench_command.folder / "pictures" / "confusions.svg").read_bytes().rstrip().endswith(b"</svg>")


def test_a_run_that_scores_no_classes_is_refused(bench_command: Any, control_runs: Path) -> None:
    (run,) = [path for path in control_runs.iterdir() if (path / "result.json").exists()]
    done = bench_command("confusions", run, exit_code=2)
    assert "anet-retrieval scores no classes" in done.stderr


def test_two_runs_cannot_share_an_output_folder(bench_command: Any, run: Path) -> None:
    assert "--output holds the files of one run" in bench_command("confusions", run, run, "-o", "x", exit_code=2).stderr

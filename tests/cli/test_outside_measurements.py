"""A task from outside, with measurements of its own, goes all the way: run, rescore, add, build, compare."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli.conftest import install

TOY = Path(__file__).with_name("toy_values.py")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return install(tmp_path / "site", TOY, "toy-values")


def runs_of(bench_command, toy: Path, task: str = "anet-nearness") -> tuple[Path, Path]:
    """Runs two controls on a task; returns the folders of their runs, by name."""
    bench_command("run", "-m", "random", "-m", "count-only", "-t", task, "--limit", "30", path=toy)
    count, rand = sorted(bench_command.folder.glob(f"runs/*{task}*"))
    return count, rand


def test_a_record_of_a_foreign_task_is_rescored_with_it_and_verified_without(bench_command, toy):
    count, rand = runs_of(bench_command, toy)
    again = bench_command("rescore", rand, path=toy)
    assert "every measurement is the same" in again.stderr
    record = json.loads((rand / "result.json").read_text())
    found = {one["name"]: one for one in record["measurements"]}
    assert list(found) == ["near@0.5", "angle", "sharpness", "median angle"]
    assert record["primary"] == "near@0.5"
    assert found["near@0.5"]["ci95"][0] <= found["near@0.5"]["value"] <= found["near@0.5"]["ci95"][1]
    assert found["median angle"]["ci95"] is None  # queries of one video are no videos
    compared = json.loads(bench_command("compare", count, rand, "--json").stdout)["comparisons"]  # without the plugin
    assert [one["metric"] for one in compared] == ["near@0.5", "angle"]
    assert [one["unit"] for one in compared] == ["percent", "score"]
    assert compared[0]["n"] == 15  # videos, each with two queries
    angle = compared[1]
    assert angle["difference"] == pytest.approx(angle["a"]["mean"] - angle["b"]["mean"])
    assert angle["wins"] + angle["losses"] + angle["ties"] == 15
    assert (angle["wins"] > angle["losses"]) == (angle["difference"] < 0)  # less is better


def test_an_edited_number_of_a_foreign_task_is_found_without_its_plugin(bench_command, toy):
    count, rand = runs_of(bench_command, toy)
    record = json.loads((rand / "result.json").read_text())
    record["measurements"][1]["value"] += 0.25
    (rand / "result.json").write_text(json.dumps(record))
    done = bench_command("compare", count, rand, exit_code=6)
    assert "angle is " in done.stderr
    assert "from its evidence" in done.stderr


def test_rows_of_a_foreign_task_stand_on_a_board_with_tiers(bench_command, toy):
    for run in whole_runs(bench_command, toy):
        bench_command("leaderboard", "add", run, "--board", "board", path=toy)
    built = bench_command("leaderboard", "build", "--results", "board/results", "--output", "board")
    assert "2 rows in 1 table" in built.stdout
    assert not built.stderr
    page = (bench_command.folder / "board" / "anet-nearness.md").read_text()
    assert "near@0.5" in page
    assert "angle ↓" in page
    [table] = (bench_command.folder / "board" / "tables").glob("*.json")
    rows = json.loads(table.read_text())["rows"]
    has_no_best(bench_command.folder / "board", "sharpness", [row["values"]["sharpness"]["mean"] for row in rows])
    assert all(row["status"] == "rescored" and row["tier"] for row in rows)
    best = [row["values"]["near@0.5"]["mean"] for row in rows]
    assert best == sorted(best, reverse=True)
    checked = bench_command("leaderboard", "check", "--results", "board/results", "--output", "board", path=toy)
    assert "2 re-scored" in checked.stdout


def has_no_best(board: Path, name: str, values: list[float]) -> None:
    """Neither more nor less of it is better: nothing is bold in Markdown, HTML and LaTeX, and the page says so."""
    shown = [f"{value:,.1f}" for value in values]
    assert len(set(shown)) == len(values)
    page, [latex] = (board / "anet-nearness.html").read_text(), (board / "tables").glob("*.tex")
    for text in ((board / "anet-nearness.md").read_text(), page, latex.read_text()):
        assert all(value in text for value in shown)
        assert not re.search(
            "|".join(rf"(\*\*|textbf{{)-?{value.lstrip('-')}|best[^>]*>{value}" for value in shown), text
        )
    assert f"Neither more nor less is better, and none is marked as best: {name}." in page
    assert f"{name} ↓" not in page
    assert re.search(rf'data-name="{name}" data-down="1"', page)  # a click still sorts


def whole_runs(bench_command, toy: Path) -> list[Path]:
    bench_command("run", "-m", "random", "-m", "count-only", "-t", "anet-nearness", path=toy)
    return sorted(bench_command.folder.glob("runs/*anet-nearness*"))


def test_evidence_that_nobody_knows_is_told_what_to_make_instead(bench_command, toy):
    count, rand = runs_of(bench_command, toy, "anet-undeclared")
    assert "the same" in bench_command("rescore", rand, path=toy).stderr
    for done in (
        bench_command("compare", count, rand, exit_code=6),
        bench_command("leaderboard", "add", whole(bench_command, toy), "--board", "board", exit_code=6, path=toy),
    ):
        assert re.search(r"evidence of kind 'mine'.*bench\.task_api\.values_evidence", done.stderr)


def whole(bench_command, toy: Path) -> Path:
    bench_command("run", "-m", "random", "-t", "anet-undeclared", "--output", "whole", path=toy)
    return next(bench_command.folder.glob("whole/*"))


def test_values_that_cannot_be_evidence_are_told_in_one_line(bench_command, toy):
    done = bench_command("run", "-m", "random", "-t", "anet-apart", "--limit", "10", exit_code=3, path=toy)
    assert "task 'anet-apart' of toy-values 1.0 failed to score: ValueError: query 2 stands apart" in done.stderr
    assert "Sort the queries by video." in done.stderr
    done = bench_command("run", "-m", "random", "-t", "anet-described", "--limit", "10", exit_code=3, path=toy)
    assert "primary measurement is 'sharpness', of which neither more nor less is better" in done.stderr

"""What a board says its test set can show agrees with test sets drawn anew, and with counts by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.evidence.comparisons import values_of
from bench.metrics.power import rank_intervals
from bench.metrics.statistics import paired_test
from bench.results import Evidence

RESULTS = Path(__file__).resolve().parents[2] / "leaderboards" / "results"
TASK = "anet-retrieval"
PRIMARY = "t2v/R@1"
TRIALS = 400


def board_of(bench: Any, *models: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Builds a board of some committed rows; returns its table and each row's values, seeds averaged."""
    place = bench.folder / "results" / TASK
    place.mkdir(parents=True)
    for path in (RESULTS / TASK).iterdir():
        if path.name.split("--")[0] in models:
            shutil.copy(path, place)
    bench("leaderboard", "build", "--results", "results", "--output", "board")
    tables = [json.loads(path.read_text()) for path in (bench.folder / "board" / "tables").glob("*.json")]
    [table] = [table for table in tables if len(table["rows"]) == len(models)]
    values = {}
    for row in table["rows"]:
        seeds = [Evidence.load(place / f"{run}.evidence.safetensors") for run in row["runs"]]
        values[row["key"]] = np.mean([values_of(seed, PRIMARY).values for seed in seeds], axis=0)
    return table, values


def seen(differences: np.ndarray, n: int) -> float:
    """Returns in how many of the test sets of n videos, drawn from these, the paired test sees the difference."""
    rng = np.random.default_rng(0)
    drawn = (paired_test(rng.choice(differences, size=n))[0] for _ in range(TRIALS))
    return sum(p < 0.05 for p in drawn) / TRIALS


def test_the_smallest_difference_is_seen_in_four_of_five_test_sets(bench_command: Any) -> None:
    table, values = board_of(bench_command, "fse", "mean-pool")
    first, second = (values[row["key"]] for row in table["rows"])
    differences = first - second
    smallest = table["resolution"]["detectable"] / 100
    shifted = differences - differences.mean() + smallest
    assert seen(shifted, table["n"]) == pytest.approx(0.8, abs=0.06)
    assert seen(shifted - smallest / 2, table["n"]) < 0.45


def test_as_many_videos_as_it_says_tell_neighbours_apart(bench_command: Any) -> None:
    table, values = board_of(bench_command, "coot", "mean-pool")
    [pair] = table["resolution"]["neighbours"]
    differences = values[pair["better"]] - values[pair["worse"]]
    assert pair["difference"] == pytest.approx(100 * differences.mean())
    assert seen(differences, round(pair["needed"])) == pytest.approx(0.8, abs=0.06)
    assert seen(differences, table["n"]) < 0.3


def test_the_page_says_it_in_words(bench_command: Any) -> None:
    table, _ = board_of(bench_command, "coot", "mean-pool")
    said = (bench_command.folder / "board" / f"{TASK}.md").read_text(encoding="utf-8")
    smallest = f"{table['resolution']['detectable']:.1f} points in t2v/R@1"
    assert f"- A difference of {smallest}, between rows that disagree as neighbours here do" in said
    assert "in four of five test sets of 500 videos" in said
    [pair] = table["resolution"]["neighbours"]
    assert f"- coot and mean-pool are {pair['difference']:.1f} points apart: about " in said
    assert "1<br><sub>rank 1–2</sub>" in said
    assert [row["ranks"] for row in table["rows"]] == [[1, 2], [1, 2]]
    assert "<summary>What can this test set show?</summary>" in (
        bench_command.folder / "board" / f"{TASK}.html"
    ).read_text(encoding="utf-8")


def test_rows_that_never_differ_resolve_nothing(bench_command: Any) -> None:
    bench_command("run", "-m", "random", "-t", TASK)
    bench_command("leaderboard", "build", "--results", "runs", "--output", "board")
    [path] = (bench_command.folder / "board" / "tables").glob("*.json")
    assert json.loads(path.read_text())["resolution"] is None


def test_ranks_by_hand() -> None:
    """Ten queries of which nine differ one way are told apart (p = 0.02), twice over by Holm as well (0.04)."""
    good, middling, bad = np.ones(10), np.ones(10), np.zeros(10)
    middling[:1] = 0.0
    assert rank_intervals([good, middling, bad]) == [(1, 2), (1, 2), (3, 3)]
    assert rank_intervals([good, bad]) == [(1, 1), (2, 2)]
    assert rank_intervals([bad, good], higher_is_better=False) == [(1, 1), (2, 2)]
    assert rank_intervals([good]) == [(1, 1)]


def test_a_rank_interval_misses_no_more_than_one_in_twenty() -> None:
    """Five models of equal skill: every rank is right for each, so every interval must hold 1 to 5 in 95 of 100."""
    rng = np.random.default_rng(1)
    whole = 0
    for _ in range(200):
        rows = list((rng.random((5, 200)) < 0.5).astype(float))
        whole += rank_intervals(rows)[0] == (1, 5)
    assert whole / 200 >= 0.93

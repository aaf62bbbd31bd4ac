"""What a terminal shows of records: as the kind of their evidence says, with a dash and its reason for the certain."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bench.evidence.kinds import KINDS
from bench.leaderboard.pictures.charts import MAKERS

REASON = "R@50 says nothing here: all of 30 ranked are among the first 50."


def cells(printed: str, model: str) -> dict[str, str]:
    """Returns the cells of a model's row by the head of their column."""
    lines = [line for line in printed.splitlines() if line]
    place = next(i for i, line in enumerate(lines) if line.startswith("model "))
    rule = lines[place + 1]
    starts = [i for i, c in enumerate(rule) if c == "-" and (i == 0 or rule[i - 1] == " ")]
    row = next(line for line in lines[place + 2 :] if line.startswith(model))
    ends = [*starts[1:], None]
    return {lines[place][a:b].strip(): row[a:b].strip() for a, b in zip(starts, ends, strict=True)}


def test_a_recall_that_every_model_has_is_a_dash_with_its_reason_when_run_rescored_and_run_again(
    bench_command: Any,
) -> None:
    asked = ("run", "-m", "random", "-t", "anet-retrieval", "--limit", "30")
    first = bench_command(*asked).stdout
    [folder] = bench_command.folder.glob("runs/*")
    for shown in (first, bench_command(*asked).stdout, bench_command("rescore", folder).stdout):
        found = cells(shown, "random")
        assert (found["t2v/R@50"], found["v2t/R@50"]) == ("–", "–")
        assert found["t2v/R@10"] != "–"
        assert shown.count(f"t2v/{REASON}") == shown.count(f"v2t/{REASON}") == 1
    # Whoever asks for another K gets it, and the record keeps what follows from its evidence.
    assert cells(bench_command(*asked, "--metric", "t2v/R@30").stdout, "random")["t2v/R@30"] == "100.0"
    stated = {
        one["name"]: one["value"] for one in json.loads(bench_command(*asked, "--json").stdout)[0]["measurements"]
    }
    assert stated["t2v/R@50"] == 100.0


def test_two_models_are_compared_in_what_can_differ(bench_command: Any) -> None:
    bench_command("run", "-m", "random", "-t", "anet-retrieval", "--limit", "30", "--seeds", "0,1")
    runs = sorted(map(str, bench_command.folder.glob("runs/*")))
    rows = json.loads(bench_command("compare", *runs, "--json").stdout)["comparisons"]
    assert [row["metric"] for row in rows] == [f"{way}/R@{k}" for way in ("t2v", "v2t") for k in (1, 5, 10)]
    assert f"t2v/{REASON}" in bench_command("compare", *runs).stdout
    asked = bench_command("compare", *runs, "--metric", "t2v/R@50").stdout
    assert "100.00" in asked
    assert REASON not in asked


def test_scores_from_elsewhere_show_the_same_dash(bench_command: Any) -> None:
    np.save(bench_command.folder / "s.npy", np.random.default_rng(0).normal(size=(30, 30)))
    shown = bench_command("score", "retrieval", "--similarity", "s.npy").stdout
    [line] = [line for line in shown.splitlines() if line.startswith("t2v/R@50")]
    assert line.split()[1:4] == ["–", "–", "30"]
    assert REASON in line


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_picture_that_a_kind_names_can_be_drawn(kind: Any) -> None:
    assert set(kind.pictures) <= set(MAKERS)
    assert len(set(kind.pictures)) == len(kind.pictures)


def test_every_kind_of_picture_belongs_to_a_kind_of_evidence() -> None:
    assert {name for kind in KINDS for name in kind.pictures} == set(MAKERS)

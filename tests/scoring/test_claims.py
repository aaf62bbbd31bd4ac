"""`--claims` of `bench score`: figures that others state, compared within their rounding."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest


def matrix(found: int, of: int = 200) -> np.ndarray:
    """Returns similarities of which `found` of `of` texts have their video first, and the others second."""
    scores = np.eye(of)
    wrong = np.arange(found, of)
    scores[wrong, wrong - 1] = 2.0
    return scores


def claimed(command: Any, scores: np.ndarray, claims: str, exit_code: int = 0) -> Any:
    np.save(command.folder / "s.npy", scores)
    return command("score", "retrieval", "--similarity", "s.npy", "--claims", claims, "--json", exit_code=exit_code)


@pytest.mark.parametrize(
    ("found", "stated", "agrees"),
    [
        (89, "44.5", True),
        (89, "44.50", True),
        (89, "44", True),  # halves are rounded up by some, to even by others
        (89, "45", True),
        (89, "44.4", False),
        (89, "44.49", False),
        (89, "44.6", False),
        (200, "100", True),
        (0, "0.0", True),
        (0, "-0.0", True),
    ],
)
def test_a_figure_agrees_within_its_last_digit(bench_command: Any, found: int, stated: str, agrees: bool) -> None:
    done = claimed(bench_command, matrix(found), f"t2v/R@1={stated}", 0 if agrees else 6)
    (row,) = json.loads(done.stdout)["claims"]
    assert (row["name"], row["claimed"], row["agrees"]) == ("t2v/R@1", stated, agrees)
    assert row["value"] == found / 2


def test_all_claims_are_answered_and_those_that_fail_are_named(bench_command: Any) -> None:
    np.save(bench_command.folder / "s.npy", matrix(89))
    words = ("--similarity", "s.npy", "--claims", "t2v/R@1=44.5, t2v/R@5=99.9,t2v/MedR=2")
    done = bench_command("score", "retrieval", *words, exit_code=6)
    assert "agrees, within 44.45 to 44.55" in done.stdout
    assert "differs by +0.10, outside 99.85 to 99.95" in done.stdout
    assert "1 of 3 claims does not hold: t2v/R@5 is 100.0000, not 99.9" in done.stderr


@pytest.mark.parametrize(
    ("found", "of", "stated", "says"),
    [
        (89, 200, "44.0", ""),
        (133, 150, "88.6", "agrees if digits were cut off, not rounded"),
        (89, 200, "0.445", "agrees as a share of 1: figures here are percent, write 44.5"),
        (89, 200, "44.8", "no number of hits among 200 gives it: another test set, or a mean of several runs"),
    ],
)
def test_what_explains_a_difference_is_said_where_it_can_be(
    bench_command: Any, found: int, of: int, stated: str, says: str
) -> None:
    (row,) = json.loads(claimed(bench_command, matrix(found, of), f"t2v/R@1={stated}", 6).stdout)["claims"]
    assert row["says"].partition(";")[2].strip() == says


def test_further_measurements_can_be_claimed_and_are_not_recorded(bench_command: Any) -> None:
    np.save(bench_command.folder / "s.npy", matrix(89))
    words = ("score", "retrieval", "--similarity", "s.npy", "--data-kind", "generated")
    bench_command(*words, "-o", "plain")
    bench_command(*words, "-o", "stated", "--claims", "t2v/R@2=100.0,t2v/MRR=72.25")
    bench_command(*words, "-o", "wrong", "--claims", "t2v/R@2=1.0", exit_code=6)  # is kept all the same
    records = []
    for folder in ("plain", "stated", "wrong"):
        (path,) = (bench_command.folder / folder).glob("*/result.json")
        records.append(json.loads(path.read_text(encoding="utf-8")))
    first = records[0]
    for other in records[1:]:
        assert (other["signature"], other["run"], other["measurements"]) == (
            first["signature"],
            first["run"],
            first["measurements"],
        )


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ("t2v/R@1", "write NAME=FIGURE"),
        ("t2v/R@1=", "write NAME=FIGURE"),
        ("=44.5", "write NAME=FIGURE"),
        ("t2v/R@1=44.5,", "write NAME=FIGURE"),
        ("t2v/R@1=4_4", "write NAME=FIGURE"),
        ("t2v/R@1=nan", "write NAME=FIGURE"),
        ("t2v/R@1=44.5%", "write NAME=FIGURE"),
        ("t2v/R@1=44.5,t2v/R@1=44.5", "is there twice"),
        ("R@1=44.5", "R@1: that is not measured here. Measured: t2v/R@1, "),
        ("t2v/mAP=44.5", "t2v/mAP: that is not measured here"),
    ],
)
def test_what_is_no_claim_is_refused_and_nothing_is_written(bench_command: Any, claims: str, says: str) -> None:
    np.save(bench_command.folder / "s.npy", matrix(89))
    words = ("--similarity", "s.npy", "--data-kind", "generated", "-o", "kept", "--claims", claims)
    done = bench_command("score", "retrieval", *words, exit_code=2)
    assert says in done.stderr
    assert not (bench_command.folder / "kept").exists()


def test_captions_and_classes_take_claims_too(bench_command: Any) -> None:
    folder = bench_command.folder
    (folder / "told.json").write_text(json.dumps({"a": ["a man runs"], "b": ["a dog sits on grass"]}))
    (folder / "said.json").write_text(json.dumps({"a": ["a man runs"], "b": ["a dog sits on grass"]}))
    files = ("--predictions", "said.json", "--references", "told.json", "--protocol", "corpus")
    assert "agrees" in bench_command("score", "captions", *files, "--claims", "ROUGE-L=100.0").stdout
    failed = bench_command("score", "captions", *files, "--claims", "ROUGE-L=38.8", "--json", exit_code=6)
    assert json.loads(failed.stdout)["claims"][0]["agrees"] is False
    (folder / "labels.json").write_text(json.dumps({"a": "run", "b": "sit", "c": "jump"}))
    (folder / "classes.json").write_text(json.dumps({"a": "run", "b": "run"}))
    files = ("--predictions", "classes.json", "--labels", "labels.json")
    assert "agrees" in bench_command("score", "classification", *files, "--claims", "top1=33.3,top2=33").stdout
    record = json.loads(bench_command("score", "classification", *files, "--json").stdout)
    assert "1 labelled video without a prediction" in " ".join(record["data"]["remarks"])
    assert "not measured" in bench_command("score", "classification", *files, "--claims", "top9=1", exit_code=2).stderr

"""`bench compare` from run folders alone: what may be compared, what may not, and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from records import record, save, with_values

SIGNATURE = record()["signature"]


def run(folder: Path, name: str, r1: float, seed: int = 0, **changes: Any) -> Path:
    value = with_values(record(model__name=name, seed=seed, **changes), t2v_R1=r1)
    save(folder / f"{name}-{seed}", value)
    return folder / f"{name}-{seed}"


def compared(command: Any, *arguments: Any) -> dict[str, Any]:
    return json.loads(command("compare", *arguments, "--json").stdout)


def test_two_runs_are_compared_query_by_query(bench_command: Any) -> None:
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0)
    found = compared(bench_command, a, b, "--metric", "t2v/R@1")["comparisons"]
    (row,) = found
    assert (row["wins"], row["losses"], row["ties"], row["n"]) == (20, 0, 180, 200)
    assert row["difference"] == pytest.approx(10.0)
    assert row["ci95"][0] < 10.0 < row["ci95"][1]
    assert (row["test"], row["p_value"]) == ("exact binomial", pytest.approx(2 / 2**20))
    assert row["a"] == {"mean": pytest.approx(30.0), "std_over_seeds": None}


def test_every_recall_of_both_directions_is_shown(bench_command: Any) -> None:
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0)
    shown = bench_command("compare", a, b).stdout
    assert all(name in shown for name in ("t2v/R@1 ", "v2t/R@50", "+10.00", "exact binomial", "20/0/180"))


@pytest.mark.parametrize("words", ["{0},{1}", "{folder}/b-*", "{0}/result.json,{1}/result.json"])
def test_several_seeds_are_given_as_a_list_or_a_pattern(bench_command: Any, words: str) -> None:
    a = run(bench_command.folder, "a", 30.0)
    seeds = [run(bench_command.folder, "b", r1, seed) for seed, r1 in enumerate((20.0, 24.0))]
    found = compared(bench_command, a, words.format(*seeds, folder=bench_command.folder))
    assert found["b"]["seeds"] == [0, 1]
    assert found["comparisons"][0]["b"] == {"mean": pytest.approx(22.0), "std_over_seeds": pytest.approx(8**0.5)}


def test_other_pools_are_refused_with_their_sizes(bench_command: Any) -> None:
    other = SIGNATURE.replace("pool=200:bbbbbbbb", "pool=200:eeeeeeee")
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0, signature=other)
    said = bench_command("compare", a, b, "--across", exit_code=6).stderr
    assert "different test sets: anet-retrieval val_1, 200 videos" in said
    assert "equal in size, not in content" in said


def test_other_segments_are_compared_when_asked(bench_command: Any) -> None:
    windows = SIGNATURE.replace("segments=gt", "segments=uniform-4")
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0, signature=windows)
    said = bench_command("compare", a, b, exit_code=6).stderr
    assert "segments (gt, uniform-4)" in said
    assert "--across" in said
    bench_command("compare", a, b, "--across")


def test_a_model_without_segments_is_compared_under_every_source(bench_command: Any) -> None:
    windows = SIGNATURE.replace("segments=gt", "segments=uniform-4")
    a = run(bench_command.folder, "a", 30.0, signature=windows)
    b = run(bench_command.folder, "b", 20.0, model__uses_segments=False)
    bench_command("compare", a, b)


def test_other_rules_are_never_compared(bench_command: Any) -> None:
    rounded = SIGNATURE.replace("dtype=float32", "dtype=bfloat16")
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0, signature=rounded)
    assert "dtype (float32, bfloat16)" in bench_command("compare", a, b, "--across", exit_code=6).stderr


def test_runs_of_unlike_models_are_not_pooled(bench_command: Any) -> None:
    a = run(bench_command.folder, "a", 30.0)
    b = run(bench_command.folder, "b", 20.0, seed=1)
    assert "model (a, b)" in bench_command("compare", f"{a},{b}", b, exit_code=2).stderr


def test_a_seed_given_twice_is_refused(bench_command: Any) -> None:
    a = run(bench_command.folder, "a", 30.0)
    again = shutil.copytree(a, bench_command.folder / "again")
    assert "seed 0 of a was given twice" in bench_command("compare", f"{a},{again}", a, exit_code=2).stderr


def test_an_edited_record_is_not_compared(bench_command: Any) -> None:
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0)
    path = a / "result.json"
    value = json.loads(path.read_text())
    value["measurements"][0]["value"] = 99.0
    path.write_text(json.dumps(value))
    assert "t2v/R@1 is 99.0 in the record" in bench_command("compare", a, b, exit_code=6).stderr


@pytest.mark.parametrize("words", ["nowhere", "b-*,nowhere", "."])
def test_what_is_no_run_is_named(bench_command: Any, words: str) -> None:
    run(bench_command.folder, "b", 20.0)
    assert "bench list runs" in bench_command("compare", "b-0", words, exit_code=2).stderr


def test_a_metric_without_values_per_query_is_refused(bench_command: Any) -> None:
    a, b = run(bench_command.folder, "a", 30.0), run(bench_command.folder, "b", 20.0)
    assert "t2v/MedR" in bench_command("compare", a, b, "--metric", "t2v/MedR", exit_code=2).stderr

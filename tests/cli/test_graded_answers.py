"""Queries with several right videos, graded: what is measured of all of them, through every command, equals a
computation of its own."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data.digests import opaque_id
from bench.files import read_tensors, write_tensors

TEST, DIM = 10, 6
CONFIG = """
version: 1
datasets:
  clips:
    reader: activitynet
    root: .
    features: frames
    segments: none
    captions: each
    queries: queries.json
    relevance: judged.txt
    splits: {train: {file: train.json}, test: {file: test.json}}
features:
  frames: {reader: npz, path: frames.npz, extractor: toy}
"""
GRADES = {f"q{i}": {f"v{(i + step) % TEST}": grade for step, grade in ((0, 3), (1, 1), (4, 2))} for i in range(7)}
ASKED = ("t2v/nDCG@4", "t2v/P@3", "v2t/nDCG@3", "v2t/P@2")


@pytest.fixture
def clips(bench_command: Any) -> Path:
    folder: Path = bench_command.folder
    for split, names in (("train", [f"x{i}" for i in range(12)]), ("test", [f"v{i}" for i in range(TEST)])):
        (folder / f"{split}.json").write_text(json.dumps({name: [f"says {name}", "again"] for name in names}))
    names = [f"x{i}" for i in range(12)] + [f"v{i}" for i in range(TEST)]
    features = np.random.default_rng(0).normal(size=(len(names), 3, DIM))
    np.savez(folder / "frames.npz", video_id=np.array(names), features=features)
    (folder / "queries.json").write_text(json.dumps({name: f"word{i} says" for i, name in enumerate(GRADES)}))
    lines = [f"{query} 0 {video} {grade}" for query, own in GRADES.items() for video, grade in own.items()]
    (folder / "judged.txt").write_text("\n".join([*lines, "q0 0 v9 0"]) + "\n")
    (folder / "bench.yaml").write_text(CONFIG)
    return folder


def run(bench_command: Any, model: str, *more: str) -> dict[str, Any]:
    return dict(json.loads(bench_command("run", "-m", model, "-t", "clips-retrieval", *more, "--json").stdout)[0])


def metrics(names: tuple[str, ...] = ASKED) -> list[str]:
    return [argument for name in names for argument in ("--metric", name)]


def by_hand(scores: np.ndarray, grades: np.ndarray) -> dict[str, float]:
    """Returns the measurements of scores without ties, text by video, from sorted lists."""

    def mean(rows: np.ndarray, worth: np.ndarray, k: int, *, gain: bool) -> float:
        values = []
        for row, own in zip(rows, worth, strict=True):
            if not own.any():
                continue
            listed = own[np.argsort(-row)][:k]
            best = np.sort(own)[::-1][:k]
            discounts = [1 / math.log2(rank + 1) for rank in range(1, len(listed) + 1)]
            values.append(listed @ discounts / (best @ discounts) if gain else (listed > 0).sum() / k)
        return 100.0 * float(np.mean(values))

    return {
        "t2v/nDCG@4": mean(scores, grades, 4, gain=True),
        "t2v/P@3": mean(scores, grades, 3, gain=False),
        "v2t/nDCG@3": mean(scores.T, grades.T, 3, gain=True),
        "v2t/P@2": mean(scores.T, grades.T, 2, gain=False),
    }


def of_run(folder: Path, record: dict[str, Any]) -> dict[str, float]:
    arrays, values = read_tensors(folder / "runs" / record["run"] / record["predictions"]["file"])
    texts, videos = (
        arrays[side] / np.linalg.norm(arrays[side], axis=1, keepdims=True) for side in ("paragraphs", "videos")
    )
    grades = np.zeros((len(GRADES), TEST))
    for query, own in GRADES.items():
        i = values["paragraph_ids"].index(opaque_id("clips", "test", "query", query))
        for video, grade in own.items():
            grades[i, values["video_ids"].index(opaque_id("clips", "test", "video", video))] = grade
    return by_hand(texts @ videos.T, grades)


def test_all_right_answers_count_through_run_rescore_compare_and_board(bench_command: Any, clips: Path) -> None:
    records = [run(bench_command, "random", *metrics(), "--seed", seed) for seed in ("0", "1")]
    expected = [of_run(clips, record) for record in records]
    for record, values in zip(records, expected, strict=True):
        found = {m["name"]: m["value"] for m in record["measurements"]}
        assert {name: found[name] for name in values} == pytest.approx(values)

    folders = [f"runs/{record['run']}" for record in records]
    again = json.loads(bench_command("rescore", *folders, *metrics(), "--json").stdout)
    for record, values in zip(again, expected, strict=True):
        found = {m["name"]: m for m in record["measurements"]}
        assert {name: found[name]["value"] for name in values} == pytest.approx(values)
        assert all(low <= found[name]["value"] <= high for name in values for low, high in [found[name]["ci95"]])

    compared = json.loads(bench_command("compare", *folders, *metrics(), "--json").stdout)["comparisons"]
    for row in compared:
        assert row["a"]["mean"] == pytest.approx(expected[0][row["metric"]])
        assert row["b"]["mean"] == pytest.approx(expected[1][row["metric"]])
    assert {row["n"] for row in compared} == {7, TEST}  # videos that texts describe best, and videos that ask

    bench_command("leaderboard", "add", *folders, "--board", "board")
    bench_command("leaderboard", "build", "--results", "board/results", "-o", "board", *metrics())
    [table] = (clips / "board" / "tables").glob("*.csv")
    assert "Query → video" in (clips / "board" / "clips-retrieval.md").read_text()
    [row] = csv.DictReader(table.read_text().splitlines())  # two seeds, one row
    for name in ASKED:
        assert float(row[name]) == pytest.approx((expected[0][name] + expected[1][name]) / 2)


def test_a_record_that_kept_the_best_answer_only_holds_and_is_made_again_on_request(
    bench_command: Any, clips: Path
) -> None:
    record = run(bench_command, "random")
    folder = clips / "runs" / record["run"]
    evidence, result = folder / record["evidence"]["file"], folder / "result.json"
    arrays, values = read_tensors(evidence)
    evidence.unlink()
    write_tensors(evidence, {way: arrays[way] for way in ("t2v", "v2t")}, values)
    from bench.files import sha256

    text = result.read_text()
    result.unlink()
    result.write_text(text.replace(record["evidence"]["sha256"], sha256(evidence)))

    assert "every measurement is the same" in bench_command("rescore", folder).stderr
    refused = bench_command("compare", folder, folder, "--metric", "t2v/nDCG@4", exit_code=2).stderr
    assert "`bench rescore --write RUN` counts them" in refused
    bench_command("rescore", "--write", folder)
    made = f"{folder}-rescored"
    [row] = json.loads(bench_command("compare", made, made, "--metric", "t2v/nDCG@4", "--json").stdout)["comparisons"]
    assert row["a"]["mean"] == pytest.approx(of_run(clips, record)["t2v/nDCG@4"])


def test_scores_from_elsewhere_count_all_right_answers(bench_command: Any) -> None:
    folder: Path = bench_command.folder
    scores = np.random.default_rng(5).normal(size=(7, TEST)).astype(np.float32)
    grades = np.zeros((7, TEST))
    for i, own in enumerate(GRADES.values()):
        for video, grade in own.items():
            grades[i, int(video[1:])] = grade
    np.save(folder / "scores.npy", scores)
    (folder / "right.json").write_text(json.dumps([np.flatnonzero(row).tolist() for row in grades]))
    matrix = ("score", "retrieval", "--similarity", "scores.npy", "--ids", "right.json", *metrics(), "--json")
    found = {m["name"]: m["value"] for m in json.loads(bench_command(*matrix).stdout)["measurements"]}
    values = by_hand(scores, (grades > 0).astype(float))
    assert {name: found[name] for name in values} == pytest.approx(values)

    listed = [f"q{i} Q0 v{j} 0 {scores[i, j]} me" for i in range(7) for j in range(TEST)]
    (folder / "run.txt").write_text("\n".join(listed) + "\n")
    judged = [f"{query} 0 {video} {grade}" for query, own in GRADES.items() for video, grade in own.items()]
    (folder / "qrels.txt").write_text("\n".join(judged) + "\n")
    asked = ("t2v/nDCG@4", "t2v/P@3")
    trec = ("score", "retrieval", "--run", "run.txt", "--qrels", "qrels.txt", *metrics(asked), "--json")
    found = {m["name"]: m["value"] for m in json.loads(bench_command(*trec).stdout)["measurements"]}
    values = by_hand(scores, grades)
    assert {name: found[name] for name in asked} == pytest.approx({name: values[name] for name in asked})


def test_captions_in_a_ranked_list_are_resampled_by_their_video(bench_command: Any) -> None:
    """Four captions a video, found or not together: the interval is that of five videos, not of twenty captions."""
    folder: Path = bench_command.folder
    listed = [f"v{i}#{k} Q0 v{i if i < 3 else 9} 0 1 me" for i in range(5) for k in range(4)]
    (folder / "run.txt").write_text("\n".join(listed) + "\n")
    judged = [f"v{i}#{k} 0 v{i} 1" for i in range(5) for k in range(4)]
    (folder / "qrels.txt").write_text("\n".join(judged) + "\n")
    done = bench_command("score", "retrieval", "--run", "run.txt", "--qrels", "qrels.txt", "--json").stdout
    first = json.loads(done)["measurements"][0]
    assert (first["name"], first["value"], first["n"]) == ("t2v/R@1", 60.0, 20)
    assert first["ci95"] == [20.0, 100.0]


def test_queries_and_judgements_are_counted_and_named(bench_command: Any, clips: Path) -> None:
    said = bench_command("data", "verify", "clips").stdout
    assert "clips: test: 10 videos, 20 captions" in said
    assert "clips: test: queries.json asks 7 queries, no captions" in said
    assert "clips: test: judged.txt judges 22 pairs, 21 of them right, graded 1 to 3" in said
    assert "7 of 7 texts have a right video, 7 of them several; 10 of 10 videos are right for a text" in said
    told = bench_command("info", "clips").stdout
    assert f"asks: the queries of {clips / 'queries.json'}" in told
    assert f"right are: the videos that {clips / 'judged.txt'} judges so" in told
    record = run(bench_command, "random")
    assert record["data"]["n_evaluated"] == record["data"]["n_expected"] == TEST
    assert "|text=query|hits=any|" in record["signature"]
    assert "10 videos, 7 queries" in bench_command("run", "-m", "random", "-t", "clips-retrieval").stdout


def test_verify_names_judgements_of_what_is_not_there(bench_command: Any, clips: Path) -> None:
    (clips / "judged.txt").write_text("q99 0 v1 1\n")
    assert (
        "text 'q99' is not in test of dataset 'clips'" in bench_command("data", "verify", "clips", exit_code=4).stderr
    )


def test_a_limit_takes_videos_and_the_queries_that_ask_for_them(bench_command: Any, clips: Path) -> None:
    """Three of ten videos: a query of which no right video is left asks nothing, as the captions of left-out videos."""
    record = run(bench_command, "random", "--limit", "3")
    _, values = read_tensors(clips / "runs" / record["run"] / record["predictions"]["file"])
    names = {opaque_id("clips", "test", "video", f"v{i}"): f"v{i}" for i in range(TEST)}
    kept = {names[video] for video in values["video_ids"]}
    asked = {query for query, own in GRADES.items() if own.keys() & kept}
    assert 0 < len(asked) < len(GRADES)
    assert set(values["paragraph_ids"]) == {opaque_id("clips", "test", "query", query) for query in asked}
    assert (record["status"], record["data"]["n_evaluated"], record["data"]["n_expected"]) == ("partial", 3, TEST)
    assert {m["n"] for m in record["measurements"] if m["name"].startswith("t2v/")} == {len(asked)}
    counted = sum(video in own for own in GRADES.values() for video in kept)
    evidence, _ = read_tensors(clips / "runs" / record["run"] / record["evidence"]["file"])
    assert evidence["t2v"][:, 2].sum() == evidence["v2t"][:, 2].sum() == counted
    bench_command("rescore", f"runs/{record['run']}")


def test_a_limit_that_leaves_no_right_video_says_so(bench_command: Any, clips: Path) -> None:
    first = min((opaque_id("clips", "test", "video", f"v{i}"), f"v{i}") for i in range(TEST))[1]
    (clips / "judged.txt").write_text(f"q0 0 {'v1' if first == 'v0' else 'v0'} 1\n")
    refused = bench_command("run", "-m", "random", "-t", "clips-retrieval", "--limit", "1", exit_code=4).stderr
    assert "none of the 1 video taken of test is right for a text. Take more: a higher --limit" in refused
    assert run(bench_command, "random")["status"] == "complete"

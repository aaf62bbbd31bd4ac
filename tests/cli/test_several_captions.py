"""Several captions a video: how they are asked must be said, stands in the signature, and is what is ranked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.data.digests import opaque_id
from bench.files import read_tensors

TRAIN, TEST, DIM = 30, 12, 12
CONFIG = """
version: 1
datasets:
  clips:
    reader: activitynet
    root: .
    features: frames
    segments: none
    splits: {train: {file: captions.json, take: [0, 30]}, test: {file: captions.json, take: [30, 42]}}
features:
  frames: {reader: npz, path: frames.npz, extractor: toy}
"""
SMALL = ("--set", "epochs=2", "--set", "hidden=8", "--set", "word_dim=8")


def counts() -> list[int]:
    return [1 + (i * 7) % 5 for i in range(TRAIN + TEST)]


@pytest.fixture
def clips(bench_command):
    """Returns a function that declares how the captions of a dataset of 1 to 5 captions a video are asked."""
    folder: Path = bench_command.folder
    captions = {f"v{i:02}": [f"a{i % 7} b{i % 5} says c{k} again" for k in range(n)] for i, n in enumerate(counts())}
    (folder / "captions.json").write_text(json.dumps(captions))
    rng = np.random.default_rng(0)
    names = np.array([f"v{i:02}" for i in range(TRAIN + TEST)])
    np.savez(folder / "frames.npz", video_id=names, features=rng.normal(size=(len(names), 5, DIM)))

    def declare(how: str = "", more: str = "") -> None:
        lines = (f"    captions: {how}\n" if how else "") + more
        (folder / "bench.yaml").write_text(CONFIG.replace("    segments: none\n", f"    segments: none\n{lines}"))

    declare("each")
    return declare


def run(bench_command, *arguments: str) -> dict:
    return json.loads(bench_command("run", *arguments, "--json").stdout)[0]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def of_run(bench_command, record: dict) -> tuple[np.ndarray, list[str], list[int]]:
    """Returns the cosines of a run by hand, captions by videos, with the ids of videos and each caption's video."""
    arrays, values = read_tensors(bench_command.folder / "runs" / record["run"] / record["predictions"]["file"])
    texts, videos = (
        arrays[side] / np.linalg.norm(arrays[side], axis=1, keepdims=True) for side in ("paragraphs", "videos")
    )
    owners = {}
    for i, n in enumerate(counts()[TRAIN:], TRAIN):
        for k in range(n):
            owners[opaque_id("clips", "test", "caption", f"v{i:02}#{k}")] = opaque_id(
                "clips", "test", "video", f"v{i:02}"
            )
    return (
        texts @ videos.T,
        values["video_ids"],
        [values["video_ids"].index(owners[t]) for t in values["paragraph_ids"]],
    )


@pytest.mark.parametrize("model", ["fse", "hse", "mean-pool"])
def test_each_caption_is_a_query_and_any_of_a_videos_captions_is_right(bench_command, clips, model) -> None:
    more = (
        ("--set", "candidates=0.01/0.1/8", "--set", "epochs=2", "--set", "word_dim=8")
        if model == "mean-pool"
        else SMALL
    )
    record = run(bench_command, "-m", model, "-t", "clips-retrieval", *more)
    cosines, _, owners = of_run(bench_command, record)

    own = cosines[np.arange(len(owners)), owners]
    ranks = (cosines > own[:, None]).sum(axis=1)
    found = {m["name"]: m for m in record["measurements"]}
    assert found["t2v/R@1"]["n"] == sum(counts()[TRAIN:])
    for k in (1, 5):
        assert found[f"t2v/R@{k}"]["value"] == pytest.approx(100.0 * (ranks < k).mean(), abs=1e-6)

    any_hit = []
    for video in range(TEST):
        mine = np.array(owners) == video
        any_hit.append((cosines[~mine, video] > cosines[mine, video].max()).sum())
    assert found["v2t/any-hit R@1"]["value"] == pytest.approx(100.0 * (np.array(any_hit) < 1).mean())
    assert found["v2t/any-hit R@5"]["value"] == pytest.approx(100.0 * (np.array(any_hit) < 5).mean())
    assert "|text=caption|" in record["signature"]
    assert record["data"]["n_evaluated"] == TEST


@pytest.mark.parametrize("how", ["each", "together"])
def test_videos_are_counted_once_however_many_captions_they_have(bench_command, clips, how) -> None:
    clips(how)
    done = bench_command("run", "-m", "fse", "-t", "clips-retrieval", *SMALL)
    captions = f", {sum(counts()[:TRAIN])} captions" if how == "each" else ""
    assert f"fitting fse on {TRAIN} videos of clips{captions}\n" in done.stderr
    assert f"clips-retrieval on clips, test, {TEST} videos" in done.stdout


def test_how_captions_are_asked_must_be_said(bench_command, clips) -> None:
    clips()
    refused = bench_command("run", "-m", "random", "-t", "clips-retrieval", exit_code=4)
    assert "captions: each" in refused.stderr
    assert "together" in refused.stderr
    # The advice works, in bench.yaml or for one task.
    assert "|text=caption|" in run(bench_command, "-m", "random", "-t", "clips-retrieval:captions=each")["signature"]
    clips("together")
    together = run(bench_command, "-m", "random", "-t", "clips-retrieval")
    assert "|text=captions-together|" in together["signature"]
    assert next(m["n"] for m in together["measurements"] if m["name"] == "t2v/R@1") == TEST


def test_captions_each_of_described_segments_are_refused(bench_command, clips) -> None:
    clips("each")
    config = bench_command.folder / "bench.yaml"
    config.write_text(config.read_text().replace("segments: none", "segments: gt"))
    assert "describe segments" in bench_command("list", "tasks", exit_code=2).stderr


def test_one_caption_a_video_needs_no_word(bench_command, clips) -> None:
    folder = bench_command.folder
    (folder / "captions.json").write_text(json.dumps({f"v{i:02}": [f"word{i}"] for i in range(TRAIN + TEST)}))
    clips()
    said = run(bench_command, "-m", "fse", "-t", "clips-retrieval", *SMALL)
    clips("each")
    declared = run(bench_command, "-m", "fse", "-t", "clips-retrieval", *SMALL)
    assert said["signature"] == declared["signature"]
    assert said["measurements"] == declared["measurements"]


def test_a_gallery_may_hold_videos_that_no_caption_asks_for_and_captions_may_be_right_for_several(
    bench_command, clips
) -> None:
    judged = ["v30#0 0 v30 1", "v30#0 0 v31 1", "v33#1 0 v33 0"]
    (bench_command.folder / "judged.txt").write_text("\n".join(judged) + "\n")
    clips("each", "    relevance: judged.txt\n")
    record = run(bench_command, "-m", "random", "-t", "clips-retrieval")
    arrays, _ = read_tensors(bench_command.folder / "runs" / record["run"] / record["evidence"]["file"])
    total = sum(counts()[TRAIN:])
    assert sorted(arrays["t2v"][:, 2].tolist()) == [1] * (total - 2) + [2]  # one with two videos, one asks nothing
    assert bench_command("rescore", f"runs/{record['run']}")

    (bench_command.folder / "judged.txt").write_text("v30#9 0 v30 1\n")
    assert "v30#9" in bench_command("run", "-m", "random", "-t", "clips-retrieval", exit_code=4).stderr


def test_queries_of_their_own_ask_among_the_videos(bench_command, clips) -> None:
    folder = bench_command.folder
    (folder / "queries.json").write_text(json.dumps({"q1": "word30 says", "q2": ["a", "word35"], "q3": "nobody"}))
    (folder / "judged.txt").write_text("q1 0 v30 1\nq2 0 v35 2\nq2 0 v36 1\n")
    clips("each", "    queries: queries.json\n    relevance: judged.txt\n")
    record = run(bench_command, "-m", "fse", "-t", "clips-retrieval", *SMALL)
    found = {m["name"]: m["n"] for m in record["measurements"]}
    assert found["t2v/any-hit R@1"] == 2
    assert record["data"]["n_evaluated"] == TEST
    arrays, _ = read_tensors(folder / "runs" / record["run"] / record["evidence"]["file"])
    assert len(arrays["v2t"]) == 3  # the videos that a query asks for


def test_two_models_are_compared_and_stand_on_a_board(bench_command, clips) -> None:
    names = [
        run(bench_command, "-m", model, "-t", "clips-retrieval", *more)["run"]
        for model, more in (("fse", SMALL), ("random", ()))
    ]
    bench_command("rescore", *(f"runs/{name}" for name in names))
    compared = bench_command("compare", *(f"runs/{name}" for name in names)).stdout
    assert "t2v/R@1" in compared
    bench_command("leaderboard", "add", *(f"runs/{name}" for name in names), "--board", "board")
    bench_command("leaderboard", "build", "--results", "board/results", "--output", "board")
    page = (bench_command.folder / "board" / "clips-retrieval.md").read_text()
    assert "Caption → video" in page
    assert "every caption asked by itself" in page
    assert f"{TEST} videos" in page
    assert f"{sum(counts()[TRAIN:])} captions" in page

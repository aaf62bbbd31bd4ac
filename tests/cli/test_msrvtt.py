"""MSR-VTT from its official files, declared in bench.yaml alone: 20 captions a video, and the form with one each.

The files are a stand-in of 200 videos, made here; the numbers of captions are unequal where a test says so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data.digests import opaque_id
from bench.files import read_tensors

TRAIN, TEST, DIM = 160, 40, 12
NAMES = [f"video{i}" for i in range(TRAIN + TEST)]
CONFIG = """
version: 1
datasets:
  msrvtt:
    reader: captions
    root: .
    features: frames
    captions: each
    splits:
      train: {file: videodatainfo.json, part: train}
      test: {file: videodatainfo.json, part: test}
  one-ka:
    reader: captions
    root: .
    features: frames
    captions: each
    splits:
      train: {file: videodatainfo.json, ids: train_9k.csv}
      test: {file: JSFUSION_test.csv}
features:
  frames: {reader: npz, path: frames.npz, extractor: toy}
"""
MODELS = {
    "fse": ("hidden=8", "word_dim=8", "epochs=1", "batch=256"),
    "hse": ("hidden=8", "word_dim=8", "epochs=1", "batch=256"),
    "mean-pool": ("candidates=0.01/0.1/8", "word_dim=8", "epochs=1", "batch=256"),
}


def captions_of(video: int, unequal: bool) -> list[str]:
    return [f"a{video % 11} does b{video % 7} c{k}" for k in range(1 + (video * 7) % 20 if unequal else 20)]


def write(folder: Path, *, unequal: bool = False) -> None:
    """Writes videodatainfo.json, sentences of all videos mixed, with the lists and the table of 1k-A beside it."""
    videos = [
        {
            "category": 1,
            "url": "https://example.org",
            "video_id": name,
            "start time": 10.0,
            "end time": 25.5,
            "split": "train" if i < TRAIN else "test",
            "id": i,
        }
        for i, name in enumerate(NAMES)
    ]
    said = [
        {"caption": text, "video_id": name, "sen_id": 0}
        for i, name in enumerate(NAMES)
        for text in captions_of(i, unequal)
    ]
    said = [said[i] for i in np.random.default_rng(1).permutation(len(said))]
    whole = {"info": {"year": "2016"}, "videos": videos, "sentences": said}
    (folder / "videodatainfo.json").write_text(json.dumps(whole))
    (folder / "train_9k.csv").write_text("\n".join(["video_id", *NAMES[:TRAIN]]) + "\n")
    rows = [f"ret{i},msr{i},{name},a{i % 11} does b{i % 7}" for i, name in enumerate(NAMES[TRAIN:], TRAIN)]
    (folder / "JSFUSION_test.csv").write_text("\n".join(["key,vid_key,video_id,sentence", *rows]) + "\n")
    features = np.random.default_rng(0).normal(size=(len(NAMES), 4, DIM))
    np.savez(folder / "frames.npz", video_id=np.array(NAMES), features=features)
    (folder / "bench.yaml").write_text(CONFIG)


def run(bench_command: Any, model: str, task: str) -> dict[str, Any]:
    settings = [part for setting in MODELS.get(model, ()) for part in ("--set", setting)]
    return dict(json.loads(bench_command("run", "-m", model, "-t", task, *settings, "--json").stdout)[0])


def by_hand(folder: Path, record: dict[str, Any], dataset: str, counts: dict[str, int]) -> dict[str, float]:
    """Returns R@1, R@5 and R@10 of both directions and conventions from the vectors that a run saved."""
    arrays, values = read_tensors(folder / "runs" / record["run"] / record["predictions"]["file"])
    texts, videos = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in map(arrays.get, SIDES))
    place = {video: i for i, video in enumerate(values["video_ids"])}
    owner = {
        opaque_id(dataset, "test", "caption", f"{video}#{k}"): place[opaque_id(dataset, "test", "video", video)]
        for video, n in counts.items()
        for k in range(n)
    }
    own = np.array([owner[text] for text in values["paragraph_ids"]])
    scores = texts @ videos.T
    above = (scores > scores[np.arange(len(own)), own][:, None]).sum(axis=1)
    any_hit, best_caption = [], []
    for video in range(len(videos)):
        mine = scores[own == video, video].max()
        any_hit.append((scores[own != video, video] > mine).sum())
        others = [scores[own == other, video].max() for other in range(len(videos)) if other != video]
        best_caption.append((np.array(others) > mine).sum())
    several = max(counts.values()) > 1
    found = {"t2v/": above, "v2t/any-hit " if several else "v2t/": np.array(any_hit)}
    found |= {"v2t/best-caption ": np.array(best_caption)} if several else {}
    return {f"{way}R@{k}": 100.0 * float((ranks < k).mean()) for way, ranks in found.items() for k in (1, 5, 10)}


SIDES = ("paragraphs", "videos")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("unequal", [False, True])
def test_every_caption_asks_and_both_ways_are_as_computed_by_hand(
    bench_command: Any, model: str, unequal: bool
) -> None:
    write(bench_command.folder, unequal=unequal)
    record = run(bench_command, model, "msrvtt-retrieval")
    counts = {NAMES[i]: len(captions_of(i, unequal)) for i in range(TRAIN, TRAIN + TEST)}
    measured = {m["name"]: m["value"] for m in record["measurements"]}
    for name, value in by_hand(bench_command.folder, record, "msrvtt", counts).items():
        assert measured[name] == pytest.approx(value, abs=1e-9), name
    assert next(m["n"] for m in record["measurements"] if m["name"] == "t2v/R@1") == sum(counts.values())
    assert "|segments=none|text=caption|hits=any+best-caption|" in record["signature"]


@pytest.mark.parametrize("model", ["fse", "mean-pool"])
def test_the_form_with_one_caption_each(bench_command: Any, model: str) -> None:
    write(bench_command.folder)
    record = run(bench_command, model, "one-ka-retrieval")
    counts = dict.fromkeys(NAMES[TRAIN:], 1)
    measured = {m["name"]: m["value"] for m in record["measurements"]}
    for name, value in by_hand(bench_command.folder, record, "one-ka", counts).items():
        assert measured[name] == pytest.approx(value, abs=1e-9), name
    assert "|text=caption|" in record["signature"]
    assert "hits=" not in record["signature"]


def test_two_models_are_compared_and_stand_on_a_board(bench_command: Any) -> None:
    write(bench_command.folder, unequal=True)
    runs = [f"runs/{run(bench_command, model, 'msrvtt-retrieval')['run']}" for model in ("mean-pool", "random")]
    compared = bench_command("compare", *runs, "--json").stdout
    assert set(re.findall(r'"n": ([0-9]+)', compared)) == {str(TEST)}  # videos, not captions
    bench_command("rescore", *runs)
    bench_command("leaderboard", "add", *runs, "--board", "board")
    bench_command("leaderboard", "build", "--results", "board/results", "--output", "board")
    page = (bench_command.folder / "board" / "msrvtt-retrieval.md").read_text()
    n_captions = sum(len(captions_of(i, True)) for i in range(TRAIN, TRAIN + TEST))
    assert f"{n_captions} captions" in page


def test_verify_says_which_form_was_taken(bench_command: Any) -> None:
    write(bench_command.folder)
    said = bench_command("data", "verify", "msrvtt", "one-ka").stdout
    assert "train: read as MSR-VTT form, split train" in said
    assert "test: read as columns video_id and sentence" in said
    assert "train: 160 videos, 3,200 captions" in said


def declared(bench_command: Any, old: str, new: str) -> str:
    config = bench_command.folder / "bench.yaml"
    config.write_text(CONFIG.replace(old, new))
    return str(bench_command("data", "verify", "msrvtt", exit_code=4).stderr)


def test_a_part_that_is_not_there_is_named_with_those_that_are(bench_command: Any) -> None:
    write(bench_command.folder)
    assert "no part 'tests'. Parts: test, train" in declared(bench_command, "part: test}", "part: tests}")
    assert "names no parts" in declared(
        bench_command, "test: {file: videodatainfo.json, part: test}", "test: {file: JSFUSION_test.csv, part: test}"
    )


def test_captions_without_files_of_splits_are_refused(bench_command: Any) -> None:
    write(bench_command.folder)
    config = bench_command.folder / "bench.yaml"
    config.write_text(CONFIG[: CONFIG.index("    splits:")] + CONFIG[CONFIG.index("features:\n  frames") :])
    assert "Name the file of each split" in bench_command("list", "tasks", exit_code=2).stderr


def test_times_of_youcook2_stay_segments(bench_command: Any) -> None:
    folder = bench_command.folder
    write(folder)
    steps = [{"id": k, "segment": [4 * k, 4 * k + 4], "sentence": f"step {k} a{k}"} for k in range(3)]
    database = {
        name: {"subset": "training" if i < TRAIN else "validation", "duration": 15.0, "annotations": steps[: 1 + i % 3]}
        for i, name in enumerate(NAMES)
    }
    (folder / "cook.json").write_text(json.dumps({"database": database}))
    text = CONFIG.replace("videodatainfo.json, part: train", "cook.json, part: training")
    text = text.replace("videodatainfo.json, part: test", "cook.json, part: validation")
    (folder / "bench.yaml").write_text(text)
    assert "Say segments: gt" in bench_command("data", "verify", "msrvtt", exit_code=4).stderr
    text = text.replace(
        "    captions: each\n    splits:\n      train: {file: cook",
        "    segments: gt\n    splits:\n      train: {file: cook",
    )
    (folder / "bench.yaml").write_text(text)
    record = run(bench_command, "count-only", "msrvtt-retrieval")
    assert "|segments=gt|text=paragraph|" in record["signature"]
    assert record["data"]["n_evaluated"] == TEST

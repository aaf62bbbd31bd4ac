"""MSR-VTT from its official files, declared in bench.yaml alone: 20 captions a video, and the form with one each.

The files are a stand-in of 200 videos, made here; the numbers of captions are unequal where a test says so.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data.digests import opaque_id
from bench.evidence.verification import measured as measured_of
from bench.files import read_tensors
from bench.results import Evidence

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
    "random": (),
}
TASK = "msrvtt-retrieval"
FURTHER = ("v2t/any-hit R@3", "v2t/best-caption R@3", "v2t/P@5", "v2t/nDCG@5", "t2v/nDCG@10")


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
    """Returns what is measured in both directions, by both conventions, from the vectors that a run saved."""
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
    any_hit, best_caption, right = [], [], []
    for video in range(len(videos)):
        mine = scores[own == video, video].max()
        any_hit.append((scores[own != video, video] > mine).sum())
        others = [scores[own == other, video].max() for other in range(len(videos)) if other != video]
        best_caption.append((np.array(others) > mine).sum())
        right.append((own == video)[np.argsort(-scores[:, video])])
    several = max(counts.values()) > 1
    ranks = {"t2v/": above, "v2t/any-hit " if several else "v2t/": np.array(any_hit)}
    ranks |= {"v2t/best-caption ": np.array(best_caption)} if several else {}
    found = {f"{way}R@{k}": 100.0 * float((own < k).mean()) for way, own in ranks.items() for k in (1, 3, 5, 10)}
    discounts = 1 / np.log2(np.arange(len(own)) + 2)
    best = [discounts[: min(5, hits.sum())].sum() for hits in right]
    gains = [(hits[:5] * discounts[:5]).sum() for hits in right]
    found["t2v/nDCG@10"] = 100.0 * float(np.where(above < 10, discounts[above], 0.0).mean())
    found["v2t/nDCG@5"] = 100.0 * float(np.mean(np.array(gains) / best))
    found["v2t/P@5"] = 100.0 * float(np.mean([hits[:5].sum() / 5 for hits in right]))
    return found


SIDES = ("paragraphs", "videos")


@dataclass(frozen=True)
class Trained:
    """Four models trained and ranked on the stand-in with all captions."""

    command: Any
    records: dict[str, dict[str, Any]]
    counts: dict[str, int]

    def runs(self, *models: str) -> list[str]:
        return [f"runs/{self.records[model]['run']}" for model in models]

    def hand(self, model: str) -> dict[str, float]:
        return by_hand(self.command.folder, self.records[model], "msrvtt", self.counts)


@pytest.fixture(scope="module", params=[False, True], ids=["twenty captions each", "unequal numbers"])
def trained(bench_in: Any, tmp_path_factory: Any, request: Any) -> Trained:
    folder = tmp_path_factory.mktemp("msrvtt")
    write(folder, unequal=request.param)
    counts = {NAMES[i]: len(captions_of(i, request.param)) for i in range(TRAIN, TRAIN + TEST)}
    command = bench_in(folder)
    return Trained(command, {model: run(command, model, TASK) for model in MODELS}, counts)


@pytest.mark.slow
def test_every_caption_asks_and_both_ways_are_as_computed_by_hand(trained: Trained) -> None:
    for model, record in trained.records.items():
        measured = {m["name"]: m["value"] for m in record["measurements"]}
        hand = trained.hand(model)
        for name in measured.keys() & hand.keys():
            assert measured[name] == pytest.approx(hand[name], abs=1e-9), (model, name)
        assert {"t2v/R@1", "v2t/any-hit R@10", "v2t/best-caption R@10"} <= measured.keys() & hand.keys()
        assert next(m["n"] for m in record["measurements"] if m["name"] == "t2v/R@1") == sum(trained.counts.values())
        assert "|segments=none|text=caption|hits=any+best-caption|" in record["signature"]


@pytest.mark.slow
def test_both_conventions_of_v2t_follow_from_one_evidence_under_names_that_say_which(trained: Trained) -> None:
    for model, record in trained.records.items():
        evidence = Evidence.load(trained.command.folder / "runs" / record["run"] / record["evidence"]["file"])
        found = {m.name: m.value for m in measured_of(evidence, FURTHER)}
        hand = trained.hand(model)
        assert {name: found[name] for name in FURTHER} == pytest.approx({name: hand[name] for name in FURTHER})
        assert not {"v2t/R@1", "v2t/any-hit P@5", "v2t/best R@1"} & {m.name for m in measured_of(evidence, ["v2t/R@1"])}
    apart = [trained.hand(model) for model in MODELS]
    assert any(hand["v2t/any-hit R@5"] != hand["v2t/best-caption R@5"] for hand in apart)


@pytest.mark.slow
@pytest.mark.parametrize("a", ["hse", "fse"])
@pytest.mark.parametrize("b", ["mean-pool", "random"])
def test_trained_models_are_compared_video_by_video(trained: Trained, a: str, b: str) -> None:
    asked = [part for name in ("t2v/R@1", "v2t/best-caption R@5", *FURTHER) for part in ("--metric", name)]
    rows = json.loads(trained.command("compare", *trained.runs(a, b), *asked, "--json").stdout)["comparisons"]
    first, second = trained.hand(a), trained.hand(b)
    for row in rows:
        assert row["n"] == TEST, row["metric"]  # videos, not captions
        assert row["difference"] == pytest.approx(first[row["metric"]] - second[row["metric"]], abs=1e-9)
    assert len(rows) == 2 + len(FURTHER)


@pytest.mark.slow
def test_all_of_them_stand_on_one_board(trained: Trained) -> None:
    runs, asked = trained.runs(*MODELS), [part for name in FURTHER for part in ("--metric", name)]
    trained.command("rescore", *runs)
    trained.command("leaderboard", "add", *runs, "--board", "board")
    trained.command("leaderboard", "build", "--results", "board/results", "--output", "board", *asked)
    [table] = (trained.command.folder / "board" / "tables").glob("*.csv")
    rows = {row["model"]: row for row in csv.DictReader(table.read_text().splitlines())}
    assert rows.keys() == MODELS.keys()
    for model, row in rows.items():
        for name, value in trained.hand(model).items():
            if name in row:
                assert float(row[name]) == pytest.approx(value, abs=1e-6), (model, name)
        assert {"t2v/R@1", "v2t/any-hit R@5", "v2t/best-caption R@5", *FURTHER} <= row.keys()
    page = (trained.command.folder / "board" / f"{TASK}.md").read_text()
    assert f"{TEST} videos, {sum(trained.counts.values()):,} captions" in page
    assert "Caption → video" in page


@pytest.mark.parametrize("model", ["fse", "mean-pool"])
def test_the_form_with_one_caption_each(bench_command: Any, model: str) -> None:
    write(bench_command.folder)
    record = run(bench_command, model, "one-ka-retrieval")
    counts = dict.fromkeys(NAMES[TRAIN:], 1)
    measured = {m["name"]: m["value"] for m in record["measurements"]}
    hand = by_hand(bench_command.folder, record, "one-ka", counts)
    assert {"t2v/R@1", "v2t/R@10"} <= measured.keys() & hand.keys()
    for name in measured.keys() & hand.keys():
        assert measured[name] == pytest.approx(hand[name], abs=1e-9), name
    assert "|text=caption|" in record["signature"]
    assert "hits=" not in record["signature"]


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

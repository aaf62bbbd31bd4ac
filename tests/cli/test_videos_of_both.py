"""`bench compare` of two runs of which one lost videos: ranked again on the videos of both, and it says so.

The scores are counted again here from the saved predictions by a loop of our own.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bench.files import read_tensors

VIDEOS = [f"v{i:02}" for i in range(14)]
LOST = ("v03", "v08", "v11")
Record = dict[str, Any]


def declare(bench_command: Any, lost: tuple[str, ...] = (), **entries: Any) -> None:
    """Writes 14 videos of one to three captions, and the features of those that are not lost."""
    folder: Path = bench_command.folder
    said = {video: [f"caption {k} of {video}" for k in range(1 + i % 3)] for i, video in enumerate(VIDEOS)}
    (folder / "captions.json").write_text(json.dumps(said))
    there = [video for video in VIDEOS if video not in lost]
    rows = [np.random.default_rng(int(video[1:])).normal(size=(3, 4)) for video in there]
    np.savez(folder / "rows.npz", video_id=np.array(there), features=np.array(rows, np.float32))
    entry = {"reader": "captions", "root": ".", "features": "rows", "captions": "each", "missing": "exclude"}
    entry |= {"splits": {"test": {"file": "captions.json"}}} | entries
    features = {"reader": "npz", "path": "rows.npz", "extractor": "toy"}
    written = {"version": 1, "datasets": {"mine": entry}, "features": {"rows": features}}
    (folder / "bench.yaml").write_text(yaml.safe_dump(written))


def run(bench_command: Any, seed: int, task: str = "mine-retrieval", model: str = "random") -> Record:
    arguments = ("run", "-m", model, "-t", task, "--seed", str(seed), "--no-resume", "--json")
    found: Record = json.loads(bench_command(*arguments).stdout)[0]
    return found


def folder_of(bench_command: Any, record: Record) -> Path:
    folder: Path = bench_command.folder / "runs" / record["run"]
    return folder


def opaque(kind: str, name: str) -> str:
    return sha256("\0".join(("mine", "test", kind, name)).encode()).hexdigest()[:16]


def recalls(bench_command: Any, record: Record, videos: list[str], k: int) -> dict[str, float]:
    """Returns R@k of a run among some videos and their captions, by loops over its saved embeddings."""
    arrays, values = read_tensors(folder_of(bench_command, record) / record["predictions"]["file"])
    vectors = {}
    for side in ("video", "paragraph"):
        rows = arrays[f"{side}s"].astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        vectors |= dict(zip(values[f"{side}_ids"], rows, strict=True))
    texts = [(f"{video}#{n}", video) for video in videos for n in range(1 + VIDEOS.index(video) % 3)]
    score = {
        (name, video): float(vectors[opaque("caption", name)] @ vectors[opaque("video", video)])
        for name, _ in texts
        for video in videos
    }
    found = {"t2v": 0, "any": 0, "best": 0}
    for name, own in texts:
        found["t2v"] += 1 + sum(score[name, video] > score[name, own] for video in videos) <= k
    for own in videos:
        best = max(score[name, own] for name, video in texts if video == own)
        found["any"] += 1 + sum(score[name, own] > best for name, video in texts if video != own) <= k
        highest = [max(score[name, own] for name, video in texts if video == other) for other in videos]
        found["best"] += 1 + sum(one > best for one in highest) <= k
    return {
        f"t2v/R@{k}": 100 * found["t2v"] / len(texts),
        f"v2t/any-hit R@{k}": 100 * found["any"] / len(videos),
        f"v2t/best-caption R@{k}": 100 * found["best"] / len(videos),
    }


@pytest.mark.parametrize("policy", ["exclude", "penalise"])
def test_both_are_ranked_again_among_the_videos_of_both(bench_command: Any, policy: str) -> None:
    declare(bench_command)
    whole = run(bench_command, 0)
    declare(bench_command, LOST, missing=policy)
    fewer = run(bench_command, 1)
    a, b = folder_of(bench_command, whole), folder_of(bench_command, fewer)
    found = json.loads(bench_command("compare", a, b, "--json").stdout)
    assert found["common"] == {"videos": 11, "left_out": [3, 0]}
    kept = [video for video in VIDEOS if video not in LOST]
    rows = {row["metric"]: row for row in found["comparisons"]}
    for k in (1, 5):
        expected = (recalls(bench_command, record, kept, k) for record in (whole, fewer))
        for side, values in zip("ab", expected, strict=True):
            for name, value in values.items():
                assert rows[name][side]["mean"] == pytest.approx(value), (name, side)
    said = bench_command("compare", b, a).stdout
    assert "compared on the 11 that both were evaluated on, ranked again among these alone" in said
    assert "left out: 0 of A, 3 of B." in said


def test_two_that_lost_different_videos_are_compared_on_what_is_left_of_both(bench_command: Any) -> None:
    declare(bench_command, LOST[:1])
    a = folder_of(bench_command, run(bench_command, 0))
    declare(bench_command, LOST[1:])
    b = folder_of(bench_command, run(bench_command, 0))
    found = json.loads(bench_command("compare", a, b, "--json").stdout)
    assert found["common"] == {"videos": 11, "left_out": [2, 1]}
    assert all(row["difference"] == 0.0 for row in found["comparisons"]), "one model, one seed, one set of videos"


def test_equal_videos_need_no_dataset(bench_command: Any) -> None:
    declare(bench_command, LOST)
    a, b = (folder_of(bench_command, run(bench_command, seed)) for seed in (0, 1))
    (bench_command.folder / "bench.yaml").unlink()
    assert json.loads(bench_command("compare", a, b, "--json").stdout)["common"] is None


def two(bench_command: Any) -> tuple[Path, Path]:
    declare(bench_command)
    a = folder_of(bench_command, run(bench_command, 0))
    declare(bench_command, LOST)
    return a, folder_of(bench_command, run(bench_command, 1))


def test_without_predictions_ranks_of_other_galleries_are_not_compared(bench_command: Any) -> None:
    a, b = two(bench_command)
    (b / json.loads((b / "result.json").read_text())["predictions"]["file"]).unlink()
    said = bench_command("compare", a, b, exit_code=6).stderr
    assert "on those of both their predictions would have to be ranked again" in said
    assert "is missing; the record names it. Restore it." in said


def test_other_captions_are_another_test(bench_command: Any) -> None:
    a, b = two(bench_command)
    captions = bench_command.folder / "captions.json"
    captions.write_text(captions.read_text().replace("caption 0 of v00", "other words"))
    said = bench_command("compare", a, b, exit_code=6).stderr
    assert "mine test of bench.yaml is not what" in said
    assert "by --config" in said


def test_sets_of_other_names_stay_apart(bench_command: Any) -> None:
    declare(bench_command)
    a = folder_of(bench_command, run(bench_command, 0))
    declare(bench_command, LOST, splits={"val": {"file": "captions.json"}}, test="val")
    b = folder_of(bench_command, run(bench_command, 0))
    assert "different test sets" in bench_command("compare", a, b, exit_code=6).stderr


def test_other_features_still_need_to_be_asked_for(bench_command: Any) -> None:
    declare(bench_command)
    a = folder_of(bench_command, run(bench_command, 0))
    declare(bench_command, LOST)
    config = bench_command.folder / "bench.yaml"
    config.write_text(config.read_text().replace("extractor: toy", "extractor: other"))
    b = folder_of(bench_command, run(bench_command, 0))
    assert "--across" in bench_command("compare", a, b, exit_code=6).stderr
    assert "left out: 3 of A" in bench_command("compare", a, b, "--across").stdout


def test_a_limit_is_no_loss_of_videos(bench_command: Any) -> None:
    declare(bench_command)
    a = folder_of(bench_command, run(bench_command, 0))
    done = bench_command("run", "-m", "random", "-t", "mine-retrieval", "--limit", "6", "--json")
    b = folder_of(bench_command, json.loads(done.stdout)[0])
    assert "different test sets" in bench_command("compare", a, b, exit_code=6).stderr


def test_classes_are_compared_on_the_videos_of_both(bench_command: Any) -> None:
    lines = ["video_id,subset,labels,duration", *(f"{v},test,c{i % 2},3" for i, v in enumerate(VIDEOS))]
    entry = {"reader": "labels", "splits": {"test": {"file": "labels.csv"}}}
    del entry["splits"]
    for seed, lost in ((0, ()), (1, LOST)):
        declare(bench_command, lost, **entry)
        config = bench_command.folder / "bench.yaml"
        written = yaml.safe_load(config.read_text())
        for key in ("captions", "splits"):
            del written["datasets"]["mine"][key]
        config.write_text(yaml.safe_dump(written))
        (bench_command.folder / "labels.csv").write_text("\n".join([*lines, "fit,train,c0,3"]) + "\n")
        run(bench_command, seed, "mine-zero-shot")
    a, b = sorted((bench_command.folder / "runs").glob("random--mine-zero-shot*"))
    found = json.loads(bench_command("compare", a, b, "--json").stdout)
    assert sorted([*found["common"]["left_out"], found["common"]["videos"]]) == [0, 3, 11]
    assert {row["n"] for row in found["comparisons"]} == {11}

"""Sets like those of MSR-VTT and MSVD through a run, both directions and both conventions, beside loops of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
import yaml

from bench.files import read_tensors

VIDEOS = [f"v{i:02}" for i in range(12)]


def opaque(kind: str, name: str) -> str:
    return sha256("\0".join(("mine", "test", kind, name)).encode()).hexdigest()[:16]


def ranks_by_loops(score: dict[tuple[str, str], float], owners: dict[str, str]) -> dict[str, list[int]]:
    """Returns the rank of each query: a caption among videos; a video among captions, any of its own being right; a
    video among videos, each of which counts by its best caption."""
    ranks: dict[str, list[int]] = {"t2v/": [], "v2t/any-hit ": [], "v2t/best-caption ": []}
    for text, own in owners.items():
        ranks["t2v/"].append(1 + sum(score[text, video] > score[text, own] for video in VIDEOS))
    for video in VIDEOS:
        best = {other: max(score[text, video] for text, own in owners.items() if own == other) for other in VIDEOS}
        wrong = [score[text, video] for text, own in owners.items() if own != video]
        ranks["v2t/any-hit "].append(1 + sum(one > best[video] for one in wrong))
        ranks["v2t/best-caption "].append(1 + sum(one > best[video] for one in best.values()))
    return ranks


@pytest.mark.parametrize(
    ("like", "captions"),
    [("1k-A", lambda i: 1), ("MSR-VTT", lambda i: 20), ("MSVD", lambda i: 1 + (5 * i) % 7)],
)
def test_a_run_counts_what_loops_count(bench_command: Any, like: str, captions: Callable[[int], int]) -> None:
    folder = bench_command.folder
    said = {video: [f"caption {k} of {video}" for k in range(captions(i))] for i, video in enumerate(VIDEOS)}
    (folder / "captions.json").write_text(json.dumps(said))
    rows = np.random.default_rng(0).normal(size=(len(VIDEOS), 3, 4)).astype(np.float32)
    np.savez(folder / "rows.npz", video_id=np.array(VIDEOS), features=rows)
    entry = {"reader": "captions", "root": ".", "features": "rows", "captions": "each"}
    entry |= {"splits": {"test": {"file": "captions.json"}}}
    features = {"rows": {"reader": "npz", "path": "rows.npz", "extractor": "toy"}}
    written = {"version": 1, "datasets": {"mine": entry}, "features": features}
    (folder / "bench.yaml").write_text(yaml.safe_dump(written))
    (record,) = json.loads(bench_command("run", "-m", "random", "-t", "mine-retrieval", "--json").stdout)

    arrays, values = read_tensors(folder / "runs" / record["run"] / record["predictions"]["file"])
    vectors: dict[str, np.ndarray] = {}
    for side in ("video", "paragraph"):
        unit = arrays[f"{side}s"] / np.linalg.norm(arrays[f"{side}s"].astype(np.float64), axis=1, keepdims=True)
        vectors |= dict(zip(values[f"{side}_ids"], unit, strict=True))
    owners = {f"{video}#{k}": video for video in VIDEOS for k in range(len(said[video]))}
    score = {
        (text, video): float(vectors[opaque("caption", text)] @ vectors[opaque("video", video)])
        for text in owners
        for video in VIDEOS
    }
    found = {one["name"]: one for one in record["measurements"]}
    for head, ranks in ranks_by_loops(score, owners).items():
        if like == "1k-A" and head == "v2t/best-caption ":
            continue  # one caption each: both conventions are one
        name = head.replace("any-hit ", "") if like == "1k-A" else head
        for k in (1, 5, 10):
            assert found[f"{name}R@{k}"]["value"] == pytest.approx(100 * np.mean(np.array(ranks) <= k)), name
        assert found[f"{name}MedR"]["value"] == float(np.floor(np.median(np.array(ranks) - 1)) + 1)
        assert found[f"{name}MeanR"]["value"] == pytest.approx(np.mean(ranks))
        assert found[f"{name}R@1"]["n"] == len(ranks)

"""Records for tests of the leaderboard: valid results with their evidence files, varied field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.evidence.verification import measured
from bench.files import sha256
from bench.results import Evidence, Result

N = 200


def record(**changes: Any) -> dict[str, Any]:
    """Returns a result as JSON. Keys of `changes` are dotted paths with `__` for the dot: `model__name="x"`.

    Its numbers are made to follow from its evidence by `save`; of the measurements, R@1 and MedR say what they become.
    """
    names = ["R@1", "R@5", "R@10", "R@50", "MedR", "MeanR"]
    value: dict[str, Any] = {
        "schema": "bench-result/1",
        "run": "toy--anet-retrieval--s0",
        "model": {
            "name": "toy",
            "summary": "a model",
            "paper": "",
            "distribution": "toy 1.0",
            "revision": 1,
            "settings": {},
            "provides": ["VideoTextEncoder"],
            "uses_segments": True,
            "control": False,
        },
        "task": {"name": "anet-retrieval", "version": 2, "dataset": "anet", "split": "val_1"},
        "data": {
            "kind": "generated",
            "label": "sample (generated)",
            "annotations": {"val_1": "c" * 64},
            "features": {"extractor": "sample", "dim": 64, "stride": "1 row", "digest": "d" * 64},
            "n_expected": N,
            "n_evaluated": N,
        },
        "seed": 0,
        "status": "complete",
        "signature": "anet-retrieval/2|split=val_1|pool=200:bbbbbbbb|segments=gt|text=paragraph"
        "|features=sample-64:dddddddd|ties=expected|dtype=float32|data=generated",
        "primary": "t2v/R@1",
        "measurements": [
            {
                "name": f"{way}/{name}",
                "value": float(10 * (1 + i)) if name.startswith("R@") else 2.0,
                "unit": "percent" if name.startswith("R@") else "rank",
                "higher_is_better": name.startswith("R@"),
                "ci95": [1.0, 90.0],
                "n": N,
            }
            for way in ("t2v", "v2t")
            for i, name in enumerate(names)
        ],
        "evidence": {"file": "evidence.safetensors", "sha256": "0" * 64},
        "predictions": {"file": "predictions.safetensors", "sha256": "0" * 64},
        "provenance": {
            "command": ["bench", "run"],
            "commit": None,
            "dirty": None,
            "versions": {"vtbench": "0.1.0"},
            "hardware": {"cpu": "a processor"},
            "device": "cpu",
            "precision": "fp32",
            "batch_size": 64,
            "threads": 1,
            "started": "2025-01-01T00:00:00Z",
            "seconds": {"fit": 0.0, "predict": 1.0, "score": 1.0},
            "checkpoint": None,
        },
    }
    for path, new in changes.items():
        *parents, last = path.split("__")
        place = value
        for parent in parents:
            place = place[parent]
        place[last] = new
    return value


def with_values(value: dict[str, Any], **numbers: float) -> dict[str, Any]:
    """Sets measurements; `t2v_R1=40.0` stands for t2v/R@1."""
    names = {name.replace("/", "_").replace("@", ""): name for name in (m["name"] for m in value["measurements"])}
    for short, number in numbers.items():
        for measurement in value["measurements"]:
            if measurement["name"] == names[short]:
                measurement["value"] = number
    return value


def counts_of(r1: float, median: float, turned: int = 0) -> np.ndarray:
    """Returns (N, 3) uint32 counts with R@1 = `r1` percent, and the rank `median` for all other queries.

    The queries that are found start at `turned`.
    """
    greater = np.full(N, int(median) - 1)
    greater[: round(N * r1 / 100)] = 0
    return np.stack([np.roll(greater, turned), np.zeros(N), np.ones(N)], axis=1).astype(np.uint32)


def save(folder: Path, value: dict[str, Any], *, turned: int = 0, directions: tuple[str, ...] = ("t2v", "v2t")) -> Path:
    """Writes a run folder: evidence with the R@1 and MedR of `value`, and result.json with what follows from it."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = {measurement["name"]: measurement["value"] for measurement in value["measurements"]}
    counts = {way: counts_of(asked[f"{way}/R@1"], asked[f"{way}/MedR"], turned) for way in directions}
    pool = next(part for part in value["signature"].split("|") if part.startswith("pool=")).partition(":")[2]
    found = Evidence(counts, pool[0] * 64, dict.fromkeys(directions, N))
    value["measurements"] = [m.model_dump(mode="json") for m in measured(found) if m.name in asked]
    evidence = folder / value["evidence"]["file"]
    found.save(evidence)
    value["evidence"]["sha256"] = sha256(evidence)
    path = folder / "result.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def load(value: dict[str, Any]) -> Result:
    return Result.model_validate(value)

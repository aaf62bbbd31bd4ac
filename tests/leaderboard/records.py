"""Records for tests of the leaderboard: valid results with their evidence files, varied field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.files import sha256
from bench.results import Evidence, Result

POOL = "b" * 64


def record(**changes: Any) -> dict[str, Any]:
    """Returns a result as JSON. Keys of `changes` are dotted paths with `__` for the dot: `model__name="x"`."""
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
        "task": {"name": "anet-retrieval", "version": 1, "dataset": "anet", "split": "val_1"},
        "data": {
            "kind": "generated",
            "label": "sample (generated)",
            "annotations": {"val_1": "c" * 64},
            "features": {"extractor": "sample", "dim": 64, "stride": "1 row", "digest": "d" * 64},
            "n_expected": 3,
            "n_evaluated": 3,
        },
        "seed": 0,
        "status": "complete",
        "signature": "anet-retrieval/1|split=val_1|pool=3:bbbbbbbb|segments=gt|features=sample-64:dddddddd"
        "|ties=expected|dtype=float32|data=generated",
        "primary": "t2v/R@1",
        "measurements": [
            {
                "name": f"{way}/{name}",
                "value": float(10 * (1 + i)) if name.startswith("R@") else 2.0,
                "unit": "percent" if name.startswith("R@") else "rank",
                "higher_is_better": name.startswith("R@"),
                "ci95": [1.0, 90.0],
                "n": 3,
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


def save(folder: Path, value: dict[str, Any]) -> Path:
    """Writes a run folder: evidence.safetensors, and result.json with the evidence's digest."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.array([[0, 0, 1], [1, 0, 1], [2, 0, 1]], dtype=np.uint32)
    evidence = folder / value["evidence"]["file"]
    Evidence({"t2v": counts, "v2t": counts}, POOL, {"t2v": 3, "v2t": 3}).save(evidence)
    value["evidence"]["sha256"] = sha256(evidence)
    path = folder / "result.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def load(value: dict[str, Any]) -> Result:
    return Result.model_validate(value)

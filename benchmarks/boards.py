"""Times building a leaderboard from made-up records: reading, checking, tiers, comparisons, pictures, pages.

python benchmarks/boards.py
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from timing import processor, table

from bench.files import sha256
from bench.metrics.retrieval import measure
from bench.results import Evidence

DIGEST = "d" * 64


def write_record(folder: Path, task: str, model: str, seed: int, counts: dict[str, np.ndarray]) -> None:
    """Writes a record of a retrieval run whose numbers follow from `counts`, with its evidence."""
    n, run = len(counts["t2v"]), f"{model}--{task}--s{seed}"
    evidence = Evidence(counts, "b" * 64, dict.fromkeys(counts, n))
    path = folder / f"{run}.evidence.safetensors"
    evidence.save(path)
    value: dict[str, Any] = {
        "schema": "bench-result/1", "run": run, "seed": seed, "status": "complete", "primary": "t2v/R@1",
        "model": {
            "name": model, "summary": "made up", "paper": "", "distribution": "made-up 1.0", "revision": 1,
            "settings": {"hidden": 128}, "provides": ["VideoTextEncoder"], "uses_segments": True, "control": False,
        },
        "task": {"name": task, "version": 1, "dataset": "made-up", "split": "val_1"},
        "data": {
            "kind": "generated", "label": "made up", "annotations": {"val_1": DIGEST}, "n_expected": n,
            "n_evaluated": n, "features": {"extractor": "none", "dim": 1, "stride": "1 row", "digest": DIGEST},
        },
        "signature": f"{task}/1|split=val_1|pool={n}:bbbbbbbb|segments=gt|features=none-1:dddddddd|data=generated",
        "measurements": [measurement.model_dump() for measurement in measure(evidence)],
        "evidence": {"file": path.name, "sha256": sha256(path)}, "predictions": None,
        "provenance": {
            "command": ["bench", "run"], "commit": None, "dirty": None, "versions": {}, "hardware": {"cpu": "made up"},
            "device": "cpu", "precision": "fp32", "batch_size": 64, "threads": 1, "started": "2025-01-01T00:00:00Z",
            "seconds": {"fit": 0.0, "predict": 1.0 + seed, "score": 1.0}, "checkpoint": None,
        },
    }  # fmt: skip
    (folder / f"{run}.json").write_text(json.dumps(value), encoding="utf-8")


def made_up(rng: np.random.Generator, n: int, skill: float) -> np.ndarray:
    """Returns (n, 3) uint32 counts in which a share `skill` of the queries is found at once."""
    above = np.where(rng.random(n) < skill, 0, rng.integers(1, n, n))
    return np.stack([above, np.zeros(n), np.ones(n)], axis=1).astype(np.uint32)


def main() -> None:
    """Prints one table: CPU and wall seconds of the whole command, and what it wrote."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--models", type=int, default=200, help="models on each task")
    parser.add_argument("--seeds", type=int, default=1, help="records of each model on each task")
    parser.add_argument("--queries", type=int, default=1000, help="videos of each task")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        board = Path(name)
        for task in (f"task{number}-retrieval" for number in range(asked.tasks)):
            folder = board / "results" / task
            folder.mkdir(parents=True)
            for model in range(asked.models):
                skill = rng.random()
                for seed in range(asked.seeds):
                    counts = {way: made_up(rng, asked.queries, skill) for way in ("t2v", "v2t")}
                    write_record(folder, task, f"model-{model:03d}", seed, counts)
        command = [sys.executable, "-m", "bench", "leaderboard", "build", "--results", board / "results", "-o", board]
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - wall
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        page = max(path.stat().st_size for path in board.glob("*.html")) / 1024
        records = asked.tasks * asked.models * asked.seeds
        print(processor())
        print(done.stdout.strip().partition(":")[0])
        print(table([("records", "CPU s", "wall s", "largest page, kB"), (str(records), cpu, wall, page)]))


if __name__ == "__main__":
    main()

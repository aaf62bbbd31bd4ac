"""Runs of retrieval whose every rank is known: videos point at degrees, and texts say at which."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from cli.conftest import install
from cli.test_retrieved_examples import MODEL

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: rows
    splits: {test: {file: captions.json}}
features:
  rows: {reader: npy-folder, path: rows, extractor: toy}
"""
STEP = 1.5
"""Degrees between neighbouring videos."""


def site_of(folder: Path) -> Path:
    """Returns a folder in which the model `dial` is installed."""
    folder.mkdir()
    (folder / "dial.py").write_text(MODEL)
    return install(folder / "site", folder / "dial.py", "dial-models")


def described(ids, points, second="The dial's at rest."):
    """Returns annotations: video i stands at `points[i]` of the texts, in two segments of ten and five seconds."""
    return {
        name: {
            "duration": 20.0,
            "timestamps": [[0.0, 10.0], [12.5, 17.5]],
            "sentences": [f"It is number {point:g} now.", second],
        }
        for name, point in zip(ids, points, strict=True)
    }


def ran(bench, site, annotations, *options):
    """Returns the folders of finished runs of `dial` and of `random` on the annotations."""
    folder = bench.folder
    (folder / "captions.json").write_text(json.dumps(annotations))
    (folder / "bench.yaml").write_text(CONFIG)
    (folder / "rows").mkdir()
    for i, name in enumerate(annotations):
        np.save(folder / "rows" / f"{name}.npy", np.array([[STEP * i, 1.0]], dtype=np.float32))
    done = bench("run", "-m", "dial", "-m", "random", "-t", "mine-retrieval", "--json", *options, path=site)
    return [f"runs/{record['run']}" for record in json.loads(done.stdout)]

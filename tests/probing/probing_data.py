"""Real data that probes are compared on: digits, which ship with scikit-learn, and THUMOS14 where it is shared."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.probing.choice import normalised

Split = tuple[np.ndarray, list[tuple[int, ...]]]
FOLDER = "data/thumos14_r2plus1d"


def digits(shared: Callable[[str], Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns rows and labels for training, then for testing."""
    from sklearn.datasets import load_digits

    rows, labels = load_digits(return_X_y=True)
    rows, test = normalised(rows), np.arange(len(rows)) % 3 > 0
    return rows[~test], labels[~test], rows[test], labels[test]


def thumos14(shared: Callable[[str], Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns rows and main labels of the validation videos, then of the test videos."""
    training, testing = thumos14_videos(shared)
    return training[0], np.array([o[0] for o in training[1]]), testing[0], np.array([o[0] for o in testing[1]])


def thumos14_videos(shared: Callable[[str], Path]) -> tuple[Split, Split]:
    """Returns normalised rows and all labels, the most frequent first, of validation and of test videos."""
    import h5py

    names = json.loads(shared(f"{FOLDER}/thumos14_action_label_mapping.json").read_text())
    splits = []
    with h5py.File(shared(f"{FOLDER}/r2plus1d_34-max_gvf.h5")) as features:
        for split in ("valid", "test"):
            found: dict[str, Counter[str]] = defaultdict(Counter)
            with gzip.open(shared(f"{FOLDER}/thumos14_{split}_tsp_groundtruth.csv.gz"), "rt") as file:
                for row in csv.DictReader(file):
                    if row["action-label"]:
                        found[row["video-name"]][row["action-label"]] += 1
            ids = [video for video in features if video in found]
            rows = normalised(np.stack([features[video][:] for video in ids]))
            splits.append((rows, [tuple(list(names).index(n) for n, _ in found[v].most_common()) for v in ids]))
    return splits[0], splits[1]

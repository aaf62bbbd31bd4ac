"""ActivityNet Captions, and any other annotations in its form."""

from __future__ import annotations

from functools import partial

from bench.data.dataset import Dataset
from bench.data.spec import DatasetDeclaration

SPLITS = {"train": "train", "val_1": "val_1", "val_2": "val_2"}
"""Official splits and the stem of the file each is in."""


def open_dataset(declaration: DatasetDeclaration) -> Dataset:
    """Returns the dataset that bench.yaml declares with `reader: activitynet`. Raises: DataError, ConfigError."""
    from bench.data.opening import open_generated
    from bench.data.sample import anet_split

    return open_generated(declaration, {split: partial(anet_split, split) for split in SPLITS})

"""DiDeMo. The official files are not read yet; the generated sample in DiDeMo form is."""

from __future__ import annotations

from functools import partial

from bench.data.dataset import Dataset
from bench.data.spec import DatasetDeclaration
from bench.errors import ConfigError

SPLITS = {"train": "train_data", "val": "val_data", "test": "test_data"}
"""Official splits and the stem of the file each is in."""


def open_dataset(declaration: DatasetDeclaration) -> Dataset:
    """Returns the dataset that bench.yaml declares with `reader: didemo`. Raises: ConfigError for official files."""
    from bench.data.opening import open_generated
    from bench.data.sample import didemo_split

    if declaration.root is not None or declaration.splits:
        raise ConfigError(
            f"datasets.{declaration.name}: reader 'didemo' opens the generated sample only. Write 'root: sample', or "
            "convert the annotations to ActivityNet Captions form and write 'reader: activitynet'."
        )
    return open_generated(declaration, {split: partial(didemo_split, split) for split in SPLITS})

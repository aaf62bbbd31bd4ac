"""The features of a dataset's splits, looked at before anything is computed with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.data.declared import ExaminedFeatures

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.data.features.row_contents import Progress


def examine(dataset: Dataset, splits: Sequence[str], progress: Progress) -> None:
    """Reads all rows of the videos of `splits` that have features, where that was not done before.

    Raises: MissingData; InvalidData for rows that cannot be used, naming their videos.
    """
    if isinstance(dataset.features, ExaminedFeatures):
        for split in dict.fromkeys(splits):
            dataset.features.examine(_present(dataset, split), progress)


def all_zero(dataset: Dataset, split: str) -> frozenset[str]:
    """Returns the videos of a split whose features are all zeros; none where features are made up."""
    if not isinstance(dataset.features, ExaminedFeatures):
        return frozenset()
    found = dataset.features.examine(_present(dataset, split))
    return frozenset(video_id for video_id, content in found.items() if content.zero)


def _present(dataset: Dataset, split: str) -> list[str]:
    """Returns the videos of a split that have features; all of them where a missing one is an error."""
    ids = dataset.columns(split)["video_id"]
    missing = set() if dataset.declaration.missing == "fail" else set(dataset.features.missing(ids))
    return [video_id for video_id in ids if video_id not in missing]

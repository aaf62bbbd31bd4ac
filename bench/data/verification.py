"""What `bench data verify` reports about an opened dataset."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.data.tables import Tables

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


def report(dataset: Dataset) -> list[str]:
    """Returns counts, oddities put right, duplicate paragraphs and the identity of the features, one fact a line.

    Raises: DataError for a split that cannot be read, a training video in another split, or videos without features.
    """
    lines = [f"{dataset.label}: kind {dataset.kind}"]
    for split in dataset.tables:
        columns = dataset.columns(split)
        sentences = sum(map(len, columns["sentences"]))
        segments = sum(map(len, columns["timestamps"]))
        lines.append(f"{split}: {dataset.count(split):,} videos, {sentences:,} sentences, {segments:,} segments")
        if isinstance(dataset.tables, Tables):
            oddities = dataset.tables.videos(split).oddities
            lines.extend(f"{split}: {count:,} {oddity}" for oddity, count in oddities.items())
        repeated = sum(count - 1 for count in Counter(map(tuple, columns["sentences"])).values())
        if repeated:
            lines.append(f"{split}: {repeated:,} times a paragraph that occurred before, kept")
        if split != "train" and "train" in dataset.tables:
            dataset.check_disjoint(split)
    for split in dataset.tables:
        rows = dataset.features.lengths(dataset.columns(split)["video_id"])
        lines.append(f"{split}: features of every video, {rows.mean():.1f} rows in the mean, {rows.max()} at most")
    identity = dataset.feature_identity(list(dataset.tables))
    lines.append(
        f"features: {identity.extractor}, {identity.dim}-d, stride {identity.stride}, {identity.kind}, "
        f"sha256 {identity.digest[:16]}…"
    )
    return lines

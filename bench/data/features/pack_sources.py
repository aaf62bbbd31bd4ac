"""What a pack is made from: features with the videos to take, and how to tell that their files have changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data.declared import FeatureDeclaration, FeatureIdentity, FeatureSource
from bench.data.features.opening import open_features
from bench.errors import InvalidData, MissingData
from bench.files import digest

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


@dataclass(frozen=True)
class Contents:
    """Features of some videos.

    Attributes:
        name: what the user called them.
        features: where their rows are read.
        ids: (n,) the videos, sorted; all have features.
        path: the file or folder that the rows come from; None when they are made up.
        missing: how many videos were asked for and have no features.
    """

    name: str
    features: FeatureSource
    ids: tuple[str, ...]
    path: Path | None
    missing: int = 0

    @property
    def identity(self) -> FeatureIdentity:
        """What the features are; its digest covers no video."""
        return self.features.identity(())

    @property
    def source(self) -> str:
        """What is packed, in words."""
        return self.path.name if self.path else self.identity.extractor

    def fingerprint(self) -> str:
        """Returns a digest that changes when a file of the source is replaced or written to.

        Size, time of the last change and inode of each file count; for made-up features, what they are made from.

        Raises: InvalidData when the files are gone.
        """
        if self.path is None:
            return self.features.identity(self.ids).digest
        try:
            files = sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]
            found = [(file.name, file.stat()) for file in files]
        except OSError as error:
            raise InvalidData(
                f"{error.filename or self.path} cannot be looked at any more: {error.strerror}. Put it back."
            ) from error
        return digest([[name, stat.st_size, stat.st_mtime_ns, stat.st_ino] for name, stat in found])


def all_of(declaration: FeatureDeclaration) -> Contents:
    """Returns every video that a feature source of bench.yaml holds. Raises: DataError, ConfigError."""
    features = open_features(declaration)
    return Contents(declaration.name, features, tuple(sorted(features.ids())), declaration.path)


def of_dataset(dataset: Dataset, limit: int | None = None) -> Contents:
    """Returns the videos of all splits of a dataset: those that `bench run --limit` uses, or all.

    Raises: MissingData for videos without features, unless the dataset's policy on missing videos allows them.
    """
    wanted = sorted({video_id for split in dataset.tables for video_id in dataset.wanted(split, limit)})
    declaration = dataset.declaration
    missing = set() if declaration.missing == "fail" else set(dataset.features.missing(wanted))
    ids = tuple(video_id for video_id in wanted if video_id not in missing)
    if not ids:
        raise MissingData(f"dataset {dataset.name!r}: none of its {len(wanted)} videos has features to pack.")
    return Contents(dataset.name, dataset.features, ids, declaration.features.path, len(missing))

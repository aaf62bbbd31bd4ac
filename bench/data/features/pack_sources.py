"""What a pack is made from: features with the videos to take, and how to tell that their files have changed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.data.declared import FeatureDeclaration, FeatureIdentity, FeatureSource
from bench.data.features.growing import FramesOfRows
from bench.data.features.opening import open_features
from bench.data.features.pack_format import Made
from bench.errors import InvalidData, MissingData
from bench.files import digest
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    import numpy as np

    from bench.data.dataset import Dataset


@dataclass(frozen=True)
class Packed:
    """One video on its way into a pack.

    Attributes:
        rows: (T, D); None for a video that has none.
        frames: what they were made from; None for rows that were not made here.
        error: why there are no rows.
    """

    rows: np.ndarray | None
    frames: FramesOfRows | None = None
    error: str = ""


class Source(Protocol):
    """What a pack is made from.

    Attributes:
        name: what the user called it.
        doing: what is done, for messages: `packing`, or `extracting`.
        ids: (n,) the videos, sorted.
        lengths: (n,) rows of each; None where they are not known before they are there.
        identity: what the rows are; its digest is not asked for.
        made: what makes them; None for rows that are there already.
        source: what is packed, in words.
        group: videos that are made together: who goes on begins with the first of so many.
    """

    @property
    def name(self) -> str: ...
    @property
    def doing(self) -> str: ...
    @property
    def ids(self) -> tuple[str, ...]: ...
    @property
    def group(self) -> int: ...
    @property
    def lengths(self) -> np.ndarray | None: ...
    @property
    def identity(self) -> FeatureIdentity: ...
    @property
    def made(self) -> Made | None: ...
    @property
    def source(self) -> str: ...

    def fingerprint(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what tells this source from others and from what it was, in JSON; asked again when all is packed.

        `before` is what it said when the pack was begun, {} at the beginning.
        """

    def videos(self, done: int) -> Generator[Packed, None, None]:
        """Yields every video from position `done` on. Raises: DataError for what makes the whole pack useless."""


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

    doing = "packing"
    group = 1
    made = None

    @property
    def lengths(self) -> np.ndarray:
        return self.features.lengths(self.ids)

    @property
    def identity(self) -> FeatureIdentity:
        """What the features are; its digest covers no video."""
        return self.features.identity(())

    @property
    def source(self) -> str:
        """What is packed, in words."""
        return self.path.name if self.path else self.identity.extractor

    def videos(self, done: int) -> Generator[Packed, None, None]:
        """Yields every video from position `done` on. Raises: InvalidData for rows of another shape than was said."""
        for video_id, length in zip(self.ids[done:], self.lengths[done:].tolist(), strict=True):
            rows, expected = self.features.read(video_id), (length, self.features.dim)
            if rows.shape != expected:
                raise InvalidData(
                    f"{self.name}: video {video_id!r} has shape {rows.shape}, expected {expected}. The source has "
                    "changed: delete the unfinished pack and pack again."
                )
            yield Packed(rows)

    def fingerprint(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a digest that changes when a file of the source is replaced or written to.

        Size, time of the last change and inode of each file count; for made-up features, what they are made from.

        Raises: InvalidData when the files are gone.
        """
        if self.path is None:
            return {"rows": self.features.identity(self.ids).digest}
        try:
            files = sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]
            states = [(file.name, file.stat()) for file in files]
        except OSError as error:
            raise InvalidData(
                f"{error.filename or self.path} cannot be looked at any more: {error.strerror}. Put it back."
            ) from error
        return {"files": digest([[name, stat.st_size, stat.st_mtime_ns, stat.st_ino] for name, stat in states])}


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
        raise MissingData(
            f"dataset {dataset.name!r}: none of its {number_of(len(wanted), 'video')} has features to pack."
        )
    return Contents(dataset.name, dataset.features, ids, declaration.features.path, len(missing))

"""Frame features in files, whatever their layout: presence, shape, dimension and finiteness are checked here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from bench.data.declared import FeatureDeclaration, FeatureIdentity
from bench.data.digests import check_id
from bench.data.features.advice import held_in
from bench.data.features.row_contents import Progress, RowContent, RowContents, RowSource
from bench.data.features.shapes import rows_and_dim
from bench.errors import InvalidData, MissingData
from bench.files import digest
from bench.inputs import DataKind
from bench.reading.numbers import number_of

EXTENSIONS = re.compile(r"(\.[a-z][a-z0-9]{1,4})+$")
PREFIX = re.compile(r"^(v[-_]|video[-_]?)")
SEPARATORS = re.compile(r"[-_ .]")


@dataclass(frozen=True)
class MatrixEntry:
    """The features of one video, before they are read: T rows of dimension D in numbers of `dtype`."""

    rows: int
    dim: int
    dtype: np.dtype


class Layout(Protocol):
    """How features lie in a file or folder. Ids have been checked before they come here."""

    def ids(self) -> Iterator[str]:
        """Yields every video that has features, always in the same order."""

    def find(self, video_id: str) -> MatrixEntry | None:
        """Returns what the features of a video are, or None when it has none. Raises: InvalidData."""

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, D), all rows of a video that has features. Raises: InvalidData."""

    def files(self, video_id: str) -> Sequence[Path]:
        """Returns the files that the rows of a video come from. Raises: InvalidData."""


class StoredFeatures:
    """Features read from files by a layout (`bench.data.declared.FeatureSource`)."""

    def __init__(self, declaration: FeatureDeclaration, layout: Layout) -> None:
        """Raises: MissingData when there are no features at all; InvalidData when they cannot be used."""
        self._declaration = declaration
        self._layout = layout
        self._where = f"features {declaration.name!r} ({declaration.path})"
        self._entries: dict[str, MatrixEntry] = {}
        self._dim = declaration.dim or self._found_dim()
        key = (declaration.reader, str(declaration.path and declaration.path.resolve()))
        self._contents = RowContents(RowSource(key, layout.read, layout.files, partial(_size, self._entries)))

    def _found_dim(self) -> int:
        some_id = next(self._layout.ids(), None)
        entry = self._layout.find(some_id) if some_id is not None else None
        if entry is None:
            folder = self._declaration.path
            held = f" ({held_in(folder)})" if folder is not None and folder.is_dir() else ""
            raise MissingData(
                f"{self._where}: no features in the layout {self._declaration.reader!r}{held}. "
                "Check `path` and `reader` under `features:` in bench.yaml."
            )
        return entry.dim

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def kind(self) -> DataKind:
        return "real"

    def ids(self) -> Iterator[str]:
        """Yields every video that has features."""
        return self._layout.ids()

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Returns those of `ids` that have no features. Raises: InvalidData for a wrong dimension or no rows."""
        missing = []
        for video_id in ids:
            if video_id not in self._entries:
                entry = self._layout.find(check_id(video_id, self._where))
                if entry is None:
                    missing.append(video_id)
                else:
                    self._entries[video_id] = self._checked(video_id, entry)
        return tuple(missing)

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) int64, rows of each video.

        Raises: MissingData when some videos have no features; InvalidData for a wrong dimension or no rows.
        """
        missing = self.missing(ids)
        if missing:
            raise missing_videos(self._where, missing, len(ids), self._layout.ids())
        return np.fromiter((self._entries[video_id].rows for video_id in ids), dtype=np.int64, count=len(ids))

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, D) float16 or float32, finite. Raises: MissingData, InvalidData."""
        self.lengths([video_id])
        rows = self._layout.read(video_id)
        if rows.dtype not in (np.float16, np.float32):
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows becomes infinite and is refused below
                rows = rows.astype(np.float32)
        if not np.isfinite(rows).all():
            raise InvalidData(f"{self._where}: video {video_id!r} holds NaN or infinity. Extract its features again.")
        return rows

    def examine(self, ids: Sequence[str], progress: Progress = lambda done, total: None) -> Mapping[str, RowContent]:
        """Returns what the rows of each video are; all are read where that is not known yet (`row_contents`).

        Raises: MissingData when some have no features; InvalidData for rows that cannot be used, naming their videos.
        """
        self.lengths(ids)
        contents = dict(zip(ids, self._contents.of(ids, progress), strict=True))
        refuse_unusable(self._where, contents)
        return contents

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file is not what it was when its rows were looked at."""
        self._contents.check_unchanged()

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        """Returns what these features are.

        The digest is a SHA-256 over the given videos in the order of their ids: id, T, D, number type, and the SHA-256
        of all rows. Raises: MissingData, InvalidData.
        """
        ordered = sorted(ids)
        contents = self.examine(ordered)
        videos = [
            [video_id, self._entries[video_id].rows, self._entries[video_id].dtype.str, contents[video_id].sha256]
            for video_id in ordered
        ]
        return FeatureIdentity(
            extractor=self._declaration.extractor or self._declaration.name,
            dim=self._dim,
            stride=self._declaration.stride,
            digest=digest([self._declaration.reader, self._dim, videos]),
            kind=self.kind,
        )

    def _checked(self, video_id: str, entry: MatrixEntry) -> MatrixEntry:
        reason = ""
        if entry.dim != self._dim:
            reason = f"has dimension {entry.dim}, expected {self._dim}. Extract again, or correct `dim` in bench.yaml."
        elif entry.rows < 1:
            reason = "has no rows. Extract its features again, or leave it out (`ids:` in bench.yaml)."
        elif entry.dtype.kind != "f":
            reason = f"holds {entry.dtype.name}, not floating-point numbers. Write array.astype('float32')."
        if reason:
            raise InvalidData(f"{self._where}: video {video_id!r} {reason}")
        return entry


def _size(entries: Mapping[str, MatrixEntry], video_id: str) -> int:
    entry = entries[video_id]
    return entry.rows * entry.dim * entry.dtype.itemsize


def matrix_entry(shape: tuple[int, ...], dtype: np.dtype, where: str) -> MatrixEntry:
    """Returns the entry of an array of features. Raises: InvalidData for a shape that is no (T, D): see `shapes`."""
    rows, dim = rows_and_dim(shape, where)
    return MatrixEntry(rows=rows, dim=dim, dtype=dtype)


def refuse_unusable(where: str, contents: Mapping[str, RowContent]) -> None:
    """Raises InvalidData, naming the videos, when rows hold NaN or infinity."""
    bad = [f"{video_id} (row {content.unusable})" for video_id, content in contents.items() if content.unusable >= 0]
    if bad:
        first = ", ".join(bad[:3]) + (", …" if len(bad) > 3 else "")
        hold = "holds" if len(bad) == 1 else "hold"
        raise InvalidData(
            f"{where}: {len(bad):,} of {number_of(len(contents), 'video')} {hold} NaN or infinity: {first}. "
            "Extract their features again."
        )


def missing_videos(where: str, missing: Sequence[str], asked: int, held: Iterable[str] = ()) -> MissingData:
    """Returns the error for videos without features: how many, and the first of them.

    Args:
        held: videos that have some; those whose ids differ in prefix, extension, case or separators stand side by side.
    """
    first = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    have = "has" if len(missing) == 1 else "have"
    what = f"{where}: {len(missing):,} of {number_of(asked, 'video')} {have} no features: {first}"
    others = list(held)
    alike = named_alike(missing, others)
    if alike:
        pairs = ", ".join(f"{video_id[:60]!r} is {other[:60]!r} there" for video_id, other in alike[:3])
        return MissingData(
            f"{what}. {len(alike):,} {'seems' if len(alike) == 1 else 'seem'} to be there under another name: {pairs}. "
            "Rename the features, or the ids of the dataset, so that both are alike."
        )
    near = next((other for other in others if missing[0] in other), others[0] if others else "")
    other = f" (there are some of {near[:80]!r}: are the ids the same?)" if near and len(missing) == asked else ""
    return MissingData(
        f"{what}{other}. "
        "Add their features, leave them out of the split (`ids:` in bench.yaml), or declare what to do (`missing:`)."
    )


def named_alike(missing: Iterable[str], held: Iterable[str]) -> list[tuple[str, str]]:
    """Returns those of `missing` whose ids differ in prefix, extension, case or separators from one held, with it."""
    of_key = {_bare(other): other for other in held}
    return [(video_id, of_key[_bare(video_id)]) for video_id in missing if _bare(video_id) in of_key]


def _bare(video_id: str) -> str:
    """Returns what is left of an id without what others write differently: extension, prefix, case, separators."""
    return SEPARATORS.sub("", PREFIX.sub("", EXTENSIONS.sub("", video_id.casefold()))) or video_id

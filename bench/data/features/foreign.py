"""Features that a plugin's reader gives: what they are is said by the reader, and proved by all their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from bench.data.declared import FeatureDeclaration, FeatureIdentity, FeatureSource
from bench.data.features.row_contents import Progress, RowContent, RowContents, RowSource
from bench.errors import InvalidData
from bench.files import digest
from bench.inputs import DataKind

FLOAT32 = 4


class ForeignFeatures:
    """Real features of a plugin's reader; their digest is that of the reader and of all rows."""

    def __init__(self, declaration: FeatureDeclaration, path: Path, source: FeatureSource) -> None:
        self._source = source
        self._path = path
        key = (f"plugin {declaration.loader}", str(path.resolve()))
        self._contents = RowContents(
            RowSource(key, partial(_rows, source), partial(_all_files, path, {}), partial(_size, source))
        )

    @property
    def dim(self) -> int:
        return self._source.dim

    @property
    def kind(self) -> DataKind:
        return self._source.kind

    def ids(self) -> Iterable[str]:
        """Returns every video that has features."""
        return self._source.ids()

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Returns those of `ids` that have no features."""
        return self._source.missing(ids)

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) int64, the number of rows of each video. Raises: MissingData."""
        return self._source.lengths(ids)

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, D), all rows of one video. Raises: MissingData, InvalidData."""
        return self._source.read(video_id)

    def examine(self, ids: Sequence[str], progress: Progress = lambda done, total: None) -> Mapping[str, RowContent]:
        """Returns what the rows of each video are. Raises: MissingData; InvalidData for rows that cannot be used."""
        from bench.data.features.stored import refuse_unusable

        contents = dict(zip(ids, self._contents.of(ids, progress), strict=True))
        refuse_unusable(f"features {self._path}", contents)
        return contents

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file is not what it was when its rows were looked at."""
        self._contents.check_unchanged()

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        """Returns what the reader says, with a digest of that and of all rows of the given videos."""
        said = self._source.identity(ids)
        contents = self.examine(sorted(ids))
        return replace(said, digest=digest([said.digest, [[name, contents[name].sha256] for name in sorted(ids)]]))


def _rows(source: FeatureSource, video_id: str) -> np.ndarray:
    """Returns (T, D), what the reader gives. Raises: InvalidData for anything else than the numbers it promised."""
    rows = np.asarray(source.read(video_id))
    expected = (int(source.lengths([video_id])[0]), source.dim)
    if rows.shape != expected or rows.dtype.kind != "f":
        raise InvalidData(
            f"features of video {video_id!r} are {rows.dtype.name} of shape {rows.shape}; their reader promised "
            f"floating-point numbers of shape {expected}. Correct the plugin, or extract them again."
        )
    return rows


def _size(source: FeatureSource, video_id: str) -> int:
    return int(source.lengths([video_id])[0]) * source.dim * FLOAT32


def _all_files(path: Path, known: dict[Path, tuple[Path, ...]], _: str) -> tuple[Path, ...]:
    """Returns every file of a source: which of them a video comes from, only its reader knows."""
    if path not in known:
        inside = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else []
        known[path] = (path, *inside)
    return known[path]

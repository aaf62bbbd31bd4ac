"""Feature packs: the rows of all videos in one memory-mapped file, which can be checked and is read without copying.

`bench.data.features.pack_format` says what lies in their files; `bench.data.features.packing` writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path

import numpy as np

from bench.data.declared import FeatureDeclaration, FeatureIdentity, VideoFolder
from bench.data.features.pack_format import (
    AGAIN,
    HEADER,
    INDEX,
    LITTLE_ENDIAN,
    ROWS,
    Index,
    check_made,
    pack_digest,
    read_header,
    video_digest,
)
from bench.data.features.row_contents import RowContent
from bench.data.features.stored import missing_videos
from bench.errors import InvalidData, MissingData
from bench.inputs import DataKind


class PackedFeatures:
    """The features in a pack (`bench.data.declared.FeatureSource`); a video's checksum is compared when first read."""

    def __init__(self, name: str, folder: Path, videos: VideoFolder | None = None) -> None:
        """Opens a pack without reading its rows.

        Raises: MissingData when there is no pack; InvalidData when it is truncated, foreign or edited, or was made from
        `videos` otherwise than is declared.
        """
        self._where = f"features {name!r} ({folder})"
        if videos is not None and not folder.exists():
            raise MissingData(
                f"{self._where} are not extracted yet. Extract them: bench features extract {name} (`bench "
                "run --extract` begins with it)."
            )
        self.header = read_header(folder)
        if videos is not None:
            check_made(self._where, self.header, videos)
        self._index = Index.load(folder / INDEX)
        header, index = self.header, self._index
        size, expected = (folder / ROWS).stat().st_size, header.rows * header.row_bytes
        if size != expected:
            raise InvalidData(f"{folder / ROWS} has {size:,} bytes, expected {expected:,}. {AGAIN}")
        counts = (len(index.ids), int(index.lengths.sum()))
        if counts != (header.videos, header.rows) or pack_digest(header, index) != header.digest:
            raise InvalidData(f"{folder}: {INDEX} and {HEADER} do not belong together, or one was edited. {AGAIN}")
        self._place = {video_id: i for i, video_id in enumerate(index.ids)}
        self._ends = np.cumsum(index.lengths)
        self._checked = np.zeros(len(index.ids), dtype=bool)
        mapped = np.memmap(folder / ROWS, LITTLE_ENDIAN[header.dtype], mode="r", shape=(header.rows, header.dim))
        self._rows: np.ndarray = np.asarray(mapped)

    @property
    def dim(self) -> int:
        return self.header.dim

    @property
    def kind(self) -> DataKind:
        return self.header.kind

    def ids(self) -> tuple[str, ...]:
        """Returns every video of the pack."""
        return self._index.ids

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Returns those of `ids` that have no features, in the given order."""
        return tuple(video_id for video_id in ids if video_id not in self._place)

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) int64, rows of each video. Raises: MissingData when some videos have no features."""
        missing = self.missing(ids)
        if missing:
            raise missing_videos(self._where, missing, len(ids), self._index.ids)
        return self._index.lengths[[self._place[video_id] for video_id in ids]]

    def frames_sha256(self, video_id: str) -> str:
        """Returns the SHA-256 of the pixels that a video's rows were made from; "" for rows that were not made here."""
        taken = self._index.taken
        return "" if taken is None else taken.sha256[self._place[video_id]]

    def segment_rows(self, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns segments of each video, (n,) int64, and rows of each segment; None for rows of whole videos."""
        taken = self._index.taken
        if taken is None or not taken.segments.all():
            return None
        ends = np.cumsum(taken.segments)
        places = [self._place[video_id] for video_id in ids]
        rows = [taken.segment_rows[ends[place] - taken.segments[place] : ends[place]] for place in places]
        return taken.segments[places], np.concatenate(rows) if rows else taken.segment_rows[:0]

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, D), a read-only view of the file, finite. Raises: MissingData, InvalidData for changed bytes."""
        if video_id not in self._place:
            raise missing_videos(self._where, [video_id], 1)
        return self._read(self._place[video_id])

    def _read(self, place: int) -> np.ndarray:
        end = int(self._ends[place])
        rows = self._rows[end - int(self._index.lengths[place]) : end]
        if not self._checked[place]:
            if video_digest(rows) != self._index.sha256[place]:
                raise InvalidData(
                    f"{self._where}: the rows of video {self._index.ids[place]!r} have changed since they were packed. "
                    f"{AGAIN}"
                )
            self._checked[place] = True
        return rows

    def examine(
        self, ids: Sequence[str], progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Mapping[str, RowContent]:
        """Returns what the rows of each video are, as the index says; packing refused NaN and infinity."""
        counts = self.lengths(ids).tolist()
        zeros = _digests_of_zeros(set(counts), self.header.row_bytes)
        digests = [self._index.sha256[self._place[video_id]] for video_id in ids]
        return {
            video_id: RowContent(sha256, -1, sha256 == zeros[rows])
            for video_id, sha256, rows in zip(ids, digests, counts, strict=True)
        }

    def check_unchanged(self) -> None:
        """Does nothing: every video is compared with its checksum when it is read."""

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        """Returns what the pack is, whichever of its videos are used. Raises: MissingData for videos it lacks."""
        self.lengths(ids)
        header = self.header
        made = header.made.words() if header.made else {}
        return FeatureIdentity(header.extractor, header.dim, header.stride, header.digest, header.kind, made)

    def check_all(self, progress: Callable[[int, int], None]) -> None:
        """Compares the checksum of every video; `progress(bytes done, bytes in all)`. Raises: InvalidData."""
        for place, end in enumerate(self._ends.tolist()):
            self._read(place)
            progress(end * self.header.row_bytes, self.header.rows * self.header.row_bytes)


def open_pack(declaration: FeatureDeclaration, path: Path) -> PackedFeatures:
    """Returns the features in a pack. Raises: DataError."""
    return PackedFeatures(declaration.name, path, declaration.videos)


def _digests_of_zeros(counts: Set[int], row_bytes: int) -> dict[int, str]:
    """Returns the number of rows -> the digest of a video of that many rows of zeros."""
    state, reached, digests = hashlib.sha256(), 0, {}
    for count in sorted(counts):
        for _ in range(reached, count):
            state.update(bytes(row_bytes))
        reached = count
        digests[count] = state.hexdigest()
    return digests

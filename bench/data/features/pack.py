"""Feature packs: the rows of all videos in one memory-mapped file, which can be checked and is read without copying.

A pack is a folder:

    rows.bin             the rows of all videos, one video after the other in the order of their ids; little-endian
    index.safetensors    ids; `lengths` (n,) int64, rows of each video; `sha256` (n, 32) uint8, of each video's bytes
    pack.json            what the features are: extractor, dimension, number type, stride, kind, source, counts, digest

The digest is the SHA-256 over extractor, dimension, number type, stride, kind and, for each video, id, rows and
SHA-256. It says nothing about how the pack came about: interrupted or not, equal content has equal digests.
Written by `bench.data.features.packing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.data.declared import FeatureDeclaration, FeatureIdentity
from bench.data.digests import check_id
from bench.data.features.row_contents import RowContent
from bench.data.features.stored import missing_videos
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, MissingData
from bench.files import digest, read_tensors, write_tensors
from bench.inputs import DataKind
from bench.reading.outside import shown

FORMAT = "bench-pack/1"
ROWS, INDEX, HEADER = "rows.bin", "index.safetensors", "pack.json"
Dtype = Literal["float16", "float32"]
LITTLE_ENDIAN: Mapping[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}
LARGEST = {"float16": 65520.0, "float32": float("inf")}
"""Numbers from here on round to infinity."""


class Header(BaseModel):
    """What pack.json says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = FORMAT
    extractor: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")]
    dim: Annotated[int, Field(ge=1)]
    dtype: Dtype
    stride: Annotated[str, Field(max_length=200)]
    kind: DataKind
    source: Annotated[str, Field(description="what was packed, in words")]
    videos: Annotated[int, Field(ge=1)]
    rows: Annotated[int, Field(ge=1)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @property
    def row_bytes(self) -> int:
        return self.dim * LITTLE_ENDIAN[self.dtype].itemsize


@dataclass(frozen=True)
class Index:
    """Which video lies where.

    Attributes:
        ids: (n,) video ids, sorted.
        lengths: (n,) int64, rows of each video.
        sha256: (n,) SHA-256 of each video's bytes in rows.bin, 64 hex digits.
    """

    ids: tuple[str, ...]
    lengths: np.ndarray
    sha256: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Writes index.safetensors. Raises: SaveError."""
        digests = np.frombuffer(bytes.fromhex("".join(self.sha256)), dtype=np.uint8).reshape(-1, 32)
        write_tensors(path, {"lengths": self.lengths, "sha256": digests}, {"kind": "pack-index", "ids": self.ids})

    @classmethod
    def load(cls, path: Path) -> Index:
        """Reads what `save` wrote. Raises: InvalidData for any other file, and for ids that no file may have."""
        arrays, values = read_tensors(path)
        nothing = np.empty(0)
        lengths, digests = arrays.get("lengths", nothing), arrays.get("sha256", nothing)
        ids: Any = values.get("ids")
        whole = (
            isinstance(ids, list)
            and (lengths.dtype.str, lengths.shape) == ("<i8", (len(ids),))
            and (digests.dtype.str, digests.shape) == ("|u1", (len(ids), 32))
            and bool((lengths > 0).all())
        )
        if not whole or not all(isinstance(video_id, str) for video_id in ids) or sorted(set(ids)) != ids:
            raise InvalidData(f"{path} is not the index of a pack. Pack the features again: `bench data pack`.")
        for video_id in ids:
            check_id(video_id, str(path))
        return cls(tuple(ids), lengths, tuple(bytes(row).hex() for row in digests))


def pack_digest(header: Header, index: Index) -> str:
    """Returns the digest of a pack's content; `header.digest` itself does not count."""
    said = header.model_dump(include={"format", "extractor", "dim", "dtype", "stride", "kind"})
    return digest([said, list(zip(index.ids, index.lengths.tolist(), index.sha256, strict=True))])


class PackedFeatures:
    """The features in a pack (`bench.data.declared.FeatureSource`); a video's checksum is compared when first read."""

    def __init__(self, name: str, folder: Path) -> None:
        """Opens a pack without reading its rows.

        Raises: MissingData when there is no pack; InvalidData when it is truncated, foreign or edited.
        """
        self._folder = folder
        self._where = f"features {name!r} ({folder})"
        self.header = read_header(folder)
        self._index = Index.load(folder / INDEX)
        header, index = self.header, self._index
        size, expected = (folder / ROWS).stat().st_size, header.rows * header.row_bytes
        if size != expected:
            raise InvalidData(f"{folder / ROWS} has {size:,} bytes, expected {expected:,}. Copy or pack it again.")
        counts = (len(index.ids), int(index.lengths.sum()))
        if counts != (header.videos, header.rows) or pack_digest(header, index) != header.digest:
            raise InvalidData(
                f"{folder}: {INDEX} and {HEADER} do not belong together, or one was edited. Copy or pack it again."
            )
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
            raise missing_videos(self._where, missing, len(ids), self._index.ids[0])
        return self._index.lengths[[self._place[video_id] for video_id in ids]]

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
                    "Copy or pack them again."
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
        return FeatureIdentity(header.extractor, header.dim, header.stride, header.digest, header.kind)

    def check_all(self, progress: Callable[[int, int], None]) -> None:
        """Compares the checksum of every video; `progress(bytes done, bytes in all)`. Raises: InvalidData."""
        for place, end in enumerate(self._ends.tolist()):
            self._read(place)
            progress(end * self.header.row_bytes, self.header.rows * self.header.row_bytes)


def open_pack(declaration: FeatureDeclaration, path: Path) -> PackedFeatures:
    """Returns the features in a pack. Raises: DataError."""
    return PackedFeatures(declaration.name, path)


def as_stored(name: str, video_id: str, values: np.ndarray, dtype: Dtype) -> np.ndarray:
    """Returns rows (T, D) of the features `name` in a pack's number type.

    Raises: InvalidData for NaN, infinity and what becomes it.
    """
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InvalidData(f"{name}: video {video_id!r} holds NaN or infinity. Extract its features again.")
    if max(-low, high) >= LARGEST[dtype]:
        raise InvalidData(
            f"{name}: video {video_id!r} holds {max(low, high, key=abs):g}, and {dtype} ends at 65504. Pack with "
            "--dtype float32."
        )
    return np.ascontiguousarray(values, dtype=LITTLE_ENDIAN[dtype])


def _digests_of_zeros(counts: Set[int], row_bytes: int) -> dict[int, str]:
    """Returns the number of rows -> the digest of a video of that many rows of zeros."""
    state, reached, found = hashlib.sha256(), 0, {}
    for count in sorted(counts):
        for _ in range(reached, count):
            state.update(bytes(row_bytes))
        reached = count
        found[count] = state.hexdigest()
    return found


def video_digest(rows: np.ndarray) -> str:
    """Returns the SHA-256 of the bytes of contiguous rows (T, D)."""
    return hashlib.sha256(memoryview(rows.data).cast("B")).hexdigest()


def read_header(folder: Path) -> Header:
    """Returns what pack.json says. Raises: MissingData, InvalidData."""
    if not folder.is_dir():
        unfinished = folder.with_name(f"{folder.name}.part").is_dir()
        hint = "It is unfinished: go on with `bench data pack`." if unfinished else "Correct `pack` in bench.yaml."
        raise MissingData(f"{folder}: no such pack. {hint}")
    raw = read_json(folder / HEADER, f"a pack: a folder with {HEADER}, {INDEX} and {ROWS}")
    version = raw.get("format") if isinstance(raw, dict) else None
    if version != FORMAT:
        raise InvalidData(
            f"{folder / HEADER} says format {shown(version)}; this bench reads {FORMAT!r}. Pack the features again."
        )
    for name in (INDEX, ROWS):
        if not (folder / name).is_file():
            raise InvalidData(f"{folder} is not a whole pack: {name} is missing. Copy or pack it again.")
    try:
        return Header.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or HEADER
        raise InvalidData(f"{folder / HEADER}: {where}: {first['msg']}. Copy or pack it again.") from None

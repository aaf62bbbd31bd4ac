"""Features in shards of webdataset: tar archives of `<video id>.npy`, `<video id>.npz` or `<video id>.NAME.npy`.

A video's key is what stands before the first dot of a member's name, without folders, as webdataset has it. Where a
video has several arrays, `features` is meant. Members of other endings (.txt, .json, .jpg) are left alone.

Ids that hold times, with their dots, are the exception (LSMDC's end in `_00.00.32.022-00.00.33.000`): webdataset 1.0.2
writes them and reads all clips of an hour as one (findings/webdataset-merges-ids-that-hold-dots.sh). What follows the
first dot is no name of an array there, but the rest of the id.

tarfile of Python tells where the members lie, and each is then read by itself: webdataset reads shards from their
beginning to their end, and its decoders unpickle.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import FEATURES, ArrayFile, meant
from bench.data.features.held import LONGEST_HEADER, WRITE_NPY, held_arrays
from bench.data.features.row_contents import Stamp, stamp
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.errors import InvalidData, MissingData
from bench.reading.outside import TAR, foreign, reading, regular_file

ARRAYS = ("npy", "npz")
PICKLES = ("pth", "pt", "pkl", "pickle", "pyd")
BLOCK = 512
REST_OF_AN_ID = re.compile(r"[0-9]+\.")
"""How what follows the first dot of a name begins where it is no name of an array."""


@dataclass(frozen=True)
class Member:
    """Where an array lies: shard, name, first byte and number of bytes."""

    shard: Path
    name: str
    offset: int
    size: int

    def arrays(self, size: int | None = None) -> ArrayFile:
        """Returns what it holds, or of an npy what its first `size` bytes say. Raises: MissingData, InvalidData."""
        with reading(self.shard, TAR), self.shard.open("rb") as file:
            file.seek(self.offset)
            content = file.read(self.size if size is None else min(size, self.size))
        return held_arrays(f"{self.shard}: {self.name}", content, self.size)


class Shards:
    """One tar archive, or a folder of them."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when there is none; InvalidData for a damaged one, or a video that is in two."""
        shards = sorted(path.glob("*.tar")) if path.is_dir() else [path]
        if not shards:
            raise MissingData(f"{path} holds no .tar. Put the shards there, or correct `path` in bench.yaml.")
        self._opened: dict[Path, Stamp] = {}
        self._members: dict[str, dict[str, Member]] = {}
        pickles: list[str] = []
        for shard in shards:
            regular_file(shard, "Put the shards there, or correct `path` in bench.yaml.")
            if (other := foreign(shard, TAR)) is not None:
                raise other
            self._opened[shard] = stamp([shard])
            pickles += self._take(shard)
        if not self._members:
            held = f"{len(pickles):,} pickles such as {pickles[0]}" if pickles else "no .npy and no .npz"
            raise InvalidData(f"{path} holds {held}; bench opens no pickle. {WRITE_NPY}")

    def _take(self, shard: Path) -> Iterable[str]:
        """Adds the arrays of a shard; returns the names of its pickles."""
        pickles = []
        for member in _members(shard):
            whole = PurePosixPath(member.name)
            key, _, ending = whole.name.partition(".")
            name, _, kind = ending.lower().rpartition(".")
            if REST_OF_AN_ID.match(name):
                key, name = whole.stem, ""
            if kind in PICKLES:
                pickles.append(member.name)
            if kind not in ARRAYS:
                continue
            own = self._members.setdefault(key, {})
            if name in own:
                twin = f"{own[name].name} of {own[name].shard.name}"
                raise InvalidData(f"{shard}: {member.name} is video {key[:60]!r}, as {twin} is. Leave one of them.")
            own[name] = member
        return pickles

    def ids(self) -> Iterator[str]:
        yield from self._members

    def find(self, video_id: str) -> MatrixEntry | None:
        if video_id not in self._members:
            return None
        member = self._member(video_id)
        arrays = member.arrays(LONGEST_HEADER if member.name.lower().endswith("npy") else None)
        where = f"{member.shard}: {member.name}"
        shape, dtype = arrays.entry(meant(where, arrays.names))
        return matrix_entry(shape, dtype, where)

    def read(self, video_id: str) -> np.ndarray:
        member = self._member(video_id)
        where, arrays = f"{member.shard}: {member.name}", member.arrays()
        return as_matrix(arrays.load(meant(where, arrays.names)), where)

    def files(self, video_id: str) -> tuple[Path, ...]:
        shard = self._member(video_id).shard
        if stamp([shard]) != self._opened[shard]:
            raise InvalidData(f"{shard} was changed after it was opened. Wait until it is whole; run again.")
        return (shard,)

    def _member(self, video_id: str) -> Member:
        """Returns the array of a video that is there."""
        own = self._members[video_id]
        if len(own) > 1 and FEATURES not in own:
            held = ", ".join(sorted(member.name for member in own.values())[:10])
            raise InvalidData(
                f"video {video_id[:60]!r} has {held}: which are features? Name them <video id>.{FEATURES}.npy."
            )
        return own[FEATURES] if FEATURES in own else next(iter(own.values()))


def _members(shard: Path) -> Iterator[Member]:
    """Yields the files in an archive. Raises: InvalidData for one that is damaged, cut off or sparse."""
    with reading(shard, TAR), tarfile.open(shard, "r:") as archive:
        for member in archive:
            if member.issparse():
                raise InvalidData(f"{shard}: {member.name} is stored with holes. Write the archive again, without.")
            if member.isreg():
                yield Member(shard, member.name, member.offset_data, member.size)
        end = archive.offset  # tarfile takes what it cannot read for the end
    with reading(shard, TAR), shard.open("rb") as file:
        file.seek(end)
        if any(block := file.read(BLOCK)) or len(block) < BLOCK:
            raise InvalidData(f"{shard} is damaged or cut off at byte {end:,}. Get it again.")


def open_shards(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one shard or a folder of them. Raises: DataError."""
    return StoredFeatures(declaration, Shards(path))

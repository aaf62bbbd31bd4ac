"""Features in an LMDB database: a key for each video, whose value is an npy or npz as np.save and np.savez write them.

Keys such as `__len__` and `__keys__` say something of the database, and are no videos.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import ArrayFile, meant
from bench.data.features.held import LONGEST_HEADER, held_arrays, is_npz
from bench.data.features.row_contents import stamp
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.errors import InvalidData, MissingData
from bench.reading.outside import LMDB, foreign, reading, regular_file

DATA = "data.mdb"
"""The database in a folder that LMDB made."""
_OPEN = Lock()
"""One process may hold a database open once."""


class Database:
    """An LMDB database, opened for each answer: what is open neither outlives a fork nor stands in another's way."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when it is not there, or lmdb is not; InvalidData for one that is damaged or cut off."""
        self._path = path / DATA if path.is_dir() else path
        regular_file(self._path, "Put the database there, or correct `path` in bench.yaml.")
        if (other := foreign(self._path, LMDB)) is not None:
            raise other
        self._opened = stamp([self._path])
        with self._reading() as values, values.cursor() as cursor:
            self._ids = tuple(name for key in cursor.iternext(values=False) if (name := _id(key)))

    def ids(self) -> Iterator[str]:
        yield from self._ids

    def find(self, video_id: str) -> MatrixEntry | None:
        with self._reading() as values:
            value = values.get(video_id.encode())
            if value is None:
                return None
            head = bytes(value[:LONGEST_HEADER])
            size, content = len(value), bytes(value) if is_npz(head) else head
        arrays = self._arrays(video_id, content, size)
        shape, dtype = arrays.entry(meant(self._where(video_id), arrays.names))
        return matrix_entry(shape, dtype, self._where(video_id))

    def read(self, video_id: str) -> np.ndarray:
        with self._reading() as values:
            content = bytes(values.get(video_id.encode()))
        arrays = self._arrays(video_id, content, len(content))
        return as_matrix(arrays.load(meant(self._where(video_id), arrays.names)), self._where(video_id))

    def files(self, video_id: str) -> tuple[Path, ...]:
        if stamp([self._path]) != self._opened:
            raise InvalidData(f"{self._path} was changed after it was opened. Wait until it is whole; run again.")
        return (self._path,)

    def _arrays(self, video_id: str, content: bytes, size: int) -> ArrayFile:
        return held_arrays(self._where(video_id), content, size)

    def _where(self, video_id: str) -> str:
        return f"{self._path}: {video_id!r}"

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """Gives a transaction that reads, whose values are seen where they lie; the file holds every page it counts."""
        try:
            import lmdb
        except ImportError as error:
            raise MissingData(f"reading LMDB needs the package lmdb ({error}): pip install 'vtbench[lmdb]'") from error
        with (
            reading(self._path, LMDB),
            _OPEN,
            lmdb.open(str(self._path), subdir=False, readonly=True, lock=False, create=False, readahead=False) as env,
        ):
            expected = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
            if self._path.stat().st_size < expected:
                raise InvalidData(f"{self._path} is cut off: it has fewer than its {expected:,} bytes. Get it again.")
            with env.begin(buffers=True) as values:
                yield values


def _id(key: Any) -> str:
    """Returns the id that a key is, or "" for what says something of the database, and for bytes that are no text."""
    name = bytes(key).decode("utf-8", "replace")
    return "" if "\ufffd" in name or (name.startswith("__") and name.endswith("__")) else name


def open_lmdb(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from an LMDB database, a file or a folder with data.mdb. Raises: DataError."""
    return StoredFeatures(declaration, Database(path))

"""Features in one HDF5 file, in the two official layouts and in a plain one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.stored import Entry, StoredFeatures, matrix_entry
from bench.errors import InvalidData, MissingData


class Hdf5Layout:
    """An HDF5 file with one dataset (T, D) per video, named by a pattern such as `{}/c3d_features`."""

    def __init__(self, path: Path, pattern: str) -> None:
        """Raises: MissingData when the file is not there; InvalidData when it is no whole HDF5 file."""
        import h5py

        if not path.is_file():
            raise MissingData(f"{path}: no such file. Put the HDF5 file there, or correct `path` in bench.yaml.")
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise InvalidData(
                f"{path} is not a whole HDF5 file ({_one_line(error)}). Download it again, or correct `reader`."
            ) from error
        self._path = path
        self._group, _, self._name = pattern.partition("/")

    def ids(self) -> Iterator[str]:
        head, tail = self._group.split("{}")
        for key in self._file:
            if key.startswith(head) and key.endswith(tail) and len(key) > len(head) + len(tail):
                yield str(key[len(head) : len(key) - len(tail)])

    def find(self, video_id: str) -> Entry | None:
        dataset = self._dataset(video_id)
        where = f"{self._path}: {self._group.format(video_id)!r}"
        return None if dataset is None else matrix_entry(dataset.shape, dataset.dtype, where)

    def read(self, video_id: str) -> np.ndarray:
        return self._rows(video_id, slice(None))

    def sample(self, video_id: str, rows: Sequence[int]) -> bytes:
        return b"".join(self._rows(video_id, row).tobytes() for row in rows)

    def _rows(self, video_id: str, rows: int | slice) -> np.ndarray:
        try:
            return np.asarray(self._dataset(video_id)[rows])
        except OSError as error:
            raise InvalidData(
                f"{self._path}: features of {video_id!r} cannot be read ({_one_line(error)}). Download the file again."
            ) from error

    def _dataset(self, video_id: str) -> Any:
        """Returns the h5py dataset of a video, or None when the file does not know the video."""
        import h5py

        key = self._group.format(video_id)
        try:
            found = self._file.get(key)
            if found is not None and self._name:
                found = found.get(self._name) if isinstance(found, h5py.Group) else None
                if found is None:
                    raise InvalidData(
                        f"{self._path}: {key!r} holds no {self._name!r}: the file has another layout. "
                        "Correct `reader` in bench.yaml."
                    )
        except (OSError, RuntimeError, KeyError) as error:
            raise InvalidData(
                f"{self._path}: {key!r} cannot be opened ({_one_line(error)}). Download the file again."
            ) from error
        if found is not None and not isinstance(found, h5py.Dataset):
            raise InvalidData(
                f"{self._path}: {key!r} is a group, not a dataset: the file has another layout. "
                "Correct `reader` in bench.yaml."
            )
        return found


class PlainLayout(Hdf5Layout):
    """An HDF5 file with one dataset per video under its id: (T, D), or (D,) where a video has a single row."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when the file is not there; InvalidData when it is no whole HDF5 file."""
        super().__init__(path, "{}")

    def find(self, video_id: str) -> Entry | None:
        dataset = self._dataset(video_id)
        if dataset is None or dataset.ndim != 1:
            return super().find(video_id)
        return Entry(rows=1, dim=dataset.shape[0], dtype=dataset.dtype)

    def _rows(self, video_id: str, rows: int | slice) -> np.ndarray:
        single = self._dataset(video_id).ndim == 1
        return super()._rows(video_id, slice(None))[None] if single else super()._rows(video_id, rows)


def open_plain(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features laid out as one HDF5 dataset per video. Raises: DataError."""
    return StoredFeatures(declaration, PlainLayout(path))


def open_c3d(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features laid out as the official ActivityNet C3D file. Raises: DataError."""
    return StoredFeatures(declaration, Hdf5Layout(path, "{}/c3d_features"))


def open_didemo_icep(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features laid out as the official DiDeMo Inception file. Raises: DataError."""
    return StoredFeatures(declaration, Hdf5Layout(path, "{}.npz"))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""Features in NumPy files: a folder with one file per video, or one npz for all. Pickled arrays are refused."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import UNREADABLE, checked_folder, load_array, stored_array, stored_names, unreadable
from bench.data.features.stored import Entry, StoredFeatures, matrix_entry
from bench.errors import InvalidData, MissingData


class NpyFolder:
    """A folder with `<video id>.npy`, an array (T, D) each."""

    def __init__(self, folder: Path) -> None:
        self._folder = checked_folder(folder, "<video id>.npy")

    def ids(self) -> Iterator[str]:
        yield from sorted(path.stem for path in self._folder.glob("*.npy"))

    def find(self, video_id: str) -> Entry | None:
        path = self._folder / f"{video_id}.npy"
        if not path.is_file():
            return None
        rows = self._mapped(video_id)
        return matrix_entry(rows.shape, rows.dtype, str(path))

    def read(self, video_id: str) -> np.ndarray:
        return np.array(self._mapped(video_id))

    def sample(self, video_id: str, rows: Sequence[int]) -> bytes:
        return bytes(self._mapped(video_id)[list(rows)].tobytes())

    def _mapped(self, video_id: str) -> np.ndarray:
        path = self._folder / f"{video_id}.npy"
        try:
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        except UNREADABLE as error:
            raise unreadable(path, error) from error


class IcepFolder:
    """A folder with `<video id>.npz`, each with `frame_scores` (T, 1, D, 1, 1), as ICEP features are published."""

    ARRAY = "frame_scores"

    def __init__(self, folder: Path) -> None:
        self._folder = checked_folder(folder, "<video id>.npz")

    def ids(self) -> Iterator[str]:
        yield from sorted(path.stem for path in self._folder.glob("*.npz"))

    def find(self, video_id: str) -> Entry | None:
        path = self._folder / f"{video_id}.npz"
        if not path.is_file():
            return None
        shape, dtype = stored_array(path, self.ARRAY)
        if len(shape) == 5 and shape[1] == shape[3] == shape[4] == 1:
            shape = (shape[0], shape[2])
        if len(shape) != 2:
            raise InvalidData(
                f"{path}: {self.ARRAY} has shape {shape}, expected (rows, 1, dimension, 1, 1). Download it again."
            )
        return Entry(rows=shape[0], dim=shape[1], dtype=dtype)

    def read(self, video_id: str) -> np.ndarray:
        rows = load_array(self._folder / f"{video_id}.npz", self.ARRAY)
        return rows.reshape(rows.shape[0], -1)

    def sample(self, video_id: str, rows: Sequence[int]) -> bytes:
        """Returns the CRC-32 that the zip file holds of all rows: reading single rows would mean reading all."""
        path = self._folder / f"{video_id}.npz"
        try:
            with zipfile.ZipFile(path) as archive:
                return archive.getinfo(f"{self.ARRAY}.npy").CRC.to_bytes(4, "big")
        except UNREADABLE as error:
            raise unreadable(path, error) from error


class OneNpz:
    """One npz: `video_id` or `ids` (n,), and `features` (n, T, D), or (sum of T, D) with `lengths` (n,)."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when the file is not there; InvalidData when its arrays do not fit together."""
        if not path.is_file():
            raise MissingData(f"{path}: no such file. Put the npz file there, or correct `path` in bench.yaml.")
        names = stored_names(path)
        ids_name = next((name for name in ("video_id", "ids") if name in names), None)
        if ids_name is None or "features" not in names:
            raise InvalidData(
                f"{path} holds {', '.join(sorted(names)) or 'nothing'}, expected `video_id` (or `ids`) and `features`. "
                "Correct `reader` in bench.yaml, or write the file again."
            )
        ids = load_array(path, ids_name)
        features = load_array(path, "features")
        if ids.ndim != 1 or ids.dtype.kind != "U":
            raise InvalidData(
                f"{path}: {ids_name} is {ids.dtype} of shape {ids.shape}, expected (n,) text. Write it again."
            )
        if "lengths" in names:
            parts = self._split(path, features, load_array(path, "lengths"), len(ids))
        elif features.ndim == 3 and len(features) == len(ids):
            parts = list(features)
        else:
            raise InvalidData(
                f"{path}: features of shape {features.shape} do not fit {len(ids)} ids: expected "
                "(ids, rows, dimension), or (sum of rows, dimension) with `lengths`. Write the file again."
            )
        self._rows: dict[str, np.ndarray] = dict(zip(ids.tolist(), parts, strict=True))
        if len(self._rows) < len(ids):
            raise InvalidData(f"{path}: {len(ids) - len(self._rows)} ids occur more than once. Write the file again.")

    @staticmethod
    def _split(path: Path, features: np.ndarray, lengths: np.ndarray, ids: int) -> list[np.ndarray]:
        whole = lengths.shape == (ids,) and lengths.dtype.kind in "iu" and bool((lengths >= 0).all())
        if not whole or features.ndim != 2 or int(lengths.sum()) != len(features):
            raise InvalidData(
                f"{path}: lengths of shape {lengths.shape} do not fit {ids} ids and features of shape "
                f"{features.shape}: expected one whole number per id, together the number of rows. Write it again."
            )
        return np.split(features, np.cumsum(lengths.astype(np.int64))[:-1]) if ids else []

    def ids(self) -> Iterator[str]:
        yield from self._rows

    def find(self, video_id: str) -> Entry | None:
        rows = self._rows.get(video_id)
        return None if rows is None else matrix_entry(rows.shape, rows.dtype, f"features of {video_id!r}")

    def read(self, video_id: str) -> np.ndarray:
        return self._rows[video_id]

    def sample(self, video_id: str, rows: Sequence[int]) -> bytes:
        return self._rows[video_id][list(rows)].tobytes()


def open_npy_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of npy files. Raises: DataError."""
    return StoredFeatures(declaration, NpyFolder(path))


def open_icep_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder laid out as the published ICEP features. Raises: DataError."""
    return StoredFeatures(declaration, IcepFolder(path))


def open_one_npz(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one npz file with ids. Raises: DataError."""
    return StoredFeatures(declaration, OneNpz(path))

"""Features in NumPy files: a folder with one file per video, or one npz for all. Pickled arrays are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import checked_folder, load_array, mapped_array, stored_array, stored_names
from bench.data.features.row_contents import stamp
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.errors import InvalidData
from bench.reading.outside import regular_file


class NpyFolder:
    """A folder with `<video id>.npy`, an array (T, D) each, or of a like shape (`shapes`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = checked_folder(folder, "<video id>.npy")

    def ids(self) -> Iterator[str]:
        yield from sorted(path.stem for path in self._folder.glob("*.npy"))

    def find(self, video_id: str) -> MatrixEntry | None:
        path = self._folder / f"{video_id}.npy"
        if not path.exists():
            return None
        rows = mapped_array(path)
        return matrix_entry(rows.shape, rows.dtype, str(path))

    def read(self, video_id: str) -> np.ndarray:
        return np.array(self._mapped(video_id))

    def files(self, video_id: str) -> tuple[Path, ...]:
        return (self._folder / f"{video_id}.npy",)

    def _mapped(self, video_id: str) -> np.ndarray:
        path = self._folder / f"{video_id}.npy"
        return as_matrix(mapped_array(path), str(path))


class IcepFolder:
    """A folder with `<video id>.npz`, each with `frame_scores` (T, 1, D, 1, 1), as ICEP features are published."""

    ARRAY = "frame_scores"

    def __init__(self, folder: Path) -> None:
        self._folder = checked_folder(folder, "<video id>.npz")

    def ids(self) -> Iterator[str]:
        yield from sorted(path.stem for path in self._folder.glob("*.npz"))

    def find(self, video_id: str) -> MatrixEntry | None:
        path = self._folder / f"{video_id}.npz"
        if not path.exists():
            return None
        shape, dtype = stored_array(path, self.ARRAY)
        return matrix_entry(shape, dtype, f"{path}: {self.ARRAY}")

    def read(self, video_id: str) -> np.ndarray:
        path = self._folder / f"{video_id}.npz"
        return as_matrix(load_array(path, self.ARRAY), f"{path}: {self.ARRAY}")

    def files(self, video_id: str) -> tuple[Path, ...]:
        return (self._folder / f"{video_id}.npz",)


class OneNpz:
    """One npz: `video_id` or `ids` (n,), and `features` (n, T, D), or (sum of T, D) with `lengths` (n,)."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when the file is not there; InvalidData when its arrays do not fit together."""
        regular_file(path, "Put the npz file there, or correct `path` in bench.yaml.")
        self._path, self._opened = path, stamp([path])
        names = stored_names(path)
        ids_name = next((name for name in ("video_id", "ids") if name in names), None)
        if ids_name is None or "features" not in names:
            raise InvalidData(
                f"{path} holds {', '.join(sorted(names)[:20]) or 'nothing'}, expected `video_id` (or `ids`) and "
                "`features`. Correct `reader` in bench.yaml, or write the file again."
            )
        ids = load_array(path, ids_name)
        features = load_array(path, "features")
        if ids.ndim != 1 or ids.dtype.kind != "U":
            raise InvalidData(
                f"{path}: {ids_name} is {ids.dtype} of shape {ids.shape}, expected (n,) text. Write it again."
            )
        if "lengths" in names:
            parts = self._split(path, features, load_array(path, "lengths"), len(ids))
        elif features.ndim > 1 and len(features) == len(ids):
            parts = list(features)  # (n, T, D), or (n, D) for one row a video
        else:
            raise InvalidData(
                f"{path}: features of shape {features.shape} do not fit {len(ids)} ids: expected "
                "(ids, rows, dimension), (ids, dimension), or (sum of rows, dimension) with `lengths`. Write it again."
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

    def find(self, video_id: str) -> MatrixEntry | None:
        rows = self._rows.get(video_id)
        return None if rows is None else matrix_entry(rows.shape, rows.dtype, f"features of {video_id!r}")

    def read(self, video_id: str) -> np.ndarray:
        return as_matrix(self._rows[video_id], f"features of {video_id!r}")

    def files(self, video_id: str) -> tuple[Path, ...]:
        if stamp([self._path]) != self._opened:
            raise InvalidData(f"{self._path} was changed after it was opened. Wait until it is whole; run again.")
        return (self._path,)


def open_npy_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of npy files. Raises: DataError."""
    return StoredFeatures(declaration, NpyFolder(path))


def open_icep_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder laid out as the published ICEP features. Raises: DataError."""
    return StoredFeatures(declaration, IcepFolder(path))


def open_one_npz(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one npz file with ids. Raises: DataError."""
    return StoredFeatures(declaration, OneNpz(path))

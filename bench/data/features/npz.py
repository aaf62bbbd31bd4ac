"""Features in folders with one NumPy file per video. Pickled arrays are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import checked_folder, load_array, mapped_array, stored_array, stored_names
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.errors import InvalidData


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


class NpzFolder:
    """A folder with `<video id>.npz`; of each, the array of one name, or without one `features` or the only array."""

    def __init__(self, folder: Path, array: str = "") -> None:
        self._folder, self._array = checked_folder(folder, "<video id>.npz"), array

    def ids(self) -> Iterator[str]:
        yield from sorted(path.stem for path in self._folder.glob("*.npz"))

    def find(self, video_id: str) -> MatrixEntry | None:
        path = self._folder / f"{video_id}.npz"
        if not path.exists():
            return None
        name = self._chosen(path)
        shape, dtype = stored_array(path, name)
        return matrix_entry(shape, dtype, f"{path}: {name}")

    def read(self, video_id: str) -> np.ndarray:
        path = self._folder / f"{video_id}.npz"
        name = self._chosen(path)
        return as_matrix(load_array(path, name), f"{path}: {name}")

    def files(self, video_id: str) -> tuple[Path, ...]:
        return (self._folder / f"{video_id}.npz",)

    def _chosen(self, path: Path) -> str:
        if self._array:
            return self._array
        names = sorted(stored_names(path))
        if len(names) > 1 and "features" not in names:
            held = ", ".join(names[:20])
            raise InvalidData(f"{path} holds {held}: which are features? Write them alone, or as 'features'.")
        return "features" if len(names) != 1 else names[0]


def open_npy_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of npy files. Raises: DataError."""
    return StoredFeatures(declaration, NpyFolder(path))


def open_icep_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder laid out as the published ICEP features. Raises: DataError."""
    return StoredFeatures(declaration, NpzFolder(path, "frame_scores"))


def open_npz_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of npz files with an array each. Raises: DataError."""
    return StoredFeatures(declaration, NpzFolder(path))

"""Features in folders with one file a video: npy, npz, safetensors, or tensors that torch saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import ArrayFile, NpyFile, NpzArchive, checked_folder, meant
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry


class VideoFiles:
    """A folder with a file for each video; of its arrays the one of a name, or `features`, or the only one."""

    def __init__(
        self, folder: Path, endings: tuple[str, ...], opener: Callable[[Path], ArrayFile], array: str = ""
    ) -> None:
        """Raises: MissingData, InvalidData."""
        self._folder = checked_folder(folder, " or ".join(f"<video id>{ending}" for ending in endings))
        self._endings, self._opener, self._array = endings, opener, array

    def ids(self) -> Iterator[str]:
        ids = {path.name.removesuffix(end) for end in self._endings for path in self._folder.glob(f"*{end}")}
        yield from sorted(ids)

    def find(self, video_id: str) -> MatrixEntry | None:
        path = self._path(video_id)
        if not path.exists():
            return None
        file, name = self._opened(path)
        shape, dtype = file.entry(name)
        return matrix_entry(shape, dtype, str(path))

    def read(self, video_id: str) -> np.ndarray:
        path = self._path(video_id)
        file, name = self._opened(path)
        return as_matrix(np.array(file.load(name)), str(path))

    def files(self, video_id: str) -> tuple[Path, ...]:
        return (self._path(video_id),)

    def _path(self, video_id: str) -> Path:
        paths = [self._folder / f"{video_id}{ending}" for ending in self._endings]
        return next((path for path in paths if path.exists()), paths[0])

    def _opened(self, path: Path) -> tuple[ArrayFile, str]:
        file = self._opener(path)
        return file, self._array or meant(str(path), file.names)


def open_npy_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of npy files. Raises: DataError."""
    return StoredFeatures(declaration, VideoFiles(path, (".npy",), NpyFile))


def open_icep_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder laid out as the published ICEP features. Raises: DataError."""
    return StoredFeatures(declaration, VideoFiles(path, (".npz",), NpzArchive, "frame_scores"))


def open_npz_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of npz files with an array each. Raises: DataError."""
    return StoredFeatures(declaration, VideoFiles(path, (".npz",), NpzArchive))


def open_safetensors_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of safetensors files with a tensor each. Raises: DataError."""
    from bench.data.features.tensors import TensorFile

    return StoredFeatures(declaration, VideoFiles(path, (".safetensors",), TensorFile))


def open_torch_folder(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a folder of files that torch saved, with a tensor each. Raises: DataError."""
    from bench.data.features.torch_files import TorchFile

    return StoredFeatures(declaration, VideoFiles(path, (".pt", ".pth"), TorchFile))

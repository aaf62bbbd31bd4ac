"""Features in one HDF5 file: a dataset or a group for each video, in the two official layouts or a plain one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.hdf5_storage import stored_in
from bench.data.features.row_contents import stamp
from bench.data.features.shapes import as_matrix
from bench.data.features.stacked import stack_of
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.errors import InvalidData
from bench.reading.outside import HDF5, reading, regular_file, shown

ANY = "*"


class Hdf5Layout:
    """An HDF5 file with one dataset (T, D) per video, named by a pattern such as `{}/c3d_features`.

    `{}/*` is the dataset of that name, or in a group of that name `features` or the only array.
    """

    def __init__(self, path: Path, pattern: str) -> None:
        """Raises: MissingData when the file is not there; InvalidData when it is no whole HDF5 file."""
        import h5py

        regular_file(path, "Put the HDF5 file there, or correct `path` in bench.yaml.")
        self._opened = stamp([path])
        self._stored: dict[str, tuple[Path, ...]] = {}
        with reading(path, HDF5):
            self.file = h5py.File(path, "r")
        self._path = path
        self._group, _, self._name = pattern.partition("/")

    def ids(self) -> Iterator[str]:
        head, tail = self._group.split("{}")
        with reading(self._path, HDF5):
            keys = list(self.file)
        for key in keys:
            if not isinstance(key, str):  # h5py gives the bytes of a name that is no UTF-8; no id is written so
                continue
            if key.startswith(head) and key.endswith(tail) and len(key) > len(head) + len(tail):
                yield str(key[len(head) : len(key) - len(tail)])

    def find(self, video_id: str) -> MatrixEntry | None:
        dataset = self._dataset(video_id)
        if dataset is None:
            return None
        with reading(self._path, HDF5):
            shape, dtype = dataset.shape, dataset.dtype
        if shape is None:
            raise InvalidData(f"{self._where(video_id)} is empty, expected (rows, dimension). Write it again.")
        return matrix_entry(shape, dtype, self._where(video_id))

    def read(self, video_id: str) -> np.ndarray:
        self.files(video_id)
        dataset = self._dataset(video_id)
        with reading(self._path, HDF5):
            rows = np.asarray(dataset[()])
        return as_matrix(rows, self._where(video_id))

    def _where(self, video_id: str) -> str:
        return f"{self._path}: {self._group.format(video_id)!r}"

    def files(self, video_id: str) -> tuple[Path, ...]:
        """Returns the files that hold the rows of a video. Raises: InvalidData when HDF5 would make them up."""
        if stamp([self._path]) != self._opened:
            raise InvalidData(f"{self._path} was changed after it was opened. Wait until it is whole; run again.")
        if video_id not in self._stored:
            dataset = self._dataset(video_id)
            with reading(self._path, HDF5):
                self._stored[video_id] = stored_in(dataset, f"{self._path}: video {video_id!r}")
        return self._stored[video_id]

    def _dataset(self, video_id: str) -> Any:
        """Returns the h5py dataset of a video, or None when the file does not know the video."""
        import h5py

        key = self._group.format(video_id)
        with reading(self._path, HDF5):
            node = self.file.get(key)
            if node is None and self.file.get(key, getlink=True) is not None:
                raise InvalidData(
                    f"{self._path}: {key!r} is a link that leads nowhere. Put what it names there, or write it again."
                )
            if node is not None and self._name == ANY:
                node = self._only(key, node)
            elif node is not None and self._name:
                node = node.get(self._name) if isinstance(node, h5py.Group) else None
                if node is None:
                    raise InvalidData(
                        f"{self._path}: {key!r} holds no {self._name!r}: the file has another layout. "
                        "Correct `reader` in bench.yaml."
                    )
        if node is not None and not isinstance(node, h5py.Dataset):
            raise InvalidData(
                f"{self._path}: {key!r} is a group, not a dataset: the file has another layout. "
                "Correct `reader` in bench.yaml."
            )
        return node

    def _only(self, key: str, node: Any) -> Any:
        """Returns the dataset itself, or the one that is meant in a group."""
        import h5py

        if not isinstance(node, h5py.Group):
            return node
        arrays = {name: own for name, own in node.items() if isinstance(own, h5py.Dataset) and own.shape}
        chosen = "features" if "features" in arrays else next(iter(arrays), "")
        if not chosen or (len(arrays) > 1 and chosen != "features"):
            held = ", ".join(map(shown, list(node)[:10])) or "nothing"
            raise InvalidData(
                f"{self._path}: {key!r} is a group of {held}: which are the features of a video? Write <video id>, or "
                "<video id>/features."
            )
        return arrays[chosen]


def open_plain(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features of one HDF5 dataset or group per video, or of one dataset for all. Raises: DataError."""
    layout = Hdf5Layout(path, f"{{}}/{ANY}")
    return StoredFeatures(declaration, stack_of(path, layout.file) or layout)


def open_c3d(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features laid out as the official ActivityNet C3D file. Raises: DataError."""
    return StoredFeatures(declaration, Hdf5Layout(path, "{}/c3d_features"))


def open_didemo_icep(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features laid out as the official DiDeMo Inception file. Raises: DataError."""
    return StoredFeatures(declaration, Hdf5Layout(path, "{}.npz"))

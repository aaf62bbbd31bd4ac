"""Features of all videos in one file: one array with the ids of its rows, or an array a video, named by its id.

    features (n, T, D) or (n, D), or (sum of T, D) with lengths (n,); video_id or ids (n,)

The ids stand in the file itself (npz, HDF5), or in a list beside it (npy, safetensors).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import FEATURES, ArrayFile, NpzArchive, mapped_array
from bench.data.features.hdf5_storage import stored_in
from bench.data.features.row_contents import stamp
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.data.readers.id_lists import listed_ids
from bench.errors import InvalidData, MissingData
from bench.reading.numbers import number_of
from bench.reading.outside import HDF5, NUMPY, Form, foreign, reading, regular_file

IDS = ("video_id", "ids")
LENGTHS = "lengths"
NPZ = Form("an npz file", ("npz",))
NPY = Form("an npy file", ("npy",))


@dataclass(frozen=True)
class StackedArray:
    """An array of all videos, read where it is asked for, and where the rows of each lie in it."""

    array: Any
    places: Mapping[str, int | slice]


def stacked(where: str, ids: np.ndarray, features: Any, lengths: np.ndarray | None) -> StackedArray:
    """Returns an array, or an h5py dataset, with its ids. Raises: InvalidData where they do not fit."""
    if ids.ndim != 1 or ids.dtype.kind not in "US":
        raise InvalidData(f"{where}: ids are {ids.dtype} of shape {ids.shape}, expected (n,) text. Write it again.")
    names = [str(name) for name in (np.char.decode(ids, "utf-8", "replace") if ids.dtype.kind == "S" else ids).tolist()]
    count = len(names)
    places: list[int | slice] = list(range(count))
    if lengths is not None:
        whole = lengths.shape == (count,) and lengths.dtype.kind in "iu" and bool((lengths >= 0).all())
        if not whole or len(features.shape) != 2 or int(lengths.sum()) != features.shape[0]:
            raise InvalidData(
                f"{where}: lengths of shape {lengths.shape} do not fit {number_of(count, 'id')} and features of shape "
                f"{features.shape}: expected one whole number per id, together the number of rows. Write it again."
            )
        ends = np.cumsum(lengths.astype(np.int64)).tolist()
        places = [slice(end - int(length), end) for end, length in zip(ends, lengths, strict=True)]
    elif len(features.shape or ()) < 2 or features.shape[0] != count:
        raise InvalidData(
            f"{where}: features of shape {features.shape} do not fit {number_of(count, 'id')}: expected (ids, rows, "
            "dimension), (ids, dimension), or (sum of rows, dimension) with `lengths`. Write it again."
        )
    if len(set(names)) < count:
        twice = number_of(count - len(set(names)), "id occurs", "ids occur")
        raise InvalidData(f"{where}: {twice} more than once. Write the file again.")
    return StackedArray(features, dict(zip(names, places, strict=True)))


class StackLayout:
    """One file with the features of all videos in one array."""

    def __init__(self, paths: tuple[Path, ...], form: Form, stack: StackedArray) -> None:
        self._paths, self._form, self._stack = paths, form, stack
        self._opened = stamp(paths)

    def ids(self) -> Iterator[str]:
        yield from self._stack.places

    def find(self, video_id: str) -> MatrixEntry | None:
        place = self._stack.places.get(video_id)
        if place is None:
            return None
        shape = tuple(self._stack.array.shape[1:])
        if isinstance(place, slice):
            shape = (place.stop - place.start, *shape)
        return matrix_entry(shape, self._stack.array.dtype, f"features of {video_id!r}")

    def read(self, video_id: str) -> np.ndarray:
        with reading(self._paths[0], self._form):
            rows = np.array(self._stack.array[self._stack.places[video_id]])
        return as_matrix(rows, f"features of {video_id!r}")

    def files(self, video_id: str) -> tuple[Path, ...]:
        if stamp(self._paths) != self._opened:
            raise InvalidData(f"{self._paths[0]} was changed after it was opened. Wait until it is whole; run again.")
        return self._paths


class NamedArrays:
    """One file with an array a video, named by its id."""

    def __init__(self, path: Path, file: ArrayFile) -> None:
        self._path, self._file, self._opened = path, file, stamp([path])

    def ids(self) -> Iterator[str]:
        yield from sorted(self._file.names)

    def find(self, video_id: str) -> MatrixEntry | None:
        if video_id not in self._file.names:
            return None
        shape, dtype = self._file.entry(video_id)
        return matrix_entry(shape, dtype, f"{self._path}: {video_id!r}")

    def read(self, video_id: str) -> np.ndarray:
        return as_matrix(self._file.load(video_id), f"{self._path}: {video_id!r}")

    def files(self, video_id: str) -> tuple[Path, ...]:
        if stamp([self._path]) != self._opened:
            raise InvalidData(f"{self._path} was changed after it was opened. Wait until it is whole; run again.")
        return (self._path,)


def open_npz(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one npz file for all videos. Raises: DataError."""
    regular_file(path, "Put the npz file there, or correct `path` in bench.yaml.")
    if (other := foreign(path, NPZ)) is not None:
        raise other
    file = NpzArchive(path)
    names = file.names
    ids_name = next((name for name in IDS if name in names), None)
    if ids_name is None and FEATURES not in names:
        return StoredFeatures(declaration, NamedArrays(path, file))
    if ids_name is None or FEATURES not in names:
        raise InvalidData(
            f"{path} holds {', '.join(sorted(names)[:20])}, expected `video_id` (or `ids`) and `features`. Correct "
            "`reader` in bench.yaml, or write the file again."
        )
    lengths = file.load(LENGTHS) if LENGTHS in names else None
    stack = stacked(f"{path}", file.load(ids_name), file.load(FEATURES), lengths)
    return StoredFeatures(declaration, StackLayout((path,), NUMPY, stack))


def open_npy(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one npy file; its ids are in NAME.txt, .json or .csv beside NAME.npy. Raises: DataError."""
    regular_file(path, "Put the npy file there, or correct `path` in bench.yaml.")
    if (other := foreign(path, NPY)) is not None:
        raise other
    listed, ids = ids_beside(path)
    stack = stacked(f"{path} and {listed.name}", ids, mapped_array(path), None)
    return StoredFeatures(declaration, StackLayout((path, listed), NUMPY, stack))


def ids_beside(path: Path) -> tuple[Path, np.ndarray]:
    """Returns the list beside a file that names no ids, and the (n,) ids in it. Raises: MissingData, InvalidData."""
    beside = [path.with_suffix(suffix) for suffix in (".txt", ".json", ".csv")]
    id_list = next((listed for listed in beside if listed.is_file()), None)
    if id_list is None:
        raise MissingData(
            f"{path} does not say whose its rows are. Put the ids beside it, in the order of the rows: one a line in "
            f"{beside[0].name}, a list in {beside[1].name}, or the column video_id of {beside[2].name}."
        )
    ids = listed_ids(id_list)
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise InvalidData(f"{id_list} holds no list of video ids. Write one for each row of {path.name}, in its order.")
    return id_list, np.array(ids, dtype=str)


def stack_of(path: Path, file: Any) -> StackLayout | None:
    """Returns the layout of an open HDF5 file with `features` and ids for all videos; None for one of another layout.

    Raises: InvalidData where they do not fit, or are not stored.
    """
    import h5py

    with reading(path, HDF5):
        held = {name: file.get(name) for name in (*IDS, FEATURES, LENGTHS)}
        arrays = {name: node for name, node in held.items() if isinstance(node, h5py.Dataset)}
        ids_name = next((name for name in IDS if name in arrays), None)
        if ids_name is None or FEATURES not in arrays:
            return None
        ids = np.asarray(arrays[ids_name][()])
        if ids.dtype.kind == "O":
            ids = np.array([one.decode() if isinstance(one, bytes) else one for one in ids.ravel()]).reshape(ids.shape)
        lengths = np.asarray(arrays[LENGTHS][()]) if LENGTHS in arrays else None
        files = stored_in(arrays[FEATURES], f"{path}: {FEATURES}")
    return StackLayout(files, HDF5, stacked(str(path), ids, arrays[FEATURES], lengths))

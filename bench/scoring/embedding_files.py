"""Embeddings in npy, npz, safetensors and HDF5 files: opened without trust, read where they are needed, never whole.

    features (n, D), axes of length 1 aside, or the only array; video_id or ids (n,)

The ids stand in the file itself (npz, HDF5) or in a list beside it (npy, safetensors), as `bench.data.features.stacked`
reads them, or nowhere. A file with an array for each id is laid out anew in a temporary one, and so is an array in an
npz, which cannot be mapped where it lies.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.features.arrays import FEATURES, NpzArchive
from bench.data.features.hdf5 import Hdf5Layout
from bench.data.features.hdf5_storage import stored_in
from bench.data.features.row_contents import stamp
from bench.data.features.shapes import rows_and_dim
from bench.data.features.stacked import IDS, LENGTHS, NamedArrays, ids_beside
from bench.data.features.tensors import TensorFile
from bench.errors import InvalidData, UsageError
from bench.reading.numbers import number_of
from bench.reading.outside import HDF5, NUMPY, reading, regular_file
from bench.scoring.matrix_files import similarity_file

ENDINGS = (".npy", ".npz", ".safetensors", ".h5", ".hdf5")
_HDF5 = (".h5", ".hdf5")
_LISTS = (".txt", ".json", ".csv")
_TYPES = ("float16", "bfloat16", "float32", "float64")
_NEAR = 4
"""Rows of an HDF5 dataset are read with those between them where these are at most so many times as many."""


@dataclass(frozen=True)
class EmbeddingFile:
    """Embeddings that lie in a file; processes are given this, and each opens the file for itself.

    Attributes:
        path: what the user named.
        ids: (n,) of each, in order; None where nothing names them.
        dtype: as what they are stored, such as `float16`; float64 is rounded to float32 to be ranked.
        held: the file with the numbers: another one where they were laid out anew.
        place: the byte at which they begin, or the name of an HDF5 dataset.
        axes: the shape they are stored in.
        kind: NumPy's name of their type with its byte order, such as `>f4`; of bfloat16 that of its bits.
        fortran: whether the first axis is the one that runs fastest.
    """

    path: Path
    ids: tuple[str, ...] | None
    dtype: str
    held: Path
    place: int | str
    axes: tuple[int, ...]
    kind: str = ""
    fortran: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """How many, and their dimension."""
        return rows_and_dim(self.axes, str(self.path))

    def take(self, places: np.ndarray) -> np.ndarray:
        """Returns (k, D) float32: those at k places. The file is closed again: what stays mapped counts as memory.

        Raises: InvalidData for one that is NaN, infinite, or all zeros, which has no direction.
        """
        rows = self._mapped(self.place, places) if isinstance(self.place, int) else self._read(self.place, places)
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused
            vectors = rows.reshape(len(places), self.shape[1]).astype(np.float32)
        largest = np.maximum(vectors.max(axis=1), -vectors.min(axis=1))
        bad = np.flatnonzero(~(np.isfinite(largest) & (largest > 0)))
        if bad.size:
            what = "is all zeros, which has no direction" if largest[bad[0]] == 0 else "holds NaN or infinity"
            raise InvalidData(
                f"{self.path}: the embedding in row {places[bad[0]]:,} (counted from 0) {what}: it cannot be ranked. "
                "Correct what made it."
            )
        return vectors

    def _mapped(self, offset: int, places: np.ndarray) -> np.ndarray:
        order: Any = "F" if self.fortran else "C"
        with reading(self.path, NUMPY):  # it was whole when it was opened first, and may have been cut since
            rows = np.asarray(np.memmap(self.held, self.kind, "r", offset, self.axes, order)[places])
        return (rows.astype(np.uint32) << np.uint32(16)).view(np.float32) if self.dtype == "bfloat16" else rows

    def _read(self, name: str, places: np.ndarray) -> np.ndarray:
        import h5py

        first, last = int(places.min()), int(places.max()) + 1
        with reading(self.path, HDF5), h5py.File(self.held, "r") as file:
            if last - first <= _NEAR * len(places):
                return np.asarray(file[name][first:last][places - first])
            rising, where = np.unique(places, return_inverse=True)
            return np.asarray(file[name][rising][where])


@contextmanager
def embedding_file(path: Path) -> Iterator[EmbeddingFile]:
    """Gives the embeddings in a file.

    Raises: MissingData; InvalidData for a file that is broken or pickled, holds no embeddings, or is another one when
    the body ends; UsageError for an unknown ending.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: embeddings are read from {', '.join(ENDINGS)} files.")
    opened = stamp([regular_file(path)])
    with _opened(path) as found:
        yield _checked(found)
        if stamp([path]) != opened:
            raise InvalidData(f"{path} was changed while it was read. Wait until it is whole; score it again.")


@contextmanager
def _opened(path: Path) -> Iterator[EmbeddingFile]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if path.suffix in _HDF5:
            found = _in_hdf5(path) or _one_by_one(path, Hdf5Layout(path, "{}/*"), Path(folder))
        elif path.suffix == ".npy":
            found = None
        else:
            file = NpzArchive(path) if path.suffix == ".npz" else TensorFile(path)
            arrays = set(file.names) - {*IDS, LENGTHS}
            alone = FEATURES in arrays or len(arrays) == 1
            found = None if alone else _one_by_one(path, NamedArrays(path, file), Path(folder))
        if found is not None:
            yield found
            return
        key = None if path.suffix == ".npy" else FEATURES if FEATURES in arrays else next(iter(arrays))
        with similarity_file(path, key) as matrix:
            yield _of_array(path, matrix.stored, matrix.dtype, _ids_of(path, len(matrix.stored)))


def _checked(found: EmbeddingFile) -> EmbeddingFile:
    count, dim = found.shape
    if found.dtype not in _TYPES:
        raise InvalidData(f"{found.path} holds {found.dtype}. Write the embeddings as {', '.join(_TYPES)}.")
    if not count or not dim:
        raise InvalidData(f"{found.path} has shape {found.axes}: there is no embedding in it.")
    if found.axes[0] != count:
        raise InvalidData(f"{found.path} has shape {found.axes}: expected (embeddings, dimension). Write it again.")
    if found.ids is not None and len(found.ids) != count:
        raise InvalidData(
            f"{found.path} holds {number_of(count, 'embedding')}, and {number_of(len(found.ids), 'id is', 'ids are')} "
            "given for them."
        )
    if found.ids is not None and len(set(found.ids)) < count:
        twice = next(id_ for id_, times in Counter(found.ids).items() if times > 1)
        raise InvalidData(f"{found.path}: id {twice[:60]!r} is given to two embeddings. Each has one of its own.")
    return found


def _of_array(path: Path, stored: np.ndarray, dtype: str, ids: tuple[str, ...] | None) -> EmbeddingFile:
    mapped: Any = stored if isinstance(stored, np.memmap) else stored.base
    if not isinstance(mapped, np.memmap):  # nothing is mapped of an empty one
        raise InvalidData(f"{path} has shape {stored.shape}: there is no embedding in it.")
    fortran = not stored.flags.c_contiguous
    held = Path(str(mapped.filename))
    return EmbeddingFile(path, ids, dtype, held, mapped.offset, stored.shape, stored.dtype.str, fortran)


def _ids_of(path: Path, count: int) -> tuple[str, ...] | None:
    """Returns the ids of the rows of an npy, npz or safetensors file, or None where there are none."""
    if path.suffix == ".npz":
        file = NpzArchive(path)
        name = next((name for name in IDS if name in file.names), None)
        return None if name is None else _texts(path, file.load(name))
    if not any(path.with_suffix(ending).is_file() for ending in _LISTS):
        return None
    return tuple(ids_beside(path)[1].tolist())


def _texts(path: Path, ids: np.ndarray) -> tuple[str, ...]:
    if ids.ndim != 1 or ids.dtype.kind not in "USO":
        raise InvalidData(f"{path}: ids are {ids.dtype} of shape {ids.shape}, expected (n,) text. Write it again.")
    return tuple(one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in ids.tolist())


def _in_hdf5(path: Path) -> EmbeddingFile | None:
    """Returns the embeddings of a file with one array of them; None for one with an array, or a group, for each id."""
    import h5py

    with reading(path, HDF5), h5py.File(path, "r") as file:
        arrays = {name: node for name in file if isinstance(node := file.get(name), h5py.Dataset)}
        ids_name = next((name for name in IDS if name in arrays), None)
        names = set(arrays) - {*IDS, LENGTHS}
        if FEATURES not in names and (len(names) != 1 or len(file) > len(names) + (ids_name is not None)):
            return None
        name = FEATURES if FEATURES in names else next(iter(names))
        if not arrays[name].shape:
            return None
        stored_in(arrays[name], f"{path}: {name}")
        ids = None if ids_name is None else _texts(path, np.asarray(arrays[ids_name][()]))
        return EmbeddingFile(path, ids, str(arrays[name].dtype), path, str(name), tuple(arrays[name].shape))


def _one_by_one(path: Path, layout: Hdf5Layout | NamedArrays, folder: Path) -> EmbeddingFile:
    """Returns embeddings that lie in a file each by its id, laid out anew as one array, in the order of the ids."""
    ids: Sequence[str] = sorted(layout.ids())
    if not ids:
        raise InvalidData(f"{path} holds no array: expected `features` (n, D), or an array for each id.")
    dim = layout.read(ids[0]).shape[1]
    rows = np.lib.format.open_memmap(folder / "embeddings.npy", "w+", np.float32, (len(ids), dim))
    for place, id_ in enumerate(ids):
        vector = layout.read(id_)
        if vector.shape != (1, dim):
            raise InvalidData(
                f"{path}: {id_[:60]!r} has shape {vector.shape}, expected one embedding of {dim} numbers for each id."
            )
        rows[place] = vector[0]
    rows.flush()
    return _of_array(path, rows, "float32", tuple(ids))

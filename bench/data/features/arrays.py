"""Arrays in npy and npz files, and in such files inside others, read without trust.

No pickle is opened, and nothing is allocated beyond what the file holds.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from bench.errors import InvalidData, MissingData
from bench.reading.forms import form_of
from bench.reading.outside import NUMPY, foreign, reading, regular_file

FEATURES = "features"
"""What the array of features is called where a file holds several."""
OPEN_OBJECTS = "open it by np.load(FILE, allow_pickle=True)"
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
Entry = tuple[tuple[int, ...], np.dtype]
"""Shape and type of an array."""


class ArrayFile(Protocol):
    """A file of arrays with names, which are read one by one."""

    @property
    def names(self) -> Collection[str]: ...

    def entry(self, name: str) -> Entry:
        """Returns shape and type of an array, without its numbers. Raises: InvalidData."""

    def load(self, name: str) -> np.ndarray:
        """Returns an array. Raises: InvalidData."""


def meant(where: str, names: Collection[str]) -> str:
    """Returns which of a file's arrays are the features: `features`, or the only one. Raises: InvalidData."""
    if FEATURES in names or not names:
        return FEATURES
    if len(names) > 1:
        held = ", ".join(sorted(names)[:20])
        raise InvalidData(f"{where} holds {held}: which are features? Write them alone, or as 'features'.")
    return next(iter(names))


def checked_folder(folder: Path, content: str) -> Path:
    """Returns the folder. Raises: MissingData when it is not there; InvalidData when a file is in its place."""
    if folder.is_file():
        form = form_of(folder)
        raise InvalidData(
            f"{folder} is {form.words if form else 'a file'}, not a folder of {content} files. Correct `reader` or "
            f"`path` in bench.yaml. {form.advice_for(folder, arrays=True) if form else ''}".rstrip()
        )
    if not folder.is_dir():
        raise MissingData(f"{folder}: no such folder. Put {content} files there, or correct `path` in bench.yaml.")
    return folder


def stored_names(path: Path) -> set[str]:
    """Returns the names of the arrays in an npz file. Raises: MissingData, InvalidData."""
    regular_file(path)
    with reading(path, NUMPY), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if not all(name.endswith(".npy") for name in names) and (other := foreign(path, NUMPY)) is not None:
        raise other
    return {name.removesuffix(".npy") for name in names}


class NpzArchive:
    """An npz file that stays open, whose arrays are read one by one: opening it anew reads the list of all of them."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData, InvalidData."""
        self._path, self.names = path, stored_names(path)
        with reading(path, NUMPY):
            self._archive = zipfile.ZipFile(path)

    def entry(self, name: str) -> Entry:
        """Returns shape and type of an array from its header alone.

        Raises: InvalidData when it is not there, pickled, or shorter than its header says.
        """
        if name not in self.names:
            held = ", ".join(sorted(self.names)[:20]) or "nothing"
            raise InvalidData(
                f"{self._path} holds {held}, not {name!r}. Correct `reader` in bench.yaml, or write it again."
            )
        with reading(self._path, NUMPY), self._archive.open(f"{name}.npy") as file:
            return checked_entry(file, self._archive.getinfo(f"{name}.npy").file_size, name)

    def load(self, name: str) -> np.ndarray:
        """Returns an array. Raises: InvalidData."""
        self.entry(name)
        with reading(self._path, NUMPY), self._archive.open(f"{name}.npy") as file:
            return read_array(file)


class NpyFile:
    """An npy file as a file of one array, which is mapped and not read."""

    names = (FEATURES,)

    def __init__(self, path: Path) -> None:
        """Raises: MissingData, InvalidData."""
        self._rows = mapped_array(path)

    def entry(self, name: str) -> Entry:
        """Returns shape and type."""
        return self._rows.shape, self._rows.dtype

    def load(self, name: str) -> np.ndarray:
        """Returns the mapped array."""
        return self._rows


def stored_array(path: Path, name: str) -> Entry:
    """Returns shape and type of an array in an npz file. Raises: MissingData, InvalidData."""
    return NpzArchive(path).entry(name)


def load_array(path: Path, name: str) -> np.ndarray:
    """Returns an array of an npz file. Raises: MissingData, InvalidData."""
    return NpzArchive(path).load(name)


def mapped_array(path: Path, source: Path | None = None) -> np.ndarray:
    """Returns the array of an npy file, mapped and not read.

    Args:
        source: the file to name in errors, where `path` was unpacked from it.

    Raises: MissingData; InvalidData when it is damaged, pickled, or shorter or longer than its header says.
    """
    named = source or path
    size = regular_file(path).stat().st_size
    with reading(named, NUMPY), path.open("rb") as file:
        shape, dtype = checked_entry(file, size)
        if 0 in shape:
            return np.empty(shape, dtype)  # nothing can be mapped
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def read_array(file: IO[bytes]) -> np.ndarray:
    """Returns the array of an npy.

    Raises: ValueError for text with numbers that are no characters, of which NumPy 2.4.6 makes strings that cannot be
    encoded, compared without case or printed; and whatever NumPy raises.
    """
    array = np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    if array.dtype.kind == "U":
        points = np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if ((points > _LAST_CHARACTER) | ((points >= _SURROGATES.start) & (points < _SURROGATES.stop))).any():
            raise ValueError("its text holds numbers that are no characters of Unicode")
    return array


def checked_entry(file: IO[bytes], size: int, name: str = "the array") -> Entry:
    """Returns shape and type of an npy from its header alone.

    Args:
        size: bytes of the whole npy.

    Raises: ValueError for one that is pickled, or shorter or longer than its header says, and whatever NumPy raises.
    """
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise ValueError(f"npy format {version} is unknown")
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError(f"it holds pickled objects; where you trust it, {OPEN_OBJECTS} and write its numbers")
    if min(shape, default=0) < 0 or file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{name} is shorter or longer than its header says")
    return shape, dtype

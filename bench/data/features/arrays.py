"""Arrays in npy and npz files, read without trust: no pickle, no allocation beyond what the file holds."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from bench.errors import InvalidData, MissingData
from bench.reading.forms import form_of
from bench.reading.outside import NUMPY, damaged, foreign, reading, regular_file


def checked_folder(folder: Path, content: str) -> Path:
    """Returns the folder. Raises: MissingData when it is not there; InvalidData when a file is in its place."""
    if folder.is_file():
        form = form_of(folder)
        raise InvalidData(
            f"{folder} is {form.words if form else 'a file'}, not a folder of {content} files. Correct `reader` or "
            f"`path` in bench.yaml. {form.advice if form else ''}".rstrip()
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


def stored_array(path: Path, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Returns shape and type of an array in an npz file from its header alone.

    Raises: MissingData, InvalidData when it is not there, pickled, or shorter than its header says.
    """
    names = stored_names(path)
    if name not in names:
        held = ", ".join(sorted(names)[:20]) or "nothing"
        raise InvalidData(f"{path} holds {held}, not {name!r}. Correct `reader` in bench.yaml, or write it again.")
    with reading(path, NUMPY), zipfile.ZipFile(path) as archive:
        return _entry(path, archive, name)


def _entry(path: Path, archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        header = _header(file)
    return _fitting(path, name, header, info.file_size)


class NpzArchive:
    """An npz file that stays open, whose arrays are read one by one: opening it anew reads the list of all of them."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData, InvalidData."""
        self._path, self.names = path, stored_names(path)
        with reading(path, NUMPY):
            self._archive = zipfile.ZipFile(path)

    def entry(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Returns shape and type of an array from its header alone. Raises: InvalidData."""
        with reading(self._path, NUMPY):
            return _entry(self._path, self._archive, name)

    def load(self, name: str) -> np.ndarray:
        """Returns an array. Raises: InvalidData."""
        self.entry(name)
        with reading(self._path, NUMPY), self._archive.open(f"{name}.npy") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def load_array(path: Path, name: str) -> np.ndarray:
    """Returns an array of an npz file. Raises: MissingData, InvalidData."""
    stored_array(path, name)
    with reading(path, NUMPY), np.load(path, allow_pickle=False) as archive:
        return np.asarray(archive[name])


def mapped_array(path: Path, source: Path | None = None) -> np.ndarray:
    """Returns the array of an npy file, mapped and not read.

    Args:
        source: the file to name in errors, where `path` was unpacked from it.

    Raises: MissingData; InvalidData when it is damaged, pickled, or shorter or longer than its header says.
    """
    named = source or path
    size = regular_file(path).stat().st_size
    with reading(named, NUMPY), path.open("rb") as file:
        header = _header(file)
    _fitting(named, "the array", header, size)
    with reading(named, NUMPY):
        if 0 in header[0]:
            return np.empty(header[0], header[1])  # nothing can be mapped
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype, int]:
    """Returns shape and type, and how many bytes header and array must have together."""
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise ValueError(f"npy format {version} is unknown")
    shape, _, dtype = read_header(file)
    return shape, dtype, file.tell() + math.prod(shape) * dtype.itemsize


def _fitting(
    path: Path, name: str, header: tuple[tuple[int, ...], np.dtype, int], size: int
) -> tuple[tuple[int, ...], np.dtype]:
    shape, dtype, expected = header
    if dtype.hasobject:
        raise damaged(path, NUMPY, ValueError("it holds pickled objects"))
    if expected != size or min(shape, default=0) < 0:
        raise damaged(path, NUMPY, ValueError(f"{name} is shorter or longer than its header says"))
    return shape, dtype

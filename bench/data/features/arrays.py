"""Arrays in npy and npz files, read without trust: no pickle, no allocation beyond what the file holds."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from bench.errors import InvalidData, MissingData

UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
)
"""What NumPy and zipfile raise for files that are truncated, foreign, pickled or encrypted."""


def checked_folder(folder: Path, content: str) -> Path:
    """Returns the folder. Raises: MissingData when it is not there."""
    if not folder.is_dir():
        raise MissingData(f"{folder}: no such folder. Put {content} files there, or correct `path` in bench.yaml.")
    return folder


def unreadable(path: Path, error: Exception) -> InvalidData:
    """Returns the error for a file that NumPy cannot read."""
    reason = " ".join(str(error).split())[:160]
    return InvalidData(f"{path} is not a whole NumPy file ({reason}). Download or write it again.")


def stored_names(path: Path) -> set[str]:
    """Returns the names of the arrays in an npz file. Raises: InvalidData."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def stored_array(path: Path, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Returns shape and type of an array in an npz file from its header alone.

    Raises: InvalidData when it is not there, pickled, or shorter than its header says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if f"{name}.npy" not in archive.namelist():
                held = ", ".join(sorted(entry.removesuffix(".npy") for entry in archive.namelist())) or "nothing"
                raise InvalidData(
                    f"{path} holds {held}, not {name!r}. Correct `reader` in bench.yaml, or write it again."
                )
            info = archive.getinfo(f"{name}.npy")
            with archive.open(info) as file:
                version = np.lib.format.read_magic(file)
                read_header = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }.get(version)
                if read_header is None:
                    raise ValueError(f"npy format {version} is unknown")
                shape, _, dtype = read_header(file)
                expected = file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    if dtype.hasobject or expected != info.file_size:
        reason = "it holds pickled objects" if dtype.hasobject else f"{name} is shorter or longer than its header says"
        raise unreadable(path, ValueError(reason))
    return shape, dtype


def load_array(path: Path, name: str) -> np.ndarray:
    """Returns an array of an npz file. Raises: InvalidData."""
    stored_array(path, name)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[name])
    except UNREADABLE as error:
        raise unreadable(path, error) from error

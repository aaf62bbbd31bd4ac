"""An npy or npz inside another file: a member of an archive, a value of a database. Nothing is unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np

from bench.data.features.arrays import FEATURES, ArrayFile, Entry, checked_entry, read_array
from bench.errors import BenchError, InvalidData
from bench.reading.forms import HEAD, NO_PICKLE, form_in
from bench.reading.outside import one_line

LONGEST_HEADER = 1 << 16
"""So many bytes of an npy are enough for its header, and all of them for an npz are needed."""
WRITE_NPY = "Write each array by np.save; docs/files.md has lines that do."


def is_npz(content: bytes) -> bool:
    """Returns whether what begins with these bytes is an npz, which is read whole or not at all."""
    form = form_in(content[:HEAD])
    return form is not None and form.name == "npz"


def held_arrays(where: str, content: bytes, size: int) -> ArrayFile:
    """Returns the arrays of an npy or npz.

    Args:
        where: the file and what in it, for errors.
        content: all of it, or of an npy its beginning, when its numbers are not asked for.
        size: bytes of all of it.

    Raises: InvalidData for anything else.
    """
    form = form_in(content[:HEAD])
    if form is not None and form.name == "npy":
        return _HeldNpy(where, content, size)
    if form is not None and form.name == "npz":
        return _HeldNpz(where, content)
    advice = f"{NO_PICKLE}{WRITE_NPY}" if form is not None and form.name in ("pickle", "torch") else WRITE_NPY
    raise InvalidData(f"{where} is {form.words if form else 'of no form that is known'}, not npy or npz. {advice}")


class _HeldNpy:
    names = (FEATURES,)

    def __init__(self, where: str, content: bytes, size: int) -> None:
        self._where, self._content, self._size = where, content, size

    def entry(self, name: str) -> Entry:
        with _reading(self._where):
            return checked_entry(BytesIO(self._content), self._size)

    def load(self, name: str) -> np.ndarray:
        self.entry(name)
        with _reading(self._where):
            return read_array(BytesIO(self._content))


class _HeldNpz:
    def __init__(self, where: str, content: bytes) -> None:
        self._where = where
        with _reading(where):
            self._archive = zipfile.ZipFile(BytesIO(content))
            self.names = [name.removesuffix(".npy") for name in self._archive.namelist()]

    def entry(self, name: str) -> Entry:
        with _reading(self._where), self._archive.open(f"{name}.npy") as file:
            return checked_entry(file, self._archive.getinfo(f"{name}.npy").file_size, name)

    def load(self, name: str) -> np.ndarray:
        self.entry(name)
        with _reading(self._where), self._archive.open(f"{name}.npy") as file:
            return read_array(file)


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Turns whatever NumPy or zipfile raise into one of our errors, as `bench.reading.outside.reading` does."""
    try:
        yield
    except BenchError:
        raise
    except Exception as error:  # whatever damaged bytes make a library raise
        raise InvalidData(f"{where} is no whole npy or npz ({one_line(error)}). Write it again.") from error

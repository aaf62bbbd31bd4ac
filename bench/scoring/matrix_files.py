"""Similarity matrices in .npy, .npz and .safetensors files: opened without trust, mapped and never read whole."""

from __future__ import annotations

import json
import math
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.data.features.arrays import mapped_array, stored_array, stored_names
from bench.errors import InvalidData, UsageError
from bench.metrics.similarities import Similarities
from bench.reading.outside import NUMPY, SAFETENSORS, reading, regular_file

ENDINGS = (".npy", ".npz", ".safetensors")
_TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}
_WHOLE = {"i1", "u1", "i2", "u2", "i4", "u4"}
"""Whole numbers that float64 holds exactly."""


@contextmanager
def similarity_file(
    path: Path, key: str | None = None, flag: str = "name the similarities by --key"
) -> Iterator[Similarities]:
    """Gives the matrix in `path`, rows are text queries; `key` names it where the file holds several arrays.

    An array inside an .npz is unpacked to a temporary file first, because it cannot be mapped where it lies.

    Args:
        flag: what to do where there are several and no key was given.

    Raises: MissingData, InvalidData for a file that is absent, broken or pickled; UsageError for an unknown ending or
    a key that is missing.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: similarities are read from {', '.join(ENDINGS)} files.")
    regular_file(path)
    if path.suffix == ".npz":
        name = _chosen(path, key, list(stored_names(path)), flag)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield _as_numbers(path, mapped_array(_unpacked(path, name, Path(folder)), path))
    elif key is not None and path.suffix == ".npy":
        raise UsageError(f"{path} holds one array; --key is for .npz and .safetensors.")
    elif path.suffix == ".npy":
        yield _as_numbers(path, mapped_array(path))
    else:
        yield _tensor(path, key, flag)


def negated(similarities: Similarities) -> Similarities:
    """Returns distances as similarities: every value with the other sign, so that all ranks turn round exactly."""
    return Similarities(similarities.stored, lambda part: -similarities.read(part), similarities.dtype)


def _unpacked(path: Path, name: str, folder: Path) -> Path:
    """Returns the array in a file of its own. Its header was compared with its size before, so nothing more is written.

    Raises: MissingData, InvalidData.
    """
    shape, dtype = stored_array(path, name)
    size, free = math.prod(shape) * dtype.itemsize, shutil.disk_usage(folder).free
    if size > free:
        raise InvalidData(
            f"{path}: {name!r} is unpacked to {size >> 20:,} MB, and {folder.parent} has {free >> 20:,} MB free. Set "
            "TMPDIR to a folder with more, or write the matrix as .npy."
        )
    target = folder / "similarities.npy"
    with (
        reading(path, NUMPY),
        zipfile.ZipFile(path) as archive,
        archive.open(f"{name}.npy") as source,
        target.open("wb") as file,
    ):
        shutil.copyfileobj(source, file)
    return target


def _chosen(path: Path, key: str | None, names: list[str], flag: str) -> str:
    held = ", ".join(sorted(names)[:20]) or "nothing"
    if key is not None:
        if key not in names:
            raise UsageError(f"--key {key}: {path} holds {held}.")
        return key
    if len(names) != 1:
        raise UsageError(f"{path} holds {held}: {flag}.")
    return names[0]


def _as_numbers(path: Path, stored: np.ndarray) -> Similarities:
    kind = stored.dtype.str[1:]
    if kind in {"f2", "f4", "f8"}:
        exact = np.float64 if kind == "f8" else np.float32
        return Similarities(stored, lambda part: np.asarray(part, dtype=exact), stored.dtype.name)
    if kind in _WHOLE:
        return Similarities(stored, lambda part: np.asarray(part, dtype=np.float64), stored.dtype.name)
    raise InvalidData(f"{path} holds {stored.dtype}: write the numbers as float16, float32 or float64.")


def _tensor(path: Path, key: str | None, flag: str) -> Similarities:
    from safetensors import safe_open

    with reading(path, SAFETENSORS), safe_open(path, framework="numpy") as file:  # header and data agree
        names = list(file.keys())
    name = _chosen(path, key, names, flag)
    with reading(path, SAFETENSORS), path.open("rb") as raw:
        (length,) = struct.unpack("<Q", raw.read(8))
        entry = json.loads(raw.read(length))[name]
    if entry["dtype"] not in _TYPES:
        raise InvalidData(f"{path} holds {entry['dtype']}: write the numbers as F16, BF16, F32 or F64.")
    shape, offset = tuple(entry["shape"]), 8 + length + entry["data_offsets"][0]
    kind = np.dtype(_TYPES[entry["dtype"]])
    # An empty tensor cannot be mapped: it is refused for its shape by whoever ranks it.
    stored = (
        np.memmap(path, dtype=kind, mode="r", offset=offset, shape=shape) if 0 not in shape else np.empty(shape, kind)
    )
    if entry["dtype"] != "BF16":
        return _as_numbers(path, np.asarray(stored))
    return Similarities(
        np.asarray(stored),
        lambda part: (np.asarray(part, dtype=np.uint32) << np.uint32(16)).view(np.float32),
        "bfloat16",
    )

"""Features in safetensors: one file with a tensor a video, or one tensor for all; one file a video is in `folders`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import FEATURES, Entry
from bench.data.features.stacked import LENGTHS, NamedArrays, StackLayout, ids_beside, stacked
from bench.data.features.stored import StoredFeatures
from bench.errors import InvalidData
from bench.reading.outside import SAFETENSORS, reading, regular_file

BFLOAT16 = "BF16"
TYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(kind)
    for name, kind in {
        "F16": "<f2",
        BFLOAT16: "<f4",  # NumPy has no such type; float32 holds all its numbers
        "F32": "<f4",
        "F64": "<f8",
        "I32": "<i4",
        "I64": "<i8",
        "U8": "u1",
    }.items()
}


class TensorFile:
    """A safetensors file, whose tensors are read one by one."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when the file is not there; InvalidData when it is no whole safetensors file."""
        from safetensors import safe_open

        self._path = regular_file(path, "Put the safetensors file there, or correct `path` in bench.yaml.")
        with reading(path, SAFETENSORS):
            file: Any = safe_open(path, framework="numpy")  # header and data agree, or it is refused
            self._file = file
            self.names = frozenset(file.keys())

    def entry(self, name: str) -> Entry:
        """Returns shape and type of a tensor. Raises: InvalidData for a type that is none of NumPy's."""
        shape, kind = self._said(name)
        if kind not in TYPES:
            raise InvalidData(f"{self._path}: {name!r} is {kind}. Write it as float16, bfloat16, float32 or float64.")
        return shape, TYPES[kind]

    def load(self, name: str) -> np.ndarray:
        """Returns a tensor. Raises: InvalidData."""
        from safetensors import safe_open

        if self._said(name)[1] != BFLOAT16:
            with reading(self._path, SAFETENSORS):
                return np.asarray(self._file.get_tensor(name))
        with reading(self._path, SAFETENSORS), safe_open(self._path, framework="pt") as file:
            return np.asarray(file.get_tensor(name).float().numpy())

    def _said(self, name: str) -> tuple[tuple[int, ...], str]:
        with reading(self._path, SAFETENSORS):
            part = self._file.get_slice(name)
            return tuple(part.get_shape()), str(part.get_dtype())


def open_tensors(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one safetensors file. Raises: DataError."""
    file = TensorFile(path)
    if FEATURES not in file.names or not file.names <= {FEATURES, LENGTHS}:
        return StoredFeatures(declaration, NamedArrays(path, file))
    lengths = file.load(LENGTHS) if LENGTHS in file.names else None
    listed, ids = ids_beside(path)
    stack = stacked(f"{path} and {listed.name}", ids, file.load(FEATURES), lengths)
    return StoredFeatures(declaration, StackLayout((path, listed), SAFETENSORS, stack))

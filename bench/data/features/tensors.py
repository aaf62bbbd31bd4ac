"""Features in one safetensors file: a tensor for each video, named by its id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.row_contents import stamp
from bench.data.features.shapes import as_matrix
from bench.data.features.stored import MatrixEntry, StoredFeatures, matrix_entry
from bench.errors import InvalidData
from bench.reading.outside import SAFETENSORS, reading, regular_file

TYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(kind)
    for name, kind in {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1"}.items()
}


class TensorLayout:
    """A safetensors file with one tensor a video, (T, D) or of a like shape (`shapes`)."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData when the file is not there; InvalidData when it is no whole safetensors file."""
        from safetensors import safe_open

        self._path = regular_file(path, "Put the safetensors file there, or correct `path` in bench.yaml.")
        self._opened = stamp([path])
        with reading(path, SAFETENSORS):
            file: Any = safe_open(path, framework="numpy")  # header and data agree, or it is refused
            self._file = file
            self._names = frozenset(file.keys())

    def ids(self) -> Iterator[str]:
        yield from sorted(self._names)

    def find(self, video_id: str) -> MatrixEntry | None:
        if video_id not in self._names:
            return None
        with reading(self._path, SAFETENSORS):
            part = self._file.get_slice(video_id)
            shape, kind = tuple(part.get_shape()), part.get_dtype()
        if kind not in TYPES:
            raise InvalidData(f"{self._where(video_id)} is {kind}. Write it as float16, float32 or float64.")
        return matrix_entry(shape, TYPES[kind], self._where(video_id))

    def read(self, video_id: str) -> np.ndarray:
        with reading(self._path, SAFETENSORS):
            rows = np.asarray(self._file.get_tensor(video_id))
        return as_matrix(rows, self._where(video_id))

    def files(self, video_id: str) -> tuple[Path, ...]:
        if stamp([self._path]) != self._opened:
            raise InvalidData(f"{self._path} was changed after it was opened. Wait until it is whole; run again.")
        return (self._path,)

    def _where(self, video_id: str) -> str:
        return f"{self._path}: {video_id!r}"


def open_tensors(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from a safetensors file. Raises: DataError."""
    return StoredFeatures(declaration, TensorLayout(path))

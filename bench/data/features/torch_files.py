"""Features that torch saved: nothing but tensors, numbers, texts, lists and dictionaries is unpickled (`weights_only`).

    {<video id>: (T, D)}                               a tensor a video
    {"features": …, "ids" or "video_id": […]}          one tensor for all, as in npz; with `lengths` where rows differ
    (n, T, D) or (n, D)                                a tensor, and its ids in a file beside it, as of an npy

One file a video is in `folders`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data.declared import FeatureDeclaration
from bench.data.features.arrays import FEATURES, Entry
from bench.data.features.stacked import IDS, LENGTHS, NamedArrays, StackLayout, ids_beside, stacked
from bench.data.features.stored import StoredFeatures
from bench.errors import InvalidData
from bench.reading.outside import TORCH, foreign, reading, regular_file

if TYPE_CHECKING:
    from torch import Tensor

REFUSED = "Weights only load failed"
"""What torch says where anything else would have to be unpickled."""
SAVE = "torch.save({video_id: tensor, …})"


def saved(path: Path) -> Any:
    """Returns what torch saved in a file, mapped where it can be.

    Raises: MissingData; InvalidData for a damaged file, one that is packed, and one that holds other objects.
    """
    import torch

    regular_file(path, "Put the file there, or correct `path` in bench.yaml.")
    if (other := foreign(path, TORCH)) is not None:
        raise other
    with reading(path, TORCH):
        zipped = zipfile.is_zipfile(path)
        if zipped:
            with zipfile.ZipFile(path) as archive:
                if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                    raise InvalidData(f"{path} is packed, as torch packs nothing. Write it again by {SAVE}.")
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
        except Exception as error:
            if REFUSED not in str(error):
                raise
            raise InvalidData(
                f"{path} holds objects that are no tensors, which could run any code when they are opened. Write it "
                f"again by {SAVE}, of tensors alone: torch.from_numpy makes one of an array."
            ) from error


class TorchFile:
    """Tensors that torch saved, by name; a tensor alone is called `features`."""

    def __init__(self, path: Path) -> None:
        """Raises: MissingData, InvalidData."""
        import torch

        self._path = path
        held = saved(path)
        self.alone = isinstance(held, torch.Tensor)
        self.held: dict[str, Any] = {FEATURES: held} if self.alone else held
        if not isinstance(self.held, dict):
            raise InvalidData(f"{path} holds a {type(held).__name__}, not tensors by id. Write it again by {SAVE}.")
        self.held = {str(name): value for name, value in self.held.items()}
        self.names = self.held.keys()

    def entry(self, name: str) -> Entry:
        """Returns shape and type of a tensor; bfloat16 is read as float32. Raises: InvalidData for no plain tensor."""
        import torch

        tensor = self._tensor(name)
        kind = torch.float32 if tensor.dtype == torch.bfloat16 else tensor.dtype
        return tuple(tensor.shape), np.dtype(str(kind).removeprefix("torch."))

    def load(self, name: str) -> np.ndarray:
        """Returns the numbers of a tensor. Raises: InvalidData for no plain tensor."""
        import torch

        tensor = self._tensor(name)
        with reading(self._path, TORCH):
            return np.asarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy())

    def _tensor(self, name: str) -> Tensor:
        import torch

        value = self.held.get(name)
        if not isinstance(value, torch.Tensor):
            raise InvalidData(f"{self._path}: {name!r} is a {type(value).__name__}, not a tensor. Write it by {SAVE}.")
        plain = value.layout == torch.strided and not value.is_quantized and not value.is_meta
        if not plain or value.dtype.is_complex:
            raise InvalidData(f"{self._path}: {name!r} is no plain tensor of numbers. Write it by .to_dense().float().")
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InvalidData(f"{self._path}: {name!r} repeats fewer numbers. Write all, by tensor.contiguous().")
        return value.detach()


def open_torch(declaration: FeatureDeclaration, path: Path) -> StoredFeatures:
    """Returns features from one file that torch saved. Raises: DataError."""
    file = TorchFile(path)
    ids_name = next((name for name in IDS if name in file.names), None)
    if not file.alone and (ids_name is None or FEATURES not in file.names):
        return StoredFeatures(declaration, NamedArrays(path, file))
    lengths = np.asarray(file.held[LENGTHS]) if LENGTHS in file.names else None
    if ids_name is None:
        listed, ids = ids_beside(path)
        paths: tuple[Path, ...] = (path, listed)
    else:
        paths, ids = (path,), _texts(path, ids_name, file.held[ids_name])
    stack = stacked(" and ".join(map(str, paths)), ids, file.load(FEATURES), lengths)
    return StoredFeatures(declaration, StackLayout(paths, TORCH, stack))


def _texts(path: Path, name: str, value: Any) -> np.ndarray:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise InvalidData(f"{path}: {name!r} is no list of texts. Write the ids of the videos as one.")
    return np.array(value, dtype=str)

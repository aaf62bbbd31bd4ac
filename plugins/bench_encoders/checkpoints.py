"""Weights out of a file: safetensors, or a checkpoint of torch of which nothing but tensors is unpickled."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor, nn

from bench.api import InvalidData


def tensors_in(data: bytes, name: str) -> dict[str, Tensor]:
    """Returns the tensors of a file's bytes by name, on the CPU.

    A checkpoint of torch may hold them below `state_dict` or `model`, and after `module.` in their names.

    Raises: InvalidData for a file of neither form, and for one that holds anything but tensors.
    """
    try:
        if name.endswith(".safetensors"):
            return load(data)
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever two readers say of foreign bytes
        reason = " ".join(str(error).split())[:200]
        raise InvalidData(
            f"{name} holds no weights that can be read safely: {reason}. Save them as .safetensors, or as a plain "
            "dictionary of tensors by torch.save."
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InvalidData(f"{name} holds no dictionary of tensors. Save a network's state_dict() alone.")
    return {key.removeprefix("module."): value for key, value in content.items()}


def load_weights(network: nn.Module, path: str) -> None:
    """Loads a file's weights into a network. Raises: InvalidData when names or shapes are not the network's."""
    file = Path(path)
    tensors = tensors_in(file.read_bytes(), file.name)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidData(f"{file.name} holds the weights of another network: {reason}") from error

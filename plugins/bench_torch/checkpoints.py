"""torch's state dictionaries as bench `State` arrays and back: copies, never views of live weights, nothing pickled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from bench.api import InvalidData


def module_arrays(module: nn.Module, prefix: str) -> dict[str, np.ndarray]:
    """Returns copies of a module's parameters and buffers by name, each name after `prefix`."""
    return {prefix + name: as_array(tensor) for name, tensor in module.state_dict().items()}


def restore_module(module: nn.Module, arrays: Mapping[str, np.ndarray], prefix: str) -> None:
    """Puts the arrays of `module_arrays` back. Raises: InvalidData when names or shapes do not fit."""
    tensors = {name.removeprefix(prefix): as_tensor(a) for name, a in arrays.items() if name.startswith(prefix)}
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]  # every array that does not fit is listed
        raise InvalidData(
            f"the checkpoint does not fit the model: {reason}. Name another, or fit again with --no-resume."
        ) from error


def as_array(tensor: Tensor) -> np.ndarray:
    """Returns a copy on the CPU."""
    return tensor.detach().cpu().numpy().copy()


def as_tensor(array: np.ndarray) -> Tensor:
    """Returns a copy as a CPU tensor."""
    return torch.from_numpy(np.array(array))

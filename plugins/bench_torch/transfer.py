"""Between the host and a device, without anybody waiting; on a CPU everything is where it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Returns a tensor of the CPU on `device`; nobody waits for the copy."""
    if torch.device(device).type != "cuda" or tensor.is_cuda:
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


def beside(tensor: Tensor, values: Tensor) -> Tensor:
    """Returns a tensor of the CPU on the device of `values`; nobody waits for the copy."""
    return sent(tensor, values.device)


def fetched(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Returns int64 tensors of one device on the CPU, by one copy that is waited for."""
    if not tensors[0].is_cuda:
        return list(tensors)
    flat = torch.cat([tensor.flatten() for tensor in tensors]).cpu()
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


class Late:
    """A number on its way from a device to the host, which goes on meanwhile; on a CPU it is there at once."""

    def __init__(self, number: Tensor) -> None:
        """`number` is a scalar."""
        self._number = number.detach().to("cpu", non_blocking=True)
        self._arrival = None
        if number.is_cuda:
            self._arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrival.record(torch.cuda.current_stream(number.device))

    @property
    def is_here(self) -> bool:
        """Whether it has arrived."""
        return self._arrival is None or bool(self._arrival.query())  # type: ignore[no-untyped-call]

    def value(self) -> float:
        """Returns the number; waits for it where it has not arrived."""
        if self._arrival is not None:
            self._arrival.synchronize()
        return float(self._number)

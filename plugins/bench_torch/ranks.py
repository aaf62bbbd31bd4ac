"""Several processes, called ranks, train one network: each computes a part of every batch, and all take the same step.

A loss that uses other items of its batch is computed whole by every rank, from the embeddings of all of them. The
gradient of a rank's own part is the sum of what the ranks' losses, all equal, say about it: as many times too much as
there are ranks, and the mean of the parameters' gradients over the ranks puts that right, also for parameters that the
loss uses directly. To gather and put the own part back in place, as is often done, leaves out what the other ranks say
about it: the gradient is then a half on two ranks and a quarter on four.

Nothing here does anything in a process that trains alone, nor outside of `sharing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from bench.api import Ragged, VideoBatch

T = TypeVar("T")
_sharing = ContextVar("sharing", default=False)


def ranks() -> int:
    """Returns how many processes train one network together: 1 for a process that trains alone."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def is_first() -> bool:
    """Returns whether this process is the one that evaluates and saves."""
    return ranks() == 1 or distributed.get_rank() == 0


def part_of(group: Sequence[T]) -> Sequence[T]:
    """Returns this rank's part of a batch: all parts together are the batch, in order.

    A batch of fewer items than there are ranks is everybody's whole.
    """
    count = ranks()
    if len(group) < count:
        return group
    rank = distributed.get_rank() if count > 1 else 0
    return group[rank * len(group) // count : (rank + 1) * len(group) // count]


@contextmanager
def sharing(parts: bool) -> Iterator[None]:
    """Inside, losses are of the whole batch, where `parts` says that each rank has a part of it."""
    token = _sharing.set(parts)
    try:
        yield
    finally:
        _sharing.reset(token)


def gathered(rows: Tensor) -> Tensor:
    """Returns the rows of all ranks (sum of n, …), in the order of the batch, from those of this one (n, …).

    Their gradient reaches every rank's own rows; see above.
    """
    if not _sharing.get():
        return rows
    return _Gathered.apply(rows) if rows.is_floating_point() else _all_rows(rows)[0]  # type: ignore[no-untyped-call]


def gathered_parts(parts: Ragged) -> Ragged:
    """Returns the sequences of all ranks, in the order of the batch."""
    return Ragged(gathered(parts.values), gathered(parts.lengths)) if _sharing.get() else parts


def same_videos(videos: VideoBatch) -> Tensor | None:
    """Returns `VideoBatch.same` of the whole batch."""
    if not _sharing.get():
        return videos.same()
    codes = [int.from_bytes(hashlib.blake2b(id_.encode(), digest_size=8).digest(), signed=True) for id_ in videos.ids]
    numbers = gathered(torch.tensor(codes))
    if len(set(numbers.tolist())) == len(numbers):
        return None
    return (numbers[:, None] == numbers[None, :]).to(videos.durations.device)


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        everything, counts = _all_rows(rows)
        start = sum(counts[: distributed.get_rank()])
        ctx.own = slice(start, start + len(rows))
        return everything

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total[ctx.own]


def _all_rows(rows: Tensor) -> tuple[Tensor, list[int]]:
    """Returns the rows of all ranks, and how many each has."""
    own = torch.tensor([len(rows)])  # told between CPUs: a GPU need not be waited for
    sizes = [torch.empty_like(own) for _ in range(ranks())]
    distributed.all_gather(sizes, own)
    counts = [int(size) for size in sizes]
    padded = rows.new_zeros(max(counts), *rows.shape[1:])  # all ranks have to send equal shapes
    padded[: len(rows)] = rows.detach()
    received = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(received, padded)
    return torch.cat([part[:count] for part, count in zip(received, counts, strict=True)]), counts


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Gives every rank the mean of all ranks' gradients."""
    if ranks() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= ranks()
    means = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def take_weights_of_first(network: nn.Module) -> None:
    """Gives every rank the weights of the first."""
    if ranks() > 1:
        for tensor in network.state_dict().values():
            distributed.broadcast(tensor, 0)


def any_of(*flags: bool) -> list[bool]:
    """Returns of each flag whether it is set on any rank."""
    if ranks() == 1:
        return list(flags)
    together = torch.tensor(flags, dtype=torch.uint8)
    distributed.all_reduce(together, distributed.ReduceOp.MAX)
    return [bool(flag) for flag in together]


def of_first(value: float) -> float:
    """Returns the number that the first rank has, which need not be known elsewhere."""
    if ranks() == 1:
        return value
    number = torch.tensor(value, dtype=torch.float64)
    distributed.broadcast(number, 0)
    return float(number)

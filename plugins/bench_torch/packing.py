"""Sequences of different lengths in the order a recurrent network reads them: step by step, longest sequence first.

Letters for shapes: `n` sequences, `R` rows (the sum of their lengths), `T` steps (the longest length).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from bench.api import InvalidData, Ragged
from bench_torch.transfer import sent


@dataclass(frozen=True)
class Packing:
    """Where each row of ragged sequences stands in packed order. Step t holds its sequences in one block, no padding.

    Attributes:
        sizes: (T,) sequences that are still running at each step.
        lengths: (n,) int64, in the original order; on the CPU.
        order: (n,) int64, the sequences by falling length.
        ranks: (n,) int64, the place of each sequence in `order`.
        lasts: (n,) int64, the packed position of the last row of each sequence.
        starts: (T,) int64, the packed position at which each step begins.
        rows: (R,) int64, the ragged row at each packed position.
        positions: (R,) int64, the packed position of each ragged row.
        owners: (R,) int64, the sequence at each packed position.
    """

    sizes: tuple[int, ...]
    lengths: Tensor
    order: Tensor
    ranks: Tensor
    lasts: Tensor
    starts: Tensor
    rows: Tensor
    positions: Tensor
    owners: Tensor

    @classmethod
    def of(cls, lengths: Tensor, device: torch.device | str = "cpu") -> Packing:
        """Returns the packing of sequences of these lengths, (n,) int64. Raises: InvalidData for an empty sequence."""
        return packings([lengths], device)[0]

    def pack(self, values: Tensor) -> Tensor:
        """Returns ragged rows (R, *) in packed order."""
        return cast("Tensor", Reordered.apply(values, self.rows, self.positions))  # type: ignore[no-untyped-call]

    def unpack(self, packed: Tensor) -> Ragged:
        """Returns packed rows (R, *) as the ragged sequences they came from."""
        return Ragged(Reordered.apply(packed, self.positions, self.rows), self.lengths)  # type: ignore[no-untyped-call]

    def last(self, packed: Tensor) -> Tensor:
        """Returns (n, *): the last row of each sequence, in the original order."""
        return packed[self.lasts]

    def latest_first(self) -> Tensor:
        """Returns (n, T) int64: the packed positions of each sequence, its last first, then its first again."""
        steps = torch.arange(len(self.sizes), device=self.starts.device)
        tops = sent(self.lengths - 1, self.starts.device)
        return self.starts[(tops[:, None] - steps).clamp(min=0)] + self.ranks[:, None]


class Reordered(torch.autograd.Function):
    """`values[there]`, where `there` and `back` are permutations that undo each other: gradients move too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, there: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return values[there]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0][ctx.saved_tensors[0]], None, None


_in_use: WeakValueDictionary[tuple[str, bool, bytes], Packing] = WeakValueDictionary()
"""The packings that somebody holds, by device, inference mode and lengths: encoder and decoder share one."""


def packings(several: Sequence[Tensor], device: torch.device | str) -> list[Packing]:
    """Returns the packing of each of several lists of lengths, sent to `device` in one copy that nobody waits for.

    Raises: InvalidData for an empty sequence.
    """
    hosted = [lengths.cpu() for lengths in several]
    kind = (str(device), torch.is_inference_mode_enabled())
    keys = [(*kind, lengths.numpy().tobytes()) for lengths in hosted]
    known = {key: packing for key in keys if (packing := _in_use.get(key)) is not None}
    fresh = {key: lengths for key, lengths in zip(keys, hosted, strict=True) if key not in known}
    indices = [_indices(lengths) for lengths in fresh.values()]
    parts = iter(_sent_together([index for packing in indices for index in packing], device))
    for (key, lengths), of_them in zip(fresh.items(), indices, strict=True):
        starts, total = of_them[3], len(of_them[4])
        sizes = tuple(torch.diff(starts, append=torch.tensor([total])).tolist())
        known[key] = _in_use[key] = Packing(sizes, lengths, *islice(parts, len(of_them)))
    return [known[key] for key in keys]


def _indices(counts: Tensor) -> tuple[Tensor, ...]:
    """Returns the tensors of a packing on the CPU, from `order` to `owners`."""
    if len(counts) == 0 or int(counts.min()) < 1:
        raise InvalidData("a sequence without a single row cannot be encoded. Drop empty videos and sentences.")
    order = counts.argsort(descending=True, stable=True)
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order))
    sizes = len(counts) - torch.bincount(counts).cumsum(0)[:-1]
    starts = sizes.cumsum(0) - sizes
    stops = counts.cumsum(0)
    owners = torch.arange(len(counts)).repeat_interleave(counts)
    positions = starts[torch.arange(len(owners)) - (stops - counts)[owners]] + ranks[owners]
    rows = torch.empty_like(positions)
    rows[positions] = torch.arange(len(positions))
    return order, ranks, positions[stops - 1], starts, rows, positions, owners[rows]


def _sent_together(tensors: Sequence[Tensor], device: torch.device | str) -> Sequence[Tensor]:
    if torch.device(device).type != "cuda" or not tensors:
        return tensors
    sizes = [len(tensor) for tensor in tensors]
    return torch.split(sent(torch.cat(list(tensors)), device), sizes)

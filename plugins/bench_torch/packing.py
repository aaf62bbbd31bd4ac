"""Sequences of different lengths in the order a recurrent network reads them: step by step, longest sequence first.

Letters for shapes: `n` sequences, `R` rows (the sum of their lengths), `T` steps (the longest length).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import InvalidData, Ragged


@dataclass(frozen=True)
class Packing:
    """Where each row of ragged sequences stands in packed order. Step t holds its sequences in one block, no padding.

    Attributes:
        order: (n,) int64, the sequences by falling length.
        ranks: (n,) int64, the place of each sequence in `order`.
        rows: (R,) int64, the ragged row at each packed position.
        positions: (R,) int64, the packed position of each ragged row.
        sizes: (T,) sequences that are still running at each step.
        lengths: (n,) int64, in the original order.
    """

    order: Tensor
    ranks: Tensor
    rows: Tensor
    positions: Tensor
    sizes: tuple[int, ...]
    lengths: Tensor

    @classmethod
    def of(cls, lengths: Tensor) -> Packing:
        """Returns the packing of sequences of these lengths, (n,) int64. Raises: InvalidData for an empty sequence."""
        device, counts = lengths.device, lengths.cpu()
        if len(counts) == 0 or int(counts.min()) < 1:
            raise InvalidData("a sequence without a single row cannot be encoded. Drop empty videos and sentences.")
        order = counts.argsort(descending=True, stable=True)
        ranks = torch.empty_like(order)
        ranks[order] = torch.arange(len(order))
        sizes = len(counts) - torch.bincount(counts).cumsum(0)[:-1]
        starts = sizes.cumsum(0) - sizes
        times = torch.arange(int(counts.sum())) - (counts.cumsum(0) - counts).repeat_interleave(counts)
        positions = starts[times] + ranks.repeat_interleave(counts)
        rows = torch.empty_like(positions)
        rows[positions] = torch.arange(len(positions))
        return cls(
            order=order.to(device),
            ranks=ranks.to(device),
            rows=rows.to(device),
            positions=positions.to(device),
            sizes=tuple(sizes.tolist()),
            lengths=lengths,
        )

    def pack(self, values: Tensor) -> Tensor:
        """Returns ragged rows (R, *) in packed order."""
        return values[self.rows]

    def unpack(self, packed: Tensor) -> Ragged:
        """Returns packed rows (R, *) as the ragged sequences they came from."""
        return Ragged(packed[self.positions], self.lengths)

    def last(self, packed: Tensor) -> Tensor:
        """Returns (n, *): the last row of each sequence, in the original order."""
        return packed[self.positions[self.lengths.cumsum(0) - 1]]

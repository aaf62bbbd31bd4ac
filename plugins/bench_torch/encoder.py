"""From a sequence to one vector: its mean, or a GRU over it with its states pooled.

Letters for shapes: `n` sequences, `R` rows (sum of their lengths), `H` hidden size, `T` steps of the longest.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.api import Ragged
from bench_torch.gru import GRU, States

POOLINGS = ("max", "last", "attention")


def means(sequences: Ragged) -> Tensor:
    """Returns (n, d): the mean of each sequence of (length, d)."""
    total = sequences.values.new_zeros(len(sequences), sequences.values.shape[1])
    return total.index_add(0, sequences.owners(), sequences.values) / sequences.beside(sequences.lengths)[:, None]


class Maximum(torch.autograd.Function):
    """Element-wise maximum over the steps of packed sequences: (R, H) -> (n, H) in their original order.

    All steps are looked at together, and so are their gradients: a GPU is told few things instead of some at each step.
    The gradient of a maximum reached at several steps goes to the last of them, so it is counted once.
    """

    @staticmethod
    def forward(ctx: Any, packed: Tensor, latest_first: Tensor) -> Tensor:
        best, places = packed[latest_first].max(dim=1)  # of equal ones the first, which is the last step
        ctx.rows = len(packed)
        ctx.save_for_backward(latest_first.gather(1, places))
        return best

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return grads[0].new_zeros(ctx.rows, rows.shape[1]).scatter_(0, rows, grads[0]), None


class Pooling(nn.Module):
    """Pools the states of each sequence into one vector.

    Source: the HSE code pools by the element-wise maximum; its options are the last state and attention.
    """

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        if kind not in POOLINGS:
            raise ValueError(f"pooling {kind!r} is none of {POOLINGS}")
        self.kind = kind
        if kind == "attention":
            self.attention = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, states: States) -> Tensor:
        """Returns (n, H), in the original order of the sequences."""
        if self.kind == "max":
            best = Maximum.apply(states.packed, states.packing.latest_first())  # type: ignore[no-untyped-call]
            return cast("Tensor", best)
        if self.kind == "last":
            return states.last()
        return self._attend(states)

    def _attend(self, states: States) -> Tensor:
        sequences = states.ragged()
        scores = self.attention(sequences.values)[:, 0].float()
        padded = Ragged(scores, sequences.lengths).padded(-torch.inf)
        weights = padded.softmax(dim=1).flatten()[sequences.places()]
        total = sequences.values.new_zeros(len(sequences), sequences.values.shape[1])
        return total.index_add(0, sequences.owners(), weights[:, None] * sequences.values)


class SequenceEncoder(nn.Module):
    """n sequences of (length, inputs) -> (n, hidden)."""

    def __init__(self, inputs: int, hidden: int, pooling: str) -> None:
        super().__init__()
        self.gru = GRU(inputs, hidden)
        self.pooling = Pooling(pooling, hidden)

    def forward(self, sequences: Ragged, initial: Tensor | None = None) -> Tensor:
        """Returns (n, hidden), starting each sequence from `initial` (n, hidden) or from zero."""
        if self.pooling.kind == "max" and not sequences.values.is_cuda:
            return self.gru.maximum(sequences, initial)
        pooled: Tensor = self.pooling(self.gru(sequences, initial))
        return pooled

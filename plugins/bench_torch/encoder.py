"""A recurrent encoder: a GRU over each sequence, pooled into one vector."""

from __future__ import annotations

from torch import Tensor, nn

from bench.api import Ragged
from bench_torch.gru import GRU
from bench_torch.pooling import Pooling


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

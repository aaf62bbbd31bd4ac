"""The network: local transformers over frames or words, global ones over clips or sentences.

Letters for shapes: `n` sequences, `T` steps of the longest, `H` hidden size, `B` videos, `S` clips or sentences.
Source: Ging et al., NeurIPS 2020, sections 3.1 and 3.2, and the configuration of its released code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import Ragged

POOLING_HEADS = 2


@dataclass(frozen=True)
class Side:
    """What one side of a batch was encoded into; raw vectors, not normalised.

    Attributes:
        parts: B sequences of (parts, H): clips or sentences, by the local transformer.
        context: (B, H): the whole video or paragraph, by the same local transformer.
        whole: (B, 2 H): the parts by the global transformer, pooled, beside what the context found in them.
    """

    parts: Ragged
    context: Tensor
    whole: Tensor


class Attention(nn.Module):
    """One transformer layer: attention and a pointwise network, each with a residual and a norm after it."""

    def __init__(self, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(hidden, heads, dropout, batch_first=True)
        self.pointwise = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.norms = nn.ModuleList([nn.LayerNorm(hidden), nn.LayerNorm(hidden)])
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequences: Ragged) -> Ragged:
        """Returns the same sequences, (length, H) each, after each row has seen all rows of its own sequence."""
        states, mask = sequences.padded(), sequences.mask()
        found, _ = self.attention(states, states, states, key_padding_mask=~mask, need_weights=False)
        return Ragged(self.after(sequences.values, found[mask]), sequences.lengths)

    def of(self, queries: Tensor, sequences: Ragged) -> Tensor:
        """Returns (n, H): one query (n, H) to each sequence of (length, H)."""
        states, mask = sequences.padded(), sequences.mask()
        found, _ = self.attention(queries[:, None], states, states, key_padding_mask=~mask, need_weights=False)
        return self.after(queries, found[:, 0])

    def after(self, rows: Tensor, found: Tensor) -> Tensor:
        """Returns (R, H): both residuals with their norms; on rows without padding, which is most of the work saved."""
        rows = self.norms[0](rows + self.dropout(found))
        answer: Tensor = self.norms[1](rows + self.dropout(self.pointwise(rows)))
        return answer


class AttentionPooling(nn.Module):
    """Attention-aware pooling: each number of the result is a mean over time with weights of its own.

    Source: section 3.1, "attention-aware feature aggregation".
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        size = hidden // POOLING_HEADS
        self.first = nn.Parameter(torch.randn(POOLING_HEADS, size, 2 * size) / math.sqrt(size))
        self.second = nn.Parameter(torch.randn(POOLING_HEADS, 2 * size, size) / math.sqrt(2 * size))

    def forward(self, sequences: Ragged) -> Tensor:
        """Returns (n, H) from n sequences of (length, H)."""
        split = sequences.values.reshape(len(sequences.values), POOLING_HEADS, -1)
        inner = nn.functional.gelu(torch.einsum("rhd,hde->rhe", split, self.first))
        scores = torch.einsum("rhe,hed->rhd", inner, self.second).flatten(1)
        mask = sequences.mask()
        padded = scores.new_full((*mask.shape, scores.shape[1]), -torch.inf, dtype=torch.float32)
        padded[mask] = scores.float()
        return (padded.softmax(dim=1) * sequences.padded()).sum(dim=1)


class Local(nn.Module):
    """Frames or words of each sequence -> one vector."""

    def __init__(self, inputs: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.map = nn.Sequential(nn.Linear(inputs, hidden), nn.GELU())
        self.layer = Attention(hidden, heads, dropout)
        self.pooling = AttentionPooling(hidden)

    def forward(self, sequences: Ragged) -> Tensor:
        """Returns (n, H) from n sequences of (length, inputs)."""
        mapped = Ragged(self.map(self.norm(sequences.values)), sequences.lengths)
        pooled: Tensor = self.pooling(self.layer(placed(mapped)))
        return pooled


class Global(nn.Module):
    """Clips of each video, or sentences of each paragraph, with its context -> one vector of twice the size."""

    def __init__(self, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.layer = Attention(hidden, heads, dropout)
        self.context = Attention(hidden, heads, dropout)

    def forward(self, parts: Ragged, context: Tensor) -> Tensor:
        """Returns (B, 2 H): the mean of the parts that have seen each other, beside the context that has seen them."""
        seen: Ragged = self.layer(placed(parts))
        total = seen.values.new_zeros(len(seen), seen.values.shape[1]).index_add(0, seen.owners(), seen.values)
        return torch.cat([total / seen.beside(seen.lengths)[:, None], self.context.of(context, seen)], dim=1)


class Hierarchy(nn.Module):
    """Both levels of one side."""

    def __init__(self, inputs: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.local = Local(inputs, hidden, heads, dropout)
        self.whole = Global(hidden, heads, dropout)

    def forward(self, parts: Ragged, wholes: Ragged, counts: Tensor) -> Side:
        """Encodes S part sequences and B whole ones; `counts` (B,) says how many parts each whole has."""
        local = Ragged(self.local(parts), counts)
        context: Tensor = self.local(wholes)
        return Side(local, context, self.whole(local, context))


def placed(sequences: Ragged) -> Ragged:
    """Returns n sequences of (length, H) with sines and cosines of each row's position added."""
    values = sequences.values
    place = torch.arange(len(values), device=values.device) - sequences.offsets()[sequences.owners()]
    hidden = values.shape[1]
    rate = torch.exp(torch.arange(0, hidden, 2, device=values.device) * (-math.log(10000.0) / hidden))
    angle = place[:, None] * rate
    waves = torch.stack([torch.sin(angle), torch.cos(angle)], dim=2).flatten(1)[:, :hidden]
    return Ragged(values + waves, sequences.lengths)

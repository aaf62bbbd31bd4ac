"""Segments of a video in the context of the segments before and after them.

Letters for shapes: `B` videos, `S` segments of a batch, `n` segments of the video with the most, `H` state size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.api import Ragged, VideoBatch
from bench_torch.lstm import LSTM

PARTS = {"none": 1, "online": 2, "full": 3}
"""How many states a segment is described by under each setting of `context`."""


class SegmentEncoder(nn.Module):
    """The last state of an LSTM over the frames of each segment, beside weighted means of its neighbours' states.

    For segment i with state h_i and end e_i:  past_i = 1/Z * sum of w_ij h_j over the j != i with e_j < e_i,
    future_i the same over those with e_j >= e_i, Z the number of these neighbours, w_ij = (W h_i + b) . h_j with
    attention and 1 without. A segment is described by [past ; own ; future] (full), [past ; own] (online) or [own]
    (none). Without neighbours a mean is zero.
    Source: Krishna et al., ICCV 2017, section 3.2, as recalled (their code is not public). There the states come from a
    proposal network over several strides; here segments are given, and the proposal head and its loss are left out.
    """

    def __init__(self, dim: int, hidden: int, context: str, *, attention: bool) -> None:
        super().__init__()
        self.context = context
        self.size = PARTS[context] * hidden
        self.lstm = LSTM(dim, hidden)
        self.attention: nn.Linear | None = None
        if attention and context != "none":
            self.attention = nn.Linear(hidden, hidden)
            nn.init.normal_(self.attention.weight, std=0.01)
            nn.init.zeros_(self.attention.bias)

    def forward(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, size) float32."""
        _, memory = self.lstm(videos.clip_frames)
        return self.describe(memory.hidden, videos.segments)

    def describe(self, states: Tensor, segments: Ragged) -> Ragged:
        """Returns B sequences of (segments, size) from states (S, H) and segments, start and end in seconds."""
        if self.context == "none":
            return Ragged(states, segments.lengths)
        with torch.autocast(states.device.type, enabled=False):
            present = segments.mask()
            own = Ragged(states.float(), segments.lengths).padded()
            ends = Ragged(segments.values[:, 1], segments.lengths).padded()
            others = present[:, None, :] & ~torch.eye(present.shape[1], dtype=torch.bool, device=states.device)
            earlier = ends[:, None, :] < ends[:, :, None]
            weights = torch.ones_like(others, dtype=own.dtype)
            if self.attention is not None:
                weights = self.attention(own) @ own.transpose(1, 2)
            parts = [_mean(own, weights, others & earlier), own]
            if self.context == "full":
                parts.append(_mean(own, weights, others & ~earlier))
            return Ragged(torch.cat(parts, dim=2).flatten(0, 1)[segments.places()], segments.lengths)


def _mean(states: Tensor, weights: Tensor, counted: Tensor) -> Tensor:
    """Returns (B, n, H): for row i the sum of weights[i, j] * states[j] over the counted j, divided by their number."""
    number = counted.sum(dim=2, keepdim=True).clamp(min=1)
    return weights.masked_fill(~counted, 0.0) @ states / number

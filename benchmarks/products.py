"""The multiply-adds of one training step that no formulation can avoid, counted over valid rows only.

A product of (m, k) and (k, n) counts m * k * n. Its gradient costs as much again for each factor that needs one.
"""

from __future__ import annotations

from torch import Tensor

from bench.api import VideoBatch
from bench_fse.model import FSENetwork
from bench_hse.model import Hierarchy, HSENetwork
from bench_torch.gru import GRU
from bench_torch.text import Text


def multiply_adds(network: FSENetwork | HSENetwork, videos: VideoBatch, text: Text) -> int:
    """Returns the multiply-adds of loss and gradients of `network` over one batch."""
    frames, words = videos.frames.lengths, text.paragraphs().lengths
    batch = len(frames)
    if isinstance(network, FSENetwork):
        encoders = recurrence(network.video_encoder.gru, frames, learned=False)
        encoders += recurrence(network.text_encoder.gru, words)
        return encoders + similarities(batch, network.shape.hidden, pairs=1, selves=0)
    seen = _side(network.video, videos.clip_frames.lengths, frames, videos.segments.lengths, learned=False)
    written = _side(network.text, text.sentences.lengths, words, text.counts, learned=True)
    hidden = network.video.low.gru.cell.hidden_size
    clusters = 2 if network.terms.cluster else 0
    low = network.terms.low == "strong"
    losses = similarities(batch, hidden, pairs=2, selves=clusters)
    return seen + written + losses + low * similarities(int(text.counts.sum()), hidden, pairs=1, selves=clusters)


def _side(side: Hierarchy, parts: Tensor, wholes: Tensor, counts: Tensor, *, learned: bool) -> int:
    total = recurrence(side.low.gru, parts, learned=learned) + recurrence(side.low.gru, wholes, learned=learned)
    total += recurrence(side.high.gru, counts, initial=True)
    if hasattr(side, "high_decoder"):
        total += recurrence(side.high_decoder, counts, repeated=True)
        total += recurrence(side.low_decoder, parts, repeated=True)
    return total


def recurrence(
    gru: GRU, lengths: Tensor, *, initial: bool = False, repeated: bool = False, learned: bool = True
) -> int:
    """Returns the multiply-adds of a GRU over sequences of `lengths`, with its gradients.

    A first step from zero multiplies no state; a repeated input is projected once; inputs that are not learned need
    no gradient.
    """
    inputs, hidden = gru.cell.input_size, gru.cell.hidden_size
    rows, count = int(lengths.sum()), len(lengths)
    of_inputs = (count if repeated else rows) * inputs * 3 * hidden
    of_states = (rows if initial else rows - count) * hidden * 3 * hidden
    return (3 if learned else 2) * of_inputs + 3 * of_states


def similarities(count: int, dim: int, *, pairs: int, selves: int) -> int:
    """Returns the multiply-adds of so many (count, count) matrices of cosines, with their gradients."""
    return 3 * (pairs + selves) * count * count * dim

"""FSE and HSE as one would first write them: `torch.nn.GRU` over padded sequences, a mask, no tricks.

They take the weights of our networks, so that losses and gradients can be compared number by number. The losses above
the encoders are the same functions; what differs is every recurrence, pooling and decoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.api import Ragged, VideoBatch
from bench_fse.loss import flat_loss
from bench_fse.model import FSENetwork
from bench_hse.loss import Side, Terms, matching_loss
from bench_hse.model import Hierarchy, HSENetwork
from bench_torch.encoder import SequenceEncoder
from bench_torch.losses import reconstruction_loss
from bench_torch.text import Text


def plain_loss(network: FSENetwork | HSENetwork, videos: VideoBatch, text: Text) -> Tensor:
    """Returns the loss of `network`, computed by padded GRUs with its weights."""
    words, sentences = network.words(text.paragraphs()), network.words(text.sentences)
    if isinstance(network, FSENetwork):
        shape = network.shape
        of_videos, of_text = encode(network.video_encoder, videos.frames), encode(network.text_encoder, words)
        return flat_loss(of_videos, of_text, shape.margin, hardest=shape.hardest)
    seen = encode_side(network.video, videos.clip_frames, videos.frames, videos.segments.lengths)
    written = encode_side(network.text, sentences, words, text.counts)
    total = matching_loss(seen, written, network.terms)
    if network.terms.tau > 0:
        total = total + reconstruct(network.video, seen, videos.clip_frames, network.terms)
        total = total + reconstruct(network.text, written, sentences, network.terms)
    return total


def encode_side(side: Hierarchy, parts: Ragged, wholes: Ragged, counts: Tensor) -> Side:
    """Encodes parts and wholes by the low encoder, one after the other, then the parts of each whole by the high."""
    flat = encode(side.low, wholes)
    pooled = Ragged(encode(side.low, parts), counts)
    return Side(pooled, flat, encode(side.high, pooled, flat))


def encode(encoder: SequenceEncoder, sequences: Ragged, initial: Tensor | None = None) -> Tensor:
    """Returns (n, H): the maximum over the states of each sequence."""
    states = run(encoder.gru.cell, sequences.padded(), initial)
    return states.masked_fill(~sequences.mask()[:, :, None], -torch.inf).amax(1)


def reconstruct(side: Hierarchy, encoded: Side, rows: Ragged, terms: Terms) -> Tensor:
    """Returns the weighted reconstruction losses of both storeys."""
    parts = unroll(side.high_decoder.cell, encoded.sequence, encoded.parts)
    below = unroll(side.low_decoder.cell, parts, rows)
    upper = terms.tau * reconstruction_loss(parts, encoded.parts.values)
    return upper + terms.tau_low * reconstruction_loss(below, rows.values)


def unroll(cell: nn.GRU, vectors: Tensor, like: Ragged) -> Tensor:
    """Returns the states (R, H) of a GRU that reads vector i at every step of a sequence as long as `like[i]`."""
    mask = like.mask()
    return run(cell, vectors[:, None, :].expand(-1, mask.shape[1], -1), None)[mask]


def run(cell: nn.GRU, padded: Tensor, initial: Tensor | None) -> Tensor:
    """Returns states (n, steps, H) over padded inputs (n, steps, D)."""
    states: Tensor = cell(padded.transpose(0, 1), None if initial is None else initial[None])[0]
    return states.transpose(0, 1)

"""Windows slid over whole videos, for models that embed clips and sentences.

Letters: `B` videos of a batch, `T` feature rows of a video, `W` windows of a video, `d` size of an embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.api import ClipTextEncoder, Ragged, VideoBatch
from vtbench_moments.finding import PARTS

BOUNDS = tuple((first, last) for first in range(PARTS) for last in range(first + 1, PARTS + 1))
"""(W,) windows in parts; the earliest first, of those that start together the shortest."""


def nearest_windows(
    model: ClipTextEncoder, videos: VideoBatch, places: Sequence[int], sentences: Sequence[str]
) -> Tensor:
    """Returns (n, 2) float32 on the CPU: the window nearest by cosine to each sentence, in the video at its place.

    Of windows that are equally near it is the first of `BOUNDS`.
    """
    clips = model.embed_clips(_windowed(videos)).values.view(len(videos), len(BOUNDS), -1)
    said = model.embed_sentences([(sentence,) for sentence in sentences]).values
    clips, said = (torch.nn.functional.normalize(side, dim=-1) for side in (clips, said))
    own = torch.tensor(places, device=clips.device)
    nearest = torch.einsum("nwd,nd->nw", clips[own], said).argmax(dim=1).cpu()
    shares = torch.tensor(BOUNDS, dtype=torch.float32)[nearest] / PARTS
    return shares * videos.durations.cpu()[places, None]


def _windowed(videos: VideoBatch) -> VideoBatch:
    """Returns the same videos with the windows as their segments; a window has at least one row."""
    clips, lengths = [], []
    for rows in videos.frames.values.split(videos.frames.lengths.tolist()):
        for first, last in BOUNDS:
            start = min(first * len(rows) // PARTS, len(rows) - 1)
            clips.append(rows[start : max(-(-last * len(rows) // PARTS), start + 1)])
            lengths.append(len(clips[-1]))
    shares = torch.tensor(BOUNDS, dtype=torch.float32, device=videos.durations.device) / PARTS
    counts = torch.full((len(videos),), len(BOUNDS))
    return VideoBatch(
        ids=videos.ids,
        frames=videos.frames,
        segments=Ragged((shares[None] * videos.durations[:, None, None]).reshape(-1, 2), counts),
        clip_frames=Ragged(torch.cat(clips), torch.tensor(lengths)),
        durations=videos.durations,
    )

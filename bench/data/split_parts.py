"""Parts of a split as models get them: a paragraph under a view, and the videos before a view cuts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.data.digests import kept_positions, shuffled_positions
from bench.inputs import Paragraph, View

if TYPE_CHECKING:
    from bench.data.cutting import UncutVideos
    from bench.data.dataset import Dataset


def paragraph_of(columns: Mapping[str, list[Any]], index: int, view: View) -> Paragraph:
    """Returns the sentences of a video that a view keeps, in the order it gives them."""
    sentences, video_id = columns["sentences"][index], columns["video_id"][index]
    kept = kept_positions(video_id, len(sentences), view.keep_text, view)
    if view.shuffle == "sentences":
        kept = [kept[i] for i in shuffled_positions(video_id, len(kept), "sentence", view.seed)]
    return tuple(sentences[i] for i in kept)


def uncut_videos(dataset: Dataset, split: str, chosen: Sequence[int]) -> UncutVideos:
    """Returns the videos of a split at the positions `chosen`, under opaque ids."""
    import numpy as np

    from bench.data.cutting import UncutVideos

    columns = dataset.columns(split)
    sources = tuple(columns["video_id"][i] for i in chosen)
    return UncutVideos(
        ids=tuple(dataset.opaque(split, "video", video_id) for video_id in sources),
        sources=sources,
        durations=np.array([columns["duration"][i] for i in chosen], dtype=np.float64),
        timestamps=tuple(columns["timestamps"][i] for i in chosen),
        frames=np.array([columns["frames"][i] for i in chosen], dtype=np.int64) if "frames" in columns else None,
    )

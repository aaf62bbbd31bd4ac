"""What a model says to a batch, item by item and in one form for every capability, so that answers can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.inputs import Paragraph, Ragged, VideoBatch
from bench.models import (
    ClipTextEncoder,
    FlatTextEncoder,
    VideoCaptioner,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    VideoTextScorer,
    ZeroShotClassifier,
)
from bench.reading.numbers import number_of
from bench.testing.report import CheckFailed, NotApplicable

Items = list[Any]
"""One value for each video or paragraph: an array, or a tuple of sentences."""

OPTIONS = ("Walking the dog", "Playing squash", "Making a cake")
"""Classes that a model is told by name."""

CLOSE = 2e-4
"""The largest difference, in shares of the largest number, that the order of float32 sums may make."""


def of_videos(model: Any, videos: VideoBatch) -> dict[str, Items]:
    """Returns what the model says of each video, by method. Raises: CheckFailed for a wrong shape, type or number."""
    said: dict[str, Items] = {}
    count, parts = len(videos), videos.segments.lengths.tolist()
    if isinstance(model, VideoEncoder):
        said["embed_videos"] = list(rows_of("embed_videos", model.embed_videos(videos), count))
    if isinstance(model, VideoClassifier):
        said["classify"] = list(rows_of("classify", model.classify(videos), count))
    if isinstance(model, ZeroShotClassifier):
        said["choose"] = list(rows_of("choose", model.choose(videos, OPTIONS), count))
    if isinstance(model, FlatTextEncoder):
        said["embed_flat_videos"] = list(rows_of("embed_flat_videos", model.embed_flat_videos(videos), count))
    if isinstance(model, ClipTextEncoder):
        said["embed_clips"] = parts_of("embed_clips", model.embed_clips(videos), parts)
    if isinstance(model, VideoCaptioner):
        said["caption"] = sentences_of(model.caption(videos), parts)
    return said


def of_paragraphs(model: Any, paragraphs: Sequence[Paragraph]) -> dict[str, Items]:
    """Returns what the model says of each paragraph, by method. Raises: CheckFailed."""
    said: dict[str, Items] = {}
    if isinstance(model, VideoTextEncoder):
        said["embed_paragraphs"] = list(
            rows_of("embed_paragraphs", model.embed_paragraphs(paragraphs), len(paragraphs))
        )
    if isinstance(model, FlatTextEncoder):
        said["embed_flat_paragraphs"] = list(
            rows_of("embed_flat_paragraphs", model.embed_flat_paragraphs(paragraphs), len(paragraphs))
        )
    if isinstance(model, ClipTextEncoder):
        counts = [len(paragraph) for paragraph in paragraphs]
        said["embed_sentences"] = parts_of("embed_sentences", model.embed_sentences(paragraphs), counts)
    return said


def of_pairs(model: Any, videos: VideoBatch, paragraphs: Sequence[Paragraph]) -> dict[str, Items]:
    """Returns the model's scores of each paragraph with all videos. Raises: CheckFailed."""
    if not isinstance(model, VideoTextScorer):
        return {}
    scores = model.score(model.encode_videos(videos), model.encode_paragraphs(paragraphs))
    rows = rows_of("score", scores, len(paragraphs))
    if rows.shape[1] != len(videos):
        raise CheckFailed(f"score returned shape {rows.shape}, expected ({len(paragraphs)}, {len(videos)})")
    return {"score": list(rows)}


def rows_of(method: str, answer: Any, count: int) -> np.ndarray:
    """Returns (count, d) from a tensor. Raises: CheckFailed unless it is float32, finite and of that shape."""
    import torch

    if not isinstance(answer, torch.Tensor):
        raise CheckFailed(f"{method} returned {type(answer).__name__}, expected a torch tensor")
    if answer.dtype != torch.float32:
        raise CheckFailed(f"{method} returned {answer.dtype}, expected torch.float32")
    if answer.ndim != 2 or len(answer) != count:
        raise CheckFailed(f"{method} returned shape {tuple(answer.shape)}, expected ({count}, d)")
    rows: np.ndarray = answer.detach().cpu().numpy()
    if not np.isfinite(rows).all():
        raise CheckFailed(f"{method} returned NaN or infinity")
    return rows


def parts_of(method: str, answer: Any, counts: Sequence[int]) -> Items:
    """Returns an array (parts, d) for each video or paragraph. Raises: CheckFailed."""
    if not isinstance(answer, Ragged):
        raise CheckFailed(f"{method} returned {type(answer).__name__}, expected Ragged")
    if answer.lengths.tolist() != list(counts):
        raise CheckFailed(f"{method} returned lengths {answer.lengths.tolist()}, expected {list(counts)}")
    rows = rows_of(method, answer.values, sum(counts))
    return np.split(rows, np.cumsum(counts)[:-1])


def sentences_of(answer: Any, counts: Sequence[int]) -> Items:
    """Returns the sentences of each video. Raises: CheckFailed unless there is one text for each segment."""
    if not isinstance(answer, list) or len(answer) != len(counts):
        raise CheckFailed(
            f"caption returned {type(answer).__name__}, expected a list of {number_of(len(counts), 'paragraph')}"
        )
    for paragraph, count in zip(answer, counts, strict=True):
        if len(paragraph) != count or not all(isinstance(sentence, str) for sentence in paragraph):
            raise CheckFailed(
                f"caption returned {number_of(len(paragraph), 'sentence')} for a video of {number_of(count, 'segment')}"
            )
    return [tuple(paragraph) for paragraph in answer]


def require_same(expected: Mapping[str, Items], actual: Mapping[str, Items], when: str) -> str:
    """Returns the largest difference in words. Raises: CheckFailed when two answers are not the same."""
    largest = 0.0
    for method, items in expected.items():
        for a, b in zip(items, actual[method], strict=True):
            if isinstance(a, tuple):
                if a != b:
                    raise CheckFailed(f"{method} says something else {when}")
                continue
            scale = max(float(np.abs(a).max(initial=0.0)), 1e-12)
            gap = float(np.abs(a - b).max(initial=0.0)) / scale if a.shape == b.shape else np.inf
            largest = max(largest, gap)
            if gap > CLOSE:
                raise CheckFailed(f"{method} differs by {gap:.2g} of its largest number {when}")
    return f"largest difference {largest:.1g}"


def everything(model: Any, videos: VideoBatch, paragraphs: Sequence[Paragraph]) -> dict[str, Items]:
    """Returns all that the model says of a batch of videos and a batch of paragraphs.

    Raises: NotApplicable for a model that provides nothing but capabilities of its own task.
    """
    asked: tuple[Callable[[], dict[str, Items]], ...] = (
        lambda: of_videos(model, videos),
        lambda: of_paragraphs(model, paragraphs),
        lambda: of_pairs(model, videos, paragraphs),
    )
    said = {method: items for ask in asked for method, items in ask().items()}
    if not said:
        raise NotApplicable("only its task knows what to ask it: see how far that comes")
    return said

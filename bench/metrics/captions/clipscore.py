"""CLIPScore and RefCLIPScore: how near a caption is to what is seen and to what people wrote, in a space of both.

CLIPScore = w max(cos(caption, seen), 0) with w = 2.5. RefCLIPScore is the harmonic mean of that and of the cosine with
the nearest reference, max(max_r cos(caption, r), 0); it is 0 where either is.

Source: Hessel et al., "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", EMNLP 2021, section 3.
Equals clipscore.py of the authors' release (jmhessel/clipscore, commit 1036465) but where no reference is on the
caption's side: the release leaves the second maximum out, and so gives numbers below 0, or none.
"""

from __future__ import annotations

import numpy as np

from bench.errors import ModelError, UsageError
from bench.reading.numbers import number_of

WEIGHT = 2.5
TEMPLATE = "A photo depicts {}"
"""What the release puts before captions and before references."""


def clip_scores(seen: np.ndarray, captions: np.ndarray) -> np.ndarray:
    """Returns (n,) float64 CLIPScore of each caption, 0 to 2.5.

    Args:
        seen: (n, d) what each caption is about, in any length.
        captions: (n, d), of the same encoder.

    Raises: UsageError for arrays that do not fit; ModelError for a vector without direction.
    """
    first, second = _directions("picture", seen), _directions("caption", captions)
    if first.shape != second.shape:
        raise UsageError(f"pictures {first.shape} and captions {second.shape}: give a vector of each, of one encoder.")
    return np.asarray(WEIGHT * np.clip((first * second).sum(axis=1), 0.0, 1.0))


def ref_clip_scores(scores: np.ndarray, captions: np.ndarray, references: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Returns (n,) float64 RefCLIPScore of each caption, 0 to 10/7.

    Args:
        scores: (n,) CLIPScore of each.
        captions: (n, d) of the encoder.
        references: (sum of counts, d), those of each caption beside one another.
        counts: (n,) how many references each caption has, at least 1.

    Raises: UsageError for arrays that do not fit; ModelError for a vector without direction.
    """
    said, told = _directions("caption", captions), _directions("reference", references)
    counts = np.asarray(counts, dtype=np.int64)
    fits = len(scores) == len(said) == len(counts) and counts.sum() == len(told) and said.shape[1] == told.shape[1]
    if not fits or not (counts > 0).all():
        raise UsageError(
            f"{number_of(len(scores), 'score')}, captions {said.shape}, references {told.shape} in {len(counts):,} "
            "groups: each caption has a score and at least one reference of its own."
        )
    cosines = (np.repeat(said, counts, axis=0) * told).sum(axis=1)
    nearest = np.clip(np.maximum.reduceat(cosines, counts.cumsum() - counts), 0.0, 1.0)
    both = scores + nearest
    return np.asarray(np.divide(2.0 * scores * nearest, both, out=np.zeros(len(said)), where=both > 0.0))


def _directions(name: str, vectors: np.ndarray) -> np.ndarray:
    """Returns (n, d) float64, each of length 1. Raises: UsageError, ModelError."""
    values = np.asarray(vectors, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise UsageError(f"{name} vectors have shape {values.shape}: expected (n, d), at least one.")
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0.0)).all():
        row = int(np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0.0)))[0])
        raise ModelError(f"{name} vector {row} is all zeros or not finite, so it points nowhere. Mend the encoder.")
    return np.asarray(values / lengths)

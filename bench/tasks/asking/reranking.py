"""Another model's list ranked again: the best videos of each text are scored pair by pair, the others stay behind them.

A pair that was asked ranks before every pair of its text that was not, so the share of texts whose video is among the
best of the list is all that a recall can reach: R@K of such a run, at K as many as were asked, is the list's own.
"""

from __future__ import annotations

import numpy as np

from bench.errors import ModelError
from bench.execution import Execution
from bench.inputs import Inputs
from bench.models import VideoTextReranker
from bench.predictions import PairScores
from bench.tasks.asking.pair_scoring import score_pairs
from bench.tasks.task import Progress, Scratch

SPAN = 50.0
"""Scores of asked pairs lie between minus and plus this."""


def reranked(
    model: VideoTextReranker, inputs: Inputs, execution: Execution, progress: Progress, scratch: Scratch | None = None
) -> PairScores:
    """Returns a score for every pair, in the order of the inputs: that of the list, or of the model above all of these.

    Raises: ModelError, DataError; SaveError when a finished tile cannot be written.
    """
    listed = model.listed(inputs.paragraph_ids, inputs.videos.ids)
    asked = best_of(listed, model.best)
    told = score_pairs(model, inputs, execution, progress, scratch, asked)
    if not (np.abs(told.scores[asked]) <= SPAN).all():
        raise ModelError(f"model {type(model).__name__!r} gave a score beyond {SPAN:g}. Fix its score_listed.")
    above = np.float32(np.ceil(listed.max(initial=0.0)) + SPAN + 1)
    return PairScores(told.video_ids, told.paragraph_ids, np.where(asked, told.scores + above, listed))


def best_of(scores: np.ndarray, count: int) -> np.ndarray:
    """Returns (n, m) bool: the `count` best of each row of `scores` (n, m); of equal ones the first."""
    asked = np.zeros(scores.shape, dtype=bool)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    np.put_along_axis(asked, order, values=True, axis=1)
    return asked

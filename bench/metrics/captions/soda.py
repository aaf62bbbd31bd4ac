"""SODA_c: how well the sentences said of a video tell its story, in order, each at its time.

The sentences of a video and those of one annotation are put in order of time and paired without crossing, so that the
sum of tIoU times METEOR over the pairs is greatest. F1 of that sum over the number of sentences on either side; of
several annotations the one with the greatest F1 counts; the score is the mean over videos.

Source: Fujita et al., "SODA: Story Oriented Dense Video Captioning Evaluation Framework", ECCV 2020. Equals release 1.1
of the authors' program with `--multi_reference`, on files in order of time; what starts at the same time is ordered by
its end and its words here, by the file there. METEOR is not symmetric: as in that program, the annotation's sentence is
scored with the said one as its reference, which gives other numbers than the paper's words would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Telling:
    """What was said of a video beside one annotation of it, both in order of time.

    Attributes:
        tiou: (r, p) float64, of each sentence of the annotation with each that was said.
        pair: (r, p) int64, which pair of sentences; -1 where the tIoU is 0.
    """

    tiou: np.ndarray
    pair: np.ndarray


def soda_c(videos: Sequence[Sequence[Telling]], meteor: np.ndarray) -> np.ndarray:
    """Returns (V,) float64 F1 of each video, 0 to 1; 0 for one of which nothing was said.

    Args:
        videos: the stories of each video, one for each annotation.
        meteor: (q,) METEOR of each pair of sentences by itself, 0 to 1.
    """
    worth = np.append(meteor, 0.0)  # the last one is of no pair
    return np.array([max((_f1(story, worth) for story in stories), default=0.0) for stories in videos])


def _f1(story: Telling, meteor: np.ndarray) -> float:
    worth = story.tiou * meteor[story.pair]
    return float(2.0 * best_in_order(worth) / max(1, sum(worth.shape))) if worth.size else 0.0


def best_in_order(worth: np.ndarray) -> float:
    """Returns the greatest sum of `worth` (r, p), not negative, over pairs of rising row and rising column."""
    best = np.zeros(worth.shape[1] + 1)
    for row in worth:
        best[1:] = np.maximum.accumulate(np.maximum(best[1:], best[:-1] + row))
    return float(best[-1])

"""METEOR 1.5 (English, `-norm`) from counts: its formula, so that the score of any set of items follows from sums.

Source: Denkowski and Lavie, WMT 2014; parameters of the task `rank` for English.
"""

from __future__ import annotations

import numpy as np

COLUMNS = 23
"""Words of caption and reference, function words of both; for exact, stem, synonym and paraphrase matches the content
words of both and the function words of both; chunks (0 where caption and reference are the same in one chunk); matched
words of both."""
CHUNKS = 20
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
WEIGHTS = (1.0, 0.6, 0.8, 0.6)
"""Of exact, stem, synonym and paraphrase matches."""


def without_whole_chunks(counts: np.ndarray) -> np.ndarray:
    """Returns counts (n, 23) in which items whose words all match in one chunk have none.

    The program adds up counts of such items without their chunk, and gives them themselves no penalty.
    """
    whole = (counts[:, 4:20:2].sum(axis=1) == counts[:, 0]) & (counts[:, 5:20:2].sum(axis=1) == counts[:, 1])
    remaining = counts.copy()
    remaining[whole & (counts[:, CHUNKS] == 1), CHUNKS] = 0
    return remaining


def meteor(counts: np.ndarray) -> np.ndarray:
    """Returns (...) float64 METEOR, 0 to 1, of added counts (..., 23)."""
    c = counts.astype(np.float64)
    mine = _weighted(c[..., 4:20:4], c[..., 6:20:4])
    theirs = _weighted(c[..., 5:20:4], c[..., 7:20:4])
    with np.errstate(divide="ignore", invalid="ignore"):  # no words or no matches: 0, as in the program
        precision = mine / (DELTA * (c[..., 0] - c[..., 2]) + (1.0 - DELTA) * c[..., 2])
        recall = theirs / (DELTA * (c[..., 1] - c[..., 3]) + (1.0 - DELTA) * c[..., 3])
        mean = 1.0 / ((1.0 - ALPHA) / precision + ALPHA / recall)
        fragments = c[..., CHUNKS] / ((c[..., 21] + c[..., 22]) / 2.0)
    with np.errstate(invalid="ignore"):
        score = mean * (1.0 - GAMMA * fragments**BETA)
    return np.asarray(np.where(np.isnan(score), 0.0, np.maximum(score, 0.0)))


def _weighted(content: np.ndarray, function: np.ndarray) -> np.ndarray:
    """Returns (...) matched words, each weighted by how it matched; in the program's order of adding."""
    total = np.zeros(content.shape[:-1])
    for words, share in ((content, DELTA), (function, 1.0 - DELTA)):
        for stage, weight in enumerate(WEIGHTS):
            total = total + words[..., stage] * weight * share
    return total

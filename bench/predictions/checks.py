"""What every answer of a model must be: of the right shape, float32, finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import ModelError

if TYPE_CHECKING:
    import numpy as np


def check_scores(model: str, expected: tuple[int, int], scores: np.ndarray) -> None:
    """Raises ModelError unless `scores` is float32, finite and of the shape `expected` (paragraphs, videos)."""
    import numpy as np

    if scores.shape != expected:
        raise ModelError(
            f"model {model!r} returned scores of shape {tuple(scores.shape)}; expected {expected}: a row for each "
            "paragraph and a column for each video. Fix the model's score method."
        )
    if scores.dtype != np.float32:
        raise ModelError(f"model {model!r} returned scores as {scores.dtype}; expected float32. Convert the output.")
    finite = np.isfinite(scores)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ModelError(
            f"model {model!r} returned NaN or infinity for {int((~finite).sum())} of {scores.size} pairs (first: "
            f"paragraph {row}, video {column}): such scores cannot be ranked. Check the training loss and the features."
        )


def check_rows(model: str, side: str, expected: int, rows: np.ndarray) -> None:
    """Raises ModelError unless `rows` is (expected, d) float32 and finite."""
    import numpy as np

    if rows.ndim != 2 or rows.shape[0] != expected:
        raise ModelError(
            f"model {model!r} returned {side} of shape {tuple(rows.shape)}; expected ({expected}, d): one row for each "
            f"of the {expected} {side}. Fix the model's embed method."
        )
    if rows.dtype != np.float32:
        raise ModelError(f"model {model!r} returned {side} as {rows.dtype}; expected float32. Convert the output.")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise ModelError(
            f"model {model!r} returned NaN or infinity for {bad.size} of {expected} {side} (first at row {bad[0]}): "
            "such values cannot be ranked. Check the training loss and the features."
        )

"""What every answer of a model must be: of the right shape, float32, finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import ModelError
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


def check_scores(model: str, paragraphs: Sequence[str], videos: Sequence[str], scores: np.ndarray) -> None:
    """Raises ModelError unless `scores` is float32, finite and (paragraphs, videos), whose ids are given."""
    import numpy as np

    expected = (len(paragraphs), len(videos))
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
            f"model {model!r} returned NaN or infinity for {int((~finite).sum())} of {number_of(scores.size, 'pair')} "
            f"(first: paragraph {paragraphs[row]}, video {videos[column]}): such scores cannot be ranked. Check the "
            "training loss and the features."
        )


def check_rows(model: str, side: str, ids: Sequence[str], rows: np.ndarray) -> None:
    """Raises ModelError unless `rows` is (n, d) float32 and finite.

    Args:
        side: what the rows stand for, such as `videos`.
        ids: (n,) the video or text of each row.
    """
    import numpy as np

    expected = len(ids)
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
            f"model {model!r} returned NaN or infinity for {bad.size} of {expected} {side} (first: {ids[bad[0]]}): "
            "such values cannot be ranked. Check the training loss and the features."
        )


def check_directions(side: str, ids: Sequence[str], rows: np.ndarray) -> None:
    """Raises ModelError unless each row of (n, d) has a direction: finite, and not all zeros. `ids` name the rows."""
    import numpy as np

    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1)) if rows.size else np.zeros(len(rows))
    bad = np.flatnonzero(~(np.isfinite(largest) & (largest > 0)))
    if bad.size:
        first = bad[0]
        what = "are all zeros and have no direction" if largest[first] == 0 else "hold NaN or infinity"
        of_features = (
            ", or the features of these videos; videos whose features are all zeros count as missing under "
            "`all_zero: missing` beside `missing: penalise` in bench.yaml"
        )
        advice = f"Check the model{of_features if 'video' in side else ''}."
        raise ModelError(f"{bad.size} of {len(rows)} {side} embeddings {what} (first: {ids[first]}). {advice}")

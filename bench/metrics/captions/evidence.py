"""The evidence of caption scores: what was counted for each item, its aggregates and intervals, and its verification.

For `corpus` and `paragraph` one row for each item, ordered by video and time:

    video   (n,)      the item's video, 0, 0, 1, … rising
    bleu    (n, 10)   matches, n-grams and lengths, see `bench.metrics.captions.bleu`
    rouge   (n,)      float64, 0 to 1
    cider   (n,)      float64, 0 to 10, under the document frequencies of the whole test
    meteor  (n, 23)   where METEOR ran, see `bench.metrics.captions.meteor.formula`

For `densevid` the same without `video`, summed (rouge and cider: averaged) over the pairs of each video at each tIoU,
so (videos, 4, …), and `pairs` (videos, 4). A video without pairs counts zero.

Where whole videos are told about (`densevid`, `paragraph`), also

    variety (V, 6)    how the sentences said of each video vary, see `bench.metrics.captions.variety`
    soda    (V,)      float64, 0 to 1: SODA_c of each video (`densevid` where METEOR ran)

Older evidence has neither. BLEU and METEOR of a corpus are no means over items. Their intervals resample videos through
the score's linearisation: the value of a video is what leaving it out changes (jackknife). CIDEr's document frequencies
stay those of the test.

Letters for shapes: `n` items, `V` videos, `T` thresholds of tIoU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from bench.errors import UsageError, VerificationError
from bench.metrics.captions.bleu import COLUMNS as BLEU_COLUMNS
from bench.metrics.captions.bleu import bleu
from bench.metrics.captions.items import TIOUS
from bench.metrics.captions.meteor.formula import COLUMNS as METEOR_COLUMNS
from bench.metrics.captions.meteor.formula import meteor
from bench.metrics.captions.ngrams import ORDERS
from bench.metrics.captions.variety import COLUMNS as VARIETY_COLUMNS
from bench.metrics.captions.variety import MEASURED as VARIETY
from bench.metrics.captions.variety import ratio
from bench.metrics.statistics import FEWEST, Statistic, interval
from bench.results import Evidence, Measurement

KIND = "captions"
NAMES = (*(f"BLEU@{order}" for order in range(1, ORDERS + 1)), "METEOR", "ROUGE-L", "CIDEr")
"""What captions are worth beside their references, in percent; CIDEr as papers print it, 100 times the mean."""
ADDED = ("soda", "variety")
"""Arrays that older evidence lacks."""
HIGHEST = {"CIDEr": 1000.0}
Score = Callable[[np.ndarray], np.ndarray]


def smallest(counts: np.ndarray) -> np.ndarray:
    """Returns counts in the narrowest unsigned type that holds them: evidence is kept in repositories."""
    return np.asarray(counts.astype(np.min_scalar_type(int(counts.max(initial=0)))))


def protocol_of(evidence: Evidence) -> str:
    """Returns the protocol whose evidence this is."""
    return next(iter(evidence.n_items), "")


def names_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns the names of what is measured, in order."""
    counts = evidence.counts
    compared = tuple(name for name in NAMES if name != "METEOR" or "meteor" in counts)
    said = "variety" in counts and counts["variety"].any()
    return (*compared, *(("SODA_c",) if "soda" in counts else ()), *(VARIETY if said else ()))


def value_of(evidence: Evidence, name: str) -> float:
    """Returns a measurement of the whole test: percent, but for lengths and the vocabulary, which are words."""
    if _has_thresholds(evidence, name):
        return float(video_values(evidence, name).mean())
    rows, score = _summed(evidence, name)
    return float(_scale(name) * score(rows.sum(axis=0)))


def item_values(evidence: Evidence, name: str) -> np.ndarray:
    """Returns (n,) float64: the score of each item by itself, percent; (V, T) for `densevid`. Raises: UsageError."""
    rows, score = _rows(evidence, name)
    values = 100.0 * score(rows)
    return np.asarray(np.where(evidence.counts["pairs"] > 0, values, 0.0) if "pairs" in evidence.counts else values)


def video_values(evidence: Evidence, name: str) -> np.ndarray:
    """Returns (V,) float64 whose mean is the score, and which resampled have its spread over resampled videos.

    Raises: UsageError for a metric that was not measured.
    """
    if _has_thresholds(evidence, name):
        return np.asarray(item_values(evidence, name).mean(axis=1))
    rows, score = _summed(evidence, name)
    total, n, scale = rows.sum(axis=0), len(rows), _scale(name)
    whole = float(scale * score(total))
    if n == 1:
        return np.array([whole])
    values = n * whole - (n - 1) * scale * score(total - rows)
    return np.asarray(values + (whole - values.mean()))


def _has_thresholds(evidence: Evidence, name: str) -> bool:
    """Returns whether a measurement is a mean over thresholds of tIoU as well as over videos."""
    return protocol_of(evidence) == "densevid" and (name in NAMES or name not in names_of(evidence))


def _scale(name: str) -> float:
    return VARIETY[name].scale if name in VARIETY else 100.0


def video_shares(evidence: Evidence, name: str) -> np.ndarray:
    """Returns (V,) float64: `video_values` in parts of 1 instead of percent."""
    return video_values(evidence, name) / 100.0


def by_tiou(evidence: Evidence, name: str) -> dict[str, float]:
    """Returns the measurement at each threshold of tIoU; nothing for protocols that have none."""
    if not _has_thresholds(evidence, name):
        return {}
    means = item_values(evidence, name).mean(axis=0)
    return {str(threshold): float(mean) for threshold, mean in zip(TIOUS, means, strict=True)}


def measure(evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement with its 95 % interval; no further ones follow, whatever is `named`.

    Raises: VerificationError when the evidence cannot be.
    """
    check_evidence(evidence)
    return tuple(_measured(evidence, name) for name in names_of(evidence))


def _measured(evidence: Evidence, name: str) -> Measurement:
    n, value = evidence.n_items[protocol_of(evidence)], value_of(evidence, name)
    if name not in VARIETY:
        bounds = _interval(video_values(evidence, name), HIGHEST.get(name, 100.0))
        return Measurement(name=name, value=value, unit="percent", higher_is_better=True, ci95=bounds, n=n)
    varied = VARIETY[name]
    said = int(np.count_nonzero(evidence.counts["variety"].any(axis=-1)))
    highest = 100.0 if varied.unit == "percent" else None
    bounds = _interval(video_values(evidence, name), highest) if varied.is_mean else None
    return Measurement(
        name=name, value=value, unit=varied.unit, higher_is_better=varied.higher_is_better, ci95=bounds, n=said
    )


def _interval(values: np.ndarray, highest: float | None) -> tuple[float, float] | None:
    """Returns the interval of the mean of `values` (V,) of 0 to `highest`, outside of which pseudo-values may lie.

    Nothing bounds lengths from above, where `highest` is None. BLEU of perfect captions is 100 but for terms of 1e-9
    for each caption: eight digits tell whether all are perfect.
    """
    if len(values) < FEWEST:
        return None
    if highest is None:
        bounds = interval(Statistic(values))
        return bounds and (max(bounds[0], 0.0), bounds[1])
    parts = 100.0 * values / highest
    perfect = round(float(parts.mean()), 6) == 100.0
    bounds = interval(Statistic(np.round(parts, 6) if perfect else parts, share=True))
    return bounds and (highest * max(bounds[0], 0.0) / 100.0, highest * min(bounds[1], 100.0) / 100.0)


def check_evidence(evidence: Evidence) -> None:
    """Raises VerificationError unless the arrays are what scoring of captions can give."""
    protocol = protocol_of(evidence)
    thresholds = protocol == "densevid"
    if protocol not in ("corpus", "densevid", "paragraph") or len(evidence.n_items) != 1:
        raise VerificationError(f"evidence of captions under {sorted(evidence.n_items)}: no protocol has that name.")
    n = evidence.n_items[protocol]
    lead = (n, len(TIOUS)) if thresholds else (n,)
    shapes = {"bleu": (*lead, BLEU_COLUMNS), "rouge": lead, "cider": lead, "pairs" if thresholds else "video": lead}
    if "meteor" in evidence.counts:
        shapes["meteor"] = (*lead, METEOR_COLUMNS)
    if "variety" in evidence.counts and protocol != "corpus":
        shapes["variety"] = (n, len(VARIETY_COLUMNS))
    if "soda" in evidence.counts and thresholds:
        shapes["soda"] = (n,)
    actual = {name: array.shape for name, array in evidence.counts.items()}
    if actual != shapes or n < 1:
        raise VerificationError(f"evidence of {protocol} holds {actual}; expected {shapes}.")
    for name, array in evidence.counts.items():
        kind = "f" if name in ("rouge", "cider", "soda") else "u"
        if array.dtype.kind != kind or (kind == "f" and array.dtype != np.float64):
            raise VerificationError(
                f"evidence {name} is {array.dtype}; expected {'float64' if kind == 'f' else 'counts'}."
            )
    for name, highest in (("rouge", 1.0), ("cider", 10.0), ("soda", 1.0)):
        values = evidence.counts.get(name, np.zeros(0))
        if not ((values >= 0.0) & (values <= highest + 1e-9)).all():  # NaN is neither
            raise VerificationError(f"evidence {name} holds values outside 0 to {highest:g}.")
    _check_counts(evidence.counts, thresholds)


def _check_counts(counts: Mapping[str, np.ndarray], thresholds: bool) -> None:
    bleu_rows = counts["bleu"].astype(np.int64)
    if (bleu_rows[..., :ORDERS] > bleu_rows[..., ORDERS : 2 * ORDERS]).any():
        raise VerificationError("evidence bleu: more n-grams match than there are.")
    if not thresholds:
        words = bleu_rows[:, 2 * ORDERS]
        if (bleu_rows[:, ORDERS : 2 * ORDERS] != np.maximum(words[:, None] - np.arange(ORDERS), 0)).any():
            raise VerificationError("evidence bleu: a caption has other n-grams than its words allow.")
        steps = np.diff(counts["video"].astype(np.int64), prepend=-1)
        if steps[0] != 1 or not np.isin(steps, (0, 1)).all():
            raise VerificationError("evidence video: videos are not numbered in order from 0.")
    if "variety" in counts:
        sentences, words, bigrams, fourgrams, repeated, new = counts["variety"].astype(np.int64).T
        if (np.stack([sentences, bigrams, fourgrams, new]) > words).any() or (repeated > fourgrams).any():
            raise VerificationError("evidence variety: there are more n-grams than words, or more repeated than said.")
    if "meteor" in counts:
        rows = counts["meteor"].astype(np.int64)
        for side in (0, 1):
            if (rows[..., 4 + side : 20 : 2].sum(axis=-1) > rows[..., side]).any():
                raise VerificationError("evidence meteor: more words match than there are.")


def _rows(evidence: Evidence, name: str) -> tuple[np.ndarray, Score]:
    """Returns what was counted for each item (n, columns), and the score of any sum of rows, 0 to 1 (CIDEr: 10)."""
    if name not in names_of(evidence):
        raise UsageError(f"metric {name!r} was not measured. Measured: {', '.join(names_of(evidence))}.")
    if name.startswith("BLEU@"):
        order = int(name.removeprefix("BLEU@")) - 1
        return evidence.counts["bleu"].astype(np.int64), lambda rows: bleu(rows)[..., order]
    if name in VARIETY:
        return VARIETY[name].of(evidence.counts["variety"].astype(np.int64)), ratio
    if name == "METEOR":
        return evidence.counts["meteor"].astype(np.int64), meteor
    values = evidence.counts[{"ROUGE-L": "rouge", "CIDEr": "cider", "SODA_c": "soda"}[name]]
    return np.stack([values, np.ones_like(values)], axis=-1), lambda rows: np.asarray(rows[..., 0] / rows[..., 1])


def _summed(evidence: Evidence, name: str) -> tuple[np.ndarray, Score]:
    """Returns (V, columns) sums over the items of each video, and the score of any sum of rows."""
    rows, score = _rows(evidence, name)
    if "video" not in evidence.counts or name in VARIETY:  # a row is a video already
        return rows, score
    starts = np.flatnonzero(np.diff(evidence.counts["video"].astype(np.int64), prepend=-1))
    return np.add.reduceat(rows, starts, axis=0), score

"""Ranks: for each query of retrieval, how many items score above and equal to its right one."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from bench.evidence.kinds.kind import UnitValues, ranks_of_units
from bench.metrics.curves import is_curve
from bench.metrics.retrieval import (
    ANY_HIT,
    BEST_CAPTION,
    KS,
    captions_of_videos,
    directions_of,
    expected_hits,
    full_name,
    hit_rule,
    measure,
    ranks_from_zero,
)
from bench.results import Evidence, Measurement

_METRIC = re.compile(
    rf"(?P<direction>{BEST_CAPTION}(?= )|t2v|v2t)(?:/(?:{ANY_HIT})?| )(?:R@(?P<k>[1-9][0-9]{{0,8}})|MeanR)"
)


class Ranks:
    """The kind of evidence of retrieval."""

    name = "ranks"

    def holds(self, evidence: Evidence) -> bool:
        return evidence.kind == "ranks" and not is_curve(evidence)

    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        return measure(evidence, named)

    def pool_size(self, evidence: Evidence) -> int:
        return evidence.n_items[min(evidence.n_items)]

    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        ways = directions_of(evidence)
        return tuple(full_name(way, f"{hit_rule(evidence.counts[way])}R@{k}") for way in ways for k in KS)

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        match = _METRIC.fullmatch(metric)
        if not match or match["direction"] not in evidence.counts:
            return None
        counts = evidence.counts[match["direction"]]
        values = expected_hits(counts, int(match["k"])) if match["k"] else ranks_from_zero(counts) + 1.0
        captions = captions_of_videos(evidence) if match["direction"] == "t2v" else None
        if captions is not None:
            sums = np.add.reduceat(values, captions.cumsum() - captions)
            values = np.asarray(sums * (len(captions) / len(values)), dtype=np.float64)
        return UnitValues(values) if match["k"] else ranks_of_units(values)

    def comparable(self, evidence: Evidence) -> str:
        return f"{', '.join(self.compared(evidence))}, R@K for any other K, or MeanR"

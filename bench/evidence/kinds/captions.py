"""Captions: what was counted of each caption against its references."""

from __future__ import annotations

from collections.abc import Iterable

from bench.evidence.kinds.kind import Kind, UnitValues
from bench.metrics.captions.evidence import HIGHEST, KIND, measure, names_of, video_shares
from bench.results import Evidence, Measurement


class CaptionsKind(Kind):
    """The kind of evidence of captioning. What a video adds to a score is what leaving it out takes away."""

    name = KIND

    def holds(self, evidence: Evidence) -> bool:
        return evidence.kind == KIND

    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        return measure(evidence, named)

    def pool_size(self, evidence: Evidence) -> int:
        if len(evidence.counts.get("video", ())):
            return int(evidence.counts["video"][-1]) + 1
        return evidence.n_items[min(evidence.n_items)]

    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        return names_of(evidence)

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        if metric not in names_of(evidence):
            return None
        return UnitValues(video_shares(evidence, metric), farthest=HIGHEST.get(metric, 100.0))

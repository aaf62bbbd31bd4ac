"""Captions: what was counted of each caption against its references."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bench.evidence.kinds.kind import Kind, UnitValues
from bench.metrics.captions.evidence import ADDED, HIGHEST, KIND, measure, names_of, video_shares
from bench.metrics.captions.variety import MEASURED as VARIETY
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
        return tuple(name for name in names_of(evidence) if name not in VARIETY)

    def comparable(self, evidence: Evidence) -> str:
        return ", ".join(name for name in names_of(evidence) if _is_directed(name))

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        if metric not in names_of(evidence) or not _is_directed(metric):
            return None
        better = metric not in VARIETY or bool(VARIETY[metric].higher_is_better)
        return UnitValues(video_shares(evidence, metric), higher_is_better=better, farthest=HIGHEST.get(metric, 100.0))

    def as_kept(self, evidence: Evidence, older: Evidence) -> Evidence:
        kept = {name: rows for name, rows in evidence.counts.items() if name in older.counts or name not in ADDED}
        return replace(evidence, counts=kept)


def _is_directed(metric: str) -> bool:
    """Returns whether more of it is better, or less."""
    return metric not in VARIETY or VARIETY[metric].higher_is_better is not None

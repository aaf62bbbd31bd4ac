"""Classes: for each label of each video, how many classes and how many videos score above and equal to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bench.evidence.kinds.kind import Kind, UnitValues
from bench.metrics.class_measurements import measure, metrics_of, statistics_of
from bench.metrics.classification import KIND, opened
from bench.metrics.confusions import ClassRow, Confusion, class_rows, confusions
from bench.metrics.missing import MISSING
from bench.results import Evidence, Measurement


class ClassesKind(Kind):
    """The kind of evidence of action recognition."""

    name = KIND
    pictures = ("costs", "seeds", "confusions")
    hub_task = "video-classification"

    def holds(self, evidence: Evidence) -> bool:
        return evidence.kind == KIND

    def measure(self, evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
        return measure(evidence, named)

    def pool_size(self, evidence: Evidence) -> int:
        return evidence.n_items[min(evidence.n_items)]

    def compared(self, evidence: Evidence) -> tuple[str, ...]:
        return metrics_of(evidence)

    def unit_values(self, evidence: Evidence, metric: str) -> UnitValues | None:
        statistics = statistics_of(opened(evidence), [metric])
        return UnitValues(statistics[metric].values / 100.0) if metric in statistics else None

    def as_kept(self, evidence: Evidence, older: Evidence) -> Evidence:
        kept = {name: array for name, array in evidence.counts.items() if name in older.counts or name not in MISSING}
        return replace(evidence, counts=kept)

    def comparable(self, evidence: Evidence) -> str:
        return f"{', '.join(self.compared(evidence))}, or topK, Hit@K or AvgHit@K for any other K"

    def confusions(self, evidence: Evidence) -> list[Confusion] | None:
        return confusions(evidence)

    def class_rows(self, evidence: Evidence) -> list[ClassRow]:
        return class_rows(evidence)

"""Do the numbers of a record follow from its evidence? One check for each kind of evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.errors import VerificationError
from bench.metrics import class_measurements, curves, retrieval
from bench.metrics.captions.evidence import KIND as CAPTIONS
from bench.metrics.captions.evidence import verify_captions
from bench.results import Evidence, Measurement

Check = Callable[[Evidence, tuple[Measurement, ...]], None]


def _ranks(evidence: Evidence, measurements: tuple[Measurement, ...]) -> None:
    check = curves.verify_curve if curves.is_curve(evidence) else retrieval.verify
    check(evidence, measurements)


CHECKS: Mapping[str, Check] = {"ranks": _ranks, "classes": class_measurements.verify, CAPTIONS: verify_captions}
"""Kind of evidence -> its check, which raises VerificationError."""


def verify(evidence: Evidence, measurements: tuple[Measurement, ...]) -> None:
    """Raises VerificationError unless the measurements follow from the evidence and keep the invariants of its kind."""
    if evidence.kind not in CHECKS:
        raise VerificationError(
            f"evidence of kind {evidence.kind!r}; this bench knows {', '.join(CHECKS)}. Upgrade bench, or run again."
        )
    CHECKS[evidence.kind](evidence, measurements)


def pool_size(evidence: Evidence) -> int:
    """Returns how large the test set is, as signatures say it: queries of retrieval, else videos."""
    if evidence.kind == "captions" and len(evidence.counts.get("video", ())):
        return int(evidence.counts["video"][-1]) + 1
    return evidence.n_items[min(evidence.n_items)]

"""Kinds of evidence, one file each: whatever is asked of evidence is asked of its kind, and nothing looks further."""

from bench.errors import VerificationError
from bench.evidence.kinds.captions import CaptionsKind
from bench.evidence.kinds.classes import ClassesKind
from bench.evidence.kinds.curves import CurvesKind
from bench.evidence.kinds.kind import Kind, UnitValues
from bench.evidence.kinds.ranks import RanksKind
from bench.evidence.kinds.values import VALUES
from bench.results import Evidence

__all__ = ["KINDS", "Kind", "UnitValues", "kind_of", "known", "worded_by"]

KINDS: tuple[Kind, ...] = (RanksKind(), CurvesKind(), ClassesKind(), CaptionsKind(), VALUES)


def known(evidence: Evidence) -> Kind | None:
    """Returns the kind of some evidence, or None for one that only its task can measure."""
    return next((kind for kind in KINDS if kind.holds(evidence)), None)


def kind_of(evidence: Evidence) -> Kind:
    """Returns the kind of some evidence. Raises: VerificationError for an unknown one."""
    if (kind := known(evidence)) is None:
        raise VerificationError(
            f"evidence of kind {evidence.kind!r}, which bench cannot measure again; it knows "
            f"{', '.join(kind.name for kind in KINDS)}. A task with evidence of its own can be run and re-scored; for "
            "boards and comparisons it makes its evidence by `bench.task_api.values_evidence`."
        )
    return kind


def worded_by(evidence: Evidence) -> Kind:
    """Returns the kind that finds words for a record: that of its evidence, or of named values where only its task
    knows it."""
    return known(evidence) or VALUES

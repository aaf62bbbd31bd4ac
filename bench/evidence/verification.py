"""Do the numbers of a record follow from its evidence? Everything is measured again and compared field by field.

The evidence is the truth. A record may state fewer measurements than follow from it, as an older one does once there
are more, and further ones that follow, such as a recall at another K; none that does not follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bench.errors import VerificationError
from bench.evidence.kinds import kind_of
from bench.metrics.statistics import FEWEST
from bench.results import Bounds, Evidence, Measurement, same_value


def measured(evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement that follows from the evidence, among them those of `named` that do.

    Raises: VerificationError for evidence of an unknown kind, and where it contradicts itself.
    """
    return kind_of(evidence).measure(evidence, tuple(named))


def verify(evidence: Evidence, stated: Iterable[Measurement], named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement that follows from the evidence, those that are stated as they are stated.

    Args:
        named: further names; those of them that follow are measured as well.

    Raises: VerificationError naming the first that is stated and does not follow from the evidence in every field.
    """
    said = tuple(stated)
    computed = measured(evidence, [*(measurement.name for measurement in said), *named])
    told = {one.name: one for one in as_of_today(said, computed, kind_of(evidence).pool_size(evidence))}
    compare_measurements(told.values(), computed, "from its evidence")
    return tuple(told.get(measurement.name, measurement) for measurement in computed)


def compare_measurements(stated: Iterable[Measurement], computed: Iterable[Measurement], source: str) -> None:
    """Raises VerificationError naming the first measurement that is stated and not `computed` in every field.

    Args:
        source: where `computed` comes from, for the message, such as `from its evidence`.
    """
    known = {measurement.name: measurement for measurement in computed}
    for measurement in stated:
        if (true_one := known.get(measurement.name)) is None:
            raise VerificationError(f"{measurement.name} stands in the record and does not follow {source}.")
        for field, (said, true) in differences(measurement, true_one).items():
            what = measurement.name if field == "value" else f"{field} of {measurement.name}"
            raise VerificationError(f"{what} is {_shown(said)} in the record, {_shown(true)} {source}.")


def as_of_today(stated: Iterable[Measurement], computed: Iterable[Measurement], videos: int) -> Iterator[Measurement]:
    """Yields what is stated without what an older record had to state: a direction, or an interval of too few videos.

    Args:
        videos: how many the test set has.
    """
    known = {measurement.name: measurement for measurement in computed}
    for measurement in stated:
        changes: dict[str, None] = {}
        if (one := known.get(measurement.name)) is not None:
            changes |= {"higher_is_better": None} if one.higher_is_better is None else {}
            changes |= {"ci95": None} if one.ci95 is None and min(videos, one.n) < FEWEST else {}
        yield measurement.model_copy(update=changes) if changes else measurement


def differences(a: Measurement, b: Measurement) -> dict[str, tuple[Any, Any]]:
    """Returns in which fields two measurements differ, numbers by more than their last bits, with both values."""
    return {
        field: (one, other)
        for field in Measurement.model_fields
        if not _same(one := getattr(a, field), other := getattr(b, field))
    }


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Bounds) and isinstance(b, Bounds):
        a, b = tuple(a.model_dump().values()), tuple(b.model_dump().values())
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return same_value(a, b) if isinstance(a, float) and isinstance(b, float) else bool(a == b)


def _shown(value: object) -> str:
    """Returns a value in words: full precision, for what differs may differ late."""
    return f"{value[0]!r} to {value[1]!r}" if isinstance(value, tuple) else "none" if value is None else repr(value)

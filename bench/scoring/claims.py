"""What others say a file is worth, compared with what it is worth here: digit by digit, within their rounding.

A figure states its own precision: 44.5 stands for everything from 44.45 to 44.55. Both ends agree, because some round
halves up and some to even; a value halfway between two figures therefore agrees with either.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bench.errors import UsageError
from bench.results import Measurement

_FIGURE = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?")
_SHARE = re.compile(r"(?:^|[/ ])(?:R@|top|Hit@)[0-9]+$")
"""Measurements that are the share of queries, or of videos, that were found: a whole number of them."""
_LAST_BITS = 1e-9
"""What double arithmetic may add to a value."""


@dataclass(frozen=True)
class Claimed:
    """One figure that somebody states.

    Attributes:
        name: of the measurement.
        text: the figure as it was written.
    """

    name: str
    text: str

    @property
    def unit(self) -> float:
        """The last digit's worth."""
        return 10.0 ** -len(self.text.partition(".")[2])

    @property
    def bounds(self) -> tuple[float, float]:
        """What rounds to the figure, both ends included."""
        figure, half = Decimal(self.text), Decimal(repr(self.unit)) / 2
        return float(figure - half), float(figure + half)

    def holds(self, value: float) -> bool:
        """Returns whether `value` rounds to the figure."""
        low, high = self.bounds
        return low - _LAST_BITS <= value <= high + _LAST_BITS


@dataclass(frozen=True)
class Verdict:
    """What became of a claim. `says` is one line."""

    claim: Claimed
    value: float
    agrees: bool
    says: str


def parse_claims(text: str) -> tuple[Claimed, ...]:
    """Returns the claims in `t2v/R@1=44.5,t2v/R@5=71.4`.

    Raises: UsageError for what is no NAME=FIGURE, and for a measurement that is claimed twice.
    """
    claims: dict[str, Claimed] = {}
    for part in text.split(","):
        name, equals, figure = (piece.strip() for piece in part.rpartition("="))
        if not equals or not name or not _FIGURE.fullmatch(figure):
            raise UsageError(
                f"--claims {part.strip()[:80]!r}: write NAME=FIGURE, such as --claims t2v/R@1=44.5,t2v/R@5=71.4."
            )
        if name in claims:
            raise UsageError(f"--claims {name} is there twice, {claims[name].text} and {figure}. Keep one.")
        claims[name] = Claimed(name, figure)
    return tuple(claims.values())


def compared(claims: tuple[Claimed, ...], measured: Mapping[str, Measurement]) -> tuple[Verdict, ...]:
    """Returns what becomes of each claim.

    Raises: UsageError for a claim about something that was not measured.
    """
    lacking = next((claim.name for claim in claims if claim.name not in measured), None)
    if lacking is not None:
        raise UsageError(f"--claims {lacking[:80]}: that is not measured here. Measured: {', '.join(measured)}.")
    return tuple(_verdict(claim, measured[claim.name]) for claim in claims)


def _verdict(claim: Claimed, measurement: Measurement) -> Verdict:
    low, high = claim.bounds
    digits = max(2, len(claim.text.partition(".")[2]) + 1)
    within = f"{low:.{digits}f} to {high:.{digits}f}"
    if claim.holds(measurement.value):
        return Verdict(claim, measurement.value, True, f"agrees, within {within}")
    by = f"differs by {measurement.value - float(claim.text):+.{digits}f}, outside {within}"
    return Verdict(claim, measurement.value, False, "; ".join([by, *_reasons(claim, measurement)]))


def _reasons(claim: Claimed, measurement: Measurement) -> list[str]:
    figure, value = float(claim.text), measurement.value
    if figure <= value < figure + claim.unit:
        return ["agrees if digits were cut off, not rounded"]
    if measurement.unit == "percent" and abs(figure) <= 1.0 and abs(100.0 * figure - value) <= 50.0 * claim.unit:
        return [f"agrees as a share of 1: figures here are percent, write {100.0 * figure:g}"]
    if _SHARE.search(claim.name) and not _possible(claim, measurement.n):
        return [f"no number of hits among {measurement.n:,} gives it: another test set, or a mean of several runs"]
    return []


def _possible(claim: Claimed, n: int) -> bool:
    """Returns whether some whole number of `n`, in percent, is written as the figure, rounded or cut off."""
    low, high = claim.bounds[0], float(claim.text) + claim.unit
    return math.floor(high * n / 100.0 + _LAST_BITS) >= math.ceil(low * n / 100.0 - _LAST_BITS)

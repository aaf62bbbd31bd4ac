"""Names of retrieval measurements, written and read back: `t2v/R@1`, `t2v/R@1[keep=0.4]`, `t2v/R@1/AUC`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FRACTIONS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Of its clips or sentences that a video keeps, on a curve."""

_NAME = re.compile(
    r"(?P<direction>t2v|v2t)/(?P<metric>[^/\[\]]+)(?:\[keep=(?P<keep>[01](?:\.\d{1,3})?)\]|(?P<area>/AUC))?"
)


@dataclass(frozen=True)
class MeasurementName:
    """A measurement's name, taken apart.

    Attributes:
        direction: `t2v` or `v2t`.
        metric: such as `R@1` or `MedR`.
        keep: the fraction of clips or sentences that was kept, where it belongs to a curve; else None.
        area: true for the area under the curve of `metric`.
    """

    direction: str
    metric: str
    keep: float | None = None
    area: bool = False

    def __str__(self) -> str:
        part = "/AUC" if self.area else "" if self.keep is None else f"[keep={self.keep:.1f}]"
        return f"{self.direction}/{self.metric}{part}"

    @property
    def of_curve(self) -> bool:
        return self.area or self.keep is not None


def recalls_in(names: Iterable[str]) -> frozenset[int]:
    """Returns every K of which a name speaks, at one fraction, as an area or by itself: `t2v/R@7` of 7."""
    parsed = (parse_name(name) for name in names)
    matches = (re.fullmatch(r"(?:any-hit |best-caption )?R@([1-9][0-9]{0,8})", name.metric) for name in parsed if name)
    return frozenset(int(match[1]) for match in matches if match)


def parse_name(text: str) -> MeasurementName | None:
    """Returns a measurement's name taken apart, or None for one that is no retrieval measurement."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    keep = float(match["keep"]) if match["keep"] else None
    return MeasurementName(match["direction"], match["metric"], keep, match["area"] is not None)

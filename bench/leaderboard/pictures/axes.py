"""Axes of a drawing: where a value stands between two ends, and round numbers to mark, linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """An axis with its marks.

    Attributes:
        low, high: its ends, low < high; above 0 where it is logarithmic.
        ticks: the values that are marked and what is written at each; none where coordinates mean nothing.
        logarithmic: whether equal ratios are equally far apart.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Returns where a value stands: 0 at the low end, 1 at the high one."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def around(values: Iterable[float], room: float = 0.05, *, most: int = 9) -> Axis:
    """Returns a linear axis around values, with a share of its length as room at both ends and `most` ticks."""
    low, high = _ends(values)
    width = (high - low) or abs(high) or 1.0
    return linear(low - room * width, high + room * width, most=most)


def linear(low: float, high: float, *, most: int = 9) -> Axis:
    """Returns a linear axis with at most so many round numbers marked."""
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (size * factor) <= most - 1)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return Axis(
        low, high, tuple((i * step, f"{i * step:.{digits}f}" if step < 500 else short(i * step)) for i in places)
    )


def logarithmic(values: Iterable[float], room: float) -> Axis:
    """Returns a logarithmic axis around positive values, with 1, 2 and 5 of each power of ten, or the powers."""
    low, high = _ends(values)
    factor = (high / low) ** room if high > low else 2.0
    low, high = low / factor, high * factor
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    round_numbers = (m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5))
    ticks = [number for number in round_numbers if low <= number <= high]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if f"{tick:e}".startswith("1")]
    if len(ticks) < 2:
        ticks = sorted({float(f"{tick:.2g}") for tick in (1.1 * low, (low * high) ** 0.5, high / 1.1)})
    return Axis(low, high, tuple((tick, short(tick)) for tick in ticks), logarithmic=True)


def short(number: float) -> str:
    """Returns a number of any size in few characters: 2500000 is 2.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def _plain(number: float, digits: int) -> str:
    return short(number) if abs(number) >= 1000 else f"{number:.{digits}f}"


def _ends(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    return (min(known), max(known)) if known else (0.0, 1.0)

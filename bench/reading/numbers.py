"""Numbers in text as people write them: Python also reads `1_0` as 10, digits of other scripts, and `infinity`."""

from __future__ import annotations

import math
import re

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def whole_in(text: str) -> int | None:
    """Returns the whole number of at most 18 digits that `text` is, or None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def real_in(text: str) -> float | None:
    """Returns the number that `text` is, such as `-1.5e3`, or None, also for one beyond every float."""
    number = float(text) if _REAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def number_of(count: int, noun: str, many: str = "") -> str:
    """Returns `1 video`, `2,990 videos`: a number and its noun, or all that is said of one and of `many`."""
    if count == 1 or many:
        return f"{count:,} {noun if count == 1 else many}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"

"""What a phase of the campaign is: one kind of trouble, made again and again, each time with other dice.

An attempt makes the trouble once and says what came of it. Its number and the seed give the same dice again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        hits: how often the trouble came about; a kill that comes after the end is none.
        fault: what was wrong, or "".
        kept: files that show it, by name.
    """

    hits: int = 1
    fault: str = ""
    kept: Mapping[str, bytes] = field(default_factory=dict)


Attempt = Callable[[int, Random], Outcome]


@dataclass(frozen=True)
class Phase:
    """One kind of trouble.

    Attributes:
        name: what it is called on the command line.
        does: what one attempt does and what must hold, in a line.
        size: hits of the whole phase.
        sample: attempts that `make test` makes.
        prepare: makes what attempts start from, in an empty folder.
        lacks: why it cannot be run on this machine, or "".
        longest: seconds after which an attempt that says nothing has failed.
    """

    name: str
    does: str
    size: int
    sample: int
    prepare: Callable[[Path], Attempt]
    lacks: Callable[[], str] = lambda: ""
    longest: int = 300


def dice(phase: str, seed: int, number: int) -> Random:
    """Returns the dice of an attempt."""
    return Random(f"{seed} {phase} {number}")


def tried(attempt: Attempt, number: int, random: Random) -> Outcome:
    """Returns what came of an attempt; whatever it raises is a fault."""
    try:
        return attempt(number, random)
    except Exception:  # noqa: BLE001 (whatever it is, it is reported)
        return Outcome(1, traceback.format_exc()[-3000:])

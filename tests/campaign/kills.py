"""SIGKILL at random moments, and just before random operations on files; then the same command again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random

import interfering
from commands import COMMANDS, Kitchen
from phases import Attempt, Outcome, Phase

SEVERAL = 3
"""Kills of every sixth attempt, one after the other in one folder."""


def prepare(name: str, root: Path) -> Attempt:
    """Returns attempts at one command: of three, two are killed by the clock and one at an operation on files."""
    kitchen = Kitchen(root, name)

    def attempt(number: int, random: Random) -> Outcome:
        folder, hits = kitchen.fresh(), 0
        for _ in range(SEVERAL if number % 6 == 0 else 1):
            if number % 3 == 2:
                moment = random.randrange(kitchen.operations)
                code = kitchen.start(folder, interfering.killed_before(folder, moment)).wait()
            else:
                code = kitchen.start(folder).kill(random.uniform(0, kitchen.seconds))
            hits += code < 0
        wrong = kitchen.wrong_after(folder)
        kitchen.remove(folder)
        return Outcome(hits, wrong)

    return attempt


PHASES = [
    Phase(
        f"kill-{name}",
        f"`bench {' '.join(command.arguments[:2])}` killed (SIGKILL), then again: nothing half-written, equal digests",
        60,
        3,
        partial(prepare, name),
    )
    for name, command in COMMANDS.items()
]

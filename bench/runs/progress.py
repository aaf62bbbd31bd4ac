"""How long work reports what it does: to nobody, or to whoever implements `Reporter` (the command line does)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Reporter(Protocol):
    """Told about every step of long work."""

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """`done` of `total` steps of `stage` are finished; `values` are figures to show, such as the loss."""

    def say(self, line: str) -> None:
        """One line worth keeping, such as 'reusing checkpoint …'."""


class Silent:
    """A reporter that tells nobody."""

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        return

    def say(self, line: str) -> None:
        return

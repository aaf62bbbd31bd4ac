"""How far a study is: what is kept of its cells, held against the data and the models of today."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bench.catalogue.lookup import Session
from bench.errors import BenchError
from bench.evidence.verified import RESULT
from bench.results import Result
from bench.runs.plan import plan
from bench.runs.request import Request
from bench.study.cells import StudyCell, StudyCells
from bench.study.running import CellOutcome, Ledger

DEVICES = ("auto", "cpu", "cuda")
"""What a study may have been asked to run on, beside the device of its record: a run's name says what was asked."""
Kept = tuple[StudyCell, CellOutcome | None]


@dataclass(frozen=True)
class StudyProgress:
    """How far a study is.

    Attributes:
        outcomes: of each cell, in the order of the study; None for one that is to be run.
        changed: the ids of those to be run that were done on other data, or by other code, than there is now.
    """

    outcomes: tuple[Kept, ...]
    changed: frozenset[str]

    def count(self, state: str) -> int:
        """Returns how many cells ended so."""
        return sum(outcome is not None and outcome.state == state for _, outcome in self.outcomes)

    @property
    def left(self) -> tuple[StudyCell, ...]:
        """The cells that a run of the study begins with: those that never ended, or failed."""
        return tuple(cell for cell, outcome in self.outcomes if outcome is None or outcome.state != "done")

    @property
    def waiting(self) -> int:
        """How many cells never ended."""
        return sum(outcome is None for _, outcome in self.outcomes)

    @property
    def seconds_left(self) -> float | None:
        """How long the waiting cells take, one after the other, as those like them took; None while none is done."""
        ended = [(cell, one.seconds) for cell, one in self.outcomes if one and one.state == "done" and not one.reused]
        if not ended:
            return None
        return sum(_like(cell, ended) for cell, outcome in self.outcomes if outcome is None)


def progress(cells: StudyCells, session: Session) -> StudyProgress:
    """Returns how far a study is.

    A finished cell counts where the same command would take its run as it is: features, annotations, models and what
    they are trained on are those of today. Where that cannot be told, as the data are elsewhere, it counts.

    Raises: InvalidData for a damaged outcome.
    """
    ledger, base = Ledger(cells.output), Request.under(session.config, cells.output)
    outcomes, changed = [], set()
    for cell in cells.cells:
        outcome = ledger.outcome(cell)
        if outcome is not None and outcome.state == "done" and not _stands(session, cell, outcome, base):
            changed.add(cell.id)
            outcome = None
        outcomes.append((cell, outcome))
    return StudyProgress(tuple(outcomes), frozenset(changed))


def _stands(session: Session, cell: StudyCell, outcome: CellOutcome, base: Request) -> bool:
    """Returns whether a run is the one that its cell asks for today."""
    try:
        looked_up = session.cell(cell.model, cell.task)
        devices = dict.fromkeys((*DEVICES, Result.load(base.output / outcome.run / RESULT).provenance.device))
        return any(plan(looked_up, cell.request(replace(base, device=one))).run == outcome.run for one in devices)
    except BenchError:
        return True


def _like(cell: StudyCell, ended: Iterable[tuple[StudyCell, float]]) -> float:
    """Returns the mean seconds of the cells most like one: its model on its task, else its model, else all."""
    alike: tuple[Callable[[StudyCell], object], ...] = (lambda one: (one.model, one.task), lambda one: one.model)
    for kind in alike:
        if seconds := [took for other, took in ended if kind(other) == kind(cell)]:
            return statistics.fmean(seconds)
    return statistics.fmean(took for _, took in ended)

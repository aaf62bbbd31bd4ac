"""One cell run, and what became of each kept beside the runs: `cells/<id>.json`, whole or not there.

Every process writes the files of its own cells alone, so any number of them can run cells of one study.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError

from bench.catalogue.lookup import Session
from bench.errors import BenchError, Interrupted, InvalidData, UnsupportedTask
from bench.evidence.verified import RESULT
from bench.files import taken, write_json
from bench.reading.outside import JSON, one_line, read_content
from bench.results import Record, Result
from bench.runs.execute import execute
from bench.runs.plan import plan
from bench.runs.progress import Reporter
from bench.runs.request import Request
from bench.study.cells import StudyCell

FOLDER = "cells"
LOGS = "logs"

State = Literal["done", "failed", "unsupported"]


def _now() -> str:
    return datetime.now(UTC).isoformat()


class CellOutcome(Record):
    """What became of a cell when it was run last.

    A cell is `unsupported` where its model cannot do its task, `failed` for any other reason.
    """

    schema_: Literal["bench-cell/1"] = Field(default="bench-cell/1", alias="schema")
    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    state: State
    run: str = Field(default="", max_length=300, description="folder of the run, where there is one")
    error: str = Field(default="", description="in one line, such as `DataError: …`")
    exit_code: int = Field(default=0, description="that the command would have left with")
    seconds: float = Field(default=0.0, ge=0.0, description="wall time, also of a run that was complete already")
    reused: bool = Field(default=False, description="whether the run was complete already")
    host: str = Field(default_factory=socket.gethostname, description="the machine that left word")
    ended: str = Field(default_factory=_now, description="by the clock of that machine, in UTC")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def own_fault(self) -> bool:
        """True where running it again cannot help: what was asked, or the data, has to be mended."""
        return self.exit_code in (2, 3, 4)


@dataclass(frozen=True)
class Ledger:
    """The outcomes kept in a folder of runs."""

    output: Path

    @property
    def folder(self) -> Path:
        """Returns where all is kept that is said of cells."""
        return self.output / FOLDER

    def path(self, cell: str) -> Path:
        """Returns where the outcome of the cell with an id is kept."""
        return self.folder / f"{cell}.json"

    def log(self, cell: StudyCell) -> Path:
        """Returns where a process of its own writes what it says while it runs the cell."""
        return self.folder / LOGS / f"{cell.id}.log"

    def keep(self, outcome: CellOutcome) -> CellOutcome:
        """Keeps an outcome in place of the last. Raises: SaveError."""
        write_json(self.path(outcome.id), outcome.model_dump(by_alias=True, mode="json"))
        return outcome

    def outcome(self, cell: StudyCell) -> CellOutcome | None:
        """Returns what became of a cell; None where it never ended, or its run is no longer there.

        Raises: InvalidData for a file that is no outcome.
        """
        path = self.path(cell.id)
        if not path.is_file():
            return None
        try:
            outcome = CellOutcome.model_validate_json(read_content(path, JSON))
        except ValidationError as error:
            raise InvalidData(f"{path} is no outcome of a cell: {error.errors()[0]['msg']}. Delete it.") from error
        if outcome.state == "done" and not taken(self.output / outcome.run / RESULT):
            return None
        return outcome


def run_cell(
    session: Session, cell: StudyCell, base: Request, reporter: Reporter | None = None, ledger: Ledger | None = None
) -> Result:
    """Returns the record of a cell that was run, or found complete.

    Args:
        base: where runs go, and on which device.
        ledger: keeps what became of it, unless it was interrupted.

    Raises: whatever ended it.
    """
    clock = time.monotonic()
    try:
        planned = plan(session.cell(cell.model, cell.task), cell.request(base), reporter)
        reused = planned.finished
        result = execute(planned, reporter)
    except Interrupted:
        raise
    except BenchError as error:
        if ledger:
            ledger.keep(failure(cell, error, time.monotonic() - clock))
        raise
    if ledger:
        seconds = round(time.monotonic() - clock, 3)
        ledger.keep(CellOutcome(id=cell.id, state="done", run=result.run, seconds=seconds, reused=reused))
    return result


def failure(cell: StudyCell, error: BenchError, seconds: float) -> CellOutcome:
    """Returns the outcome of a cell that an error ended."""
    return CellOutcome(
        id=cell.id,
        state="unsupported" if isinstance(error, UnsupportedTask) else "failed",
        error=f"{type(error).__name__}: {one_line(error)}",
        exit_code=error.exit_code,
        seconds=round(seconds, 3),
    )

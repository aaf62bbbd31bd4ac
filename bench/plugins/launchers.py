"""What a launcher is: it runs jobs, each one cell, on this machine or on a cluster, and tells when each has ended.

Which cells are run, in which order, again or not, and what became of them is decided by bench, from what a job wrote;
a launcher starts processes and nothing else. It must run no job a second time by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.execution import Resources

if TYPE_CHECKING:
    from bench.models import Setting, Value


@dataclass(frozen=True)
class LauncherSpec:
    """A launcher as its plugin offers it.

    Attributes:
        name: what users type after `--launcher`.
        summary: one line.
        loader: `"package.module:object"`; called as `object(LaunchStart)`, returns a `Launcher`.
        settings: what users may set by `--launcher-set`, by name.
        extra: what to install, such as `vtbench[ray]`; "" for nothing.
    """

    name: str
    summary: str
    loader: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    extra: str = ""


@dataclass(frozen=True)
class LaunchStart:
    """What a launcher is started with.

    Attributes:
        settings: every one of its settings, resolved.
        folder: for files of its own, below the folder of runs, which every machine must see.
        jobs: how many run at once at most, as `--jobs` says; None where nothing was said.
        say: takes a line for the user.
        needs: what the first of its cells needs: a machine that is asked beforehand should be one that has it.
    """

    settings: Mapping[str, Value]
    folder: Path
    jobs: int | None
    say: Callable[[str], None]
    needs: Resources = Resources()  # noqa: RUF009 (frozen)


@dataclass(frozen=True)
class Job:
    """One cell, to be run once in a process of its own.

    Attributes:
        cell: what is run, in its JSON form, with its `id`.
        cells: the file of cells that it stands in; every machine must see it under this path.
        device: `auto`, `cpu`, `cuda` or `cuda:i`.
        checkpoint_every: how often an unfinished fit is saved, as `--checkpoint-every` says it.
        environment: variables that must be set when the process starts.
        resources: what it needs.
        log: the file that gets what it prints, at its end; its folder is there.
        ranks: processes that fit its model together, on the machine that it runs on.
    """

    cell: Mapping[str, Any]
    cells: Path
    device: str
    checkpoint_every: str
    environment: Mapping[str, str]
    resources: Resources
    log: Path
    ranks: int = 1

    @property
    def id(self) -> str:
        return str(self.cell["id"])

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs it. Ctrl-C or SIGTERM makes it save and leave; given again it goes on from there."""
        chosen = ["--device", self.device, "--checkpoint-every", self.checkpoint_every]
        chosen += ["--ranks", str(self.ranks)] if self.ranks > 1 else []
        return ("bench", "run", "--cells", str(self.cells), "--cell", self.id, *chosen)


@dataclass(frozen=True)
class JobEnd:
    """A job that ended, for whatever reason.

    Attributes:
        id: of its cell.
        how: how its process ended where that was not by itself, such as `was killed by SIGKILL`; "" where it was.
    """

    id: str
    how: str = ""


@dataclass(frozen=True)
class MachineCheck:
    """What a command came to in one place where jobs may run.

    Attributes:
        place: such as the name of a machine.
        exit_code: of the command.
        said: what it printed.
    """

    place: str
    exit_code: int
    said: str


class Launcher(Protocol):
    """Runs jobs."""

    @property
    def slots(self) -> int | None:
        """How many jobs it takes at once; None where they queue on the cluster."""

    def check(self, command: Sequence[str]) -> Iterable[MachineCheck]:
        """Runs a command once on every machine that is known and not this one, before the first job."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Starts or queues jobs. Raises: BenchError where it cannot."""

    def ended(self) -> Sequence[JobEnd]:
        """Returns jobs that ended since it was last asked, each once; waits for one, for some seconds at most."""

    def stop(self) -> None:
        """Asks all jobs to save what they have and to leave, and waits until they have, or for half a minute."""

    def close(self) -> None:
        """Ends what is left, in seconds."""

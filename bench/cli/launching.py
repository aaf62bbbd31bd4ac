"""What `bench run` and `bench study run` share: which launcher runs cells, and what it says of each as it ends."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import WholeRange
from bench.errors import PartialFailure, UsageError
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue
    from bench.runs.progress import Reporter
    from bench.study import CellOutcome, StudyCell, StudyCells
    from bench.study.launching import Launching

LOCAL = "local"
_RESOURCES = ("cpus", "gpus", "memory")


def resource_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags that say what a cell needs on a cluster; the command gets those that were given as `resources`."""

    @functools.wraps(command)
    def collected(*args: Any, **flags: Any) -> Any:
        given = {name: flags.pop(name) for name in _RESOURCES}
        return command(*args, **flags, resources={name: value for name, value in given.items() if value is not None})

    return _with(
        collected,
        click.option("--memory", type=WholeRange(1), metavar="GB", help="Of each cell on a cluster."),
        click.option("--gpus", type=WholeRange(0), help="Of each cell on a cluster (default: as its model says)."),
        click.option("--cpus", type=WholeRange(1), help="Of each cell on a cluster (default: as its model says)."),
    )


def _with(command: Callable[..., Any], *options: Callable[..., Any]) -> Callable[..., Any]:
    """Adds options to a command; the last stands first in its help."""
    return functools.reduce(lambda added, option: option(added), options, command)


@dataclass(frozen=True)
class LaunchChoices:
    """What flags say of how cells are run."""

    launcher: str
    settings: tuple[str, ...]
    jobs: int | None
    retries: int
    resources: dict[str, int]

    @property
    def beside(self) -> bool:
        """Whether cells run in processes of their own."""
        return self.launcher != LOCAL or (self.jobs or 1) > 1

    def check(self) -> None:
        """Raises UsageError for flags that would do nothing."""
        if self.launcher == LOCAL and (given := [f"--{name}" for name in self.resources]):
            raise UsageError(
                f"{' and '.join(given)} with the launcher local, which shares this machine out by --jobs. Leave it "
                "out, or name another launcher: `bench list launchers`."
            )

    def launching(
        self, catalogue: Catalogue, device: str, every: str, resources: Mapping[str, int], ranks: Mapping[str, int]
    ) -> Launching:
        """Returns them looked up. Raises: UnknownName, UsageError."""
        from bench.execution import check_device
        from bench.models.settings import resolved
        from bench.study.launching import Launching

        check_device(device)
        spec, given = catalogue.launcher(self.launcher), {}
        for text in self.settings:
            key, equals, value = text.partition("=")
            if not equals or key in given:
                wrong = "was given twice" if equals else "is no KEY=VALUE"
                raise UsageError(f"--launcher-set {text!r}: {wrong}. Write such as --launcher-set partition=gpu.")
            given[key] = value
        settings = resolved(f"launcher {spec.name!r}", given, spec.settings)
        needed = {**resources, **self.resources}
        return Launching(spec, settings, self.jobs, self.retries, needed, device, every, ranks)


def launch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags that say how cells are run; the command gets them as one argument `launch`."""

    @functools.wraps(command)
    def collected(*args: Any, **flags: Any) -> Any:
        names = ("launcher", "launcher_settings", "jobs", "retries", "resources")
        choices = LaunchChoices(*(flags.pop(name) for name in names))
        choices.check()
        return command(*args, **flags, launch=choices)

    return _with(
        collected,
        resource_options,
        click.option(
            "--retries", type=WholeRange(0), default=0, show_default=True,
            help="How often a cell is tried again that failed for a reason that may pass, as a kill does.",
        ),
        click.option(
            "--launcher-set", "launcher_settings", multiple=True, metavar="KEY=VALUE",
            help="Setting of the launcher, such as partition=gpu; repeatable. `bench info LAUNCHER` lists them.",
        ),
        click.option(
            "--launcher", default=LOCAL, show_default=True, help="What runs cells: `bench list launchers`."
        ),
        click.option(
            "--jobs", "-j", type=WholeRange(1),
            help="Cells run beside each other: processes that share this machine's cores, or as many of a cluster's.",
        ),
    )  # fmt: skip


def run_beside(
    cells: StudyCells, catalogue: Catalogue, how: Launching, reporter: Reporter
) -> list[tuple[StudyCell, CellOutcome]]:
    """Runs cells in processes of their own and says of each what became of it; returns them as they ended."""
    from bench.study.launchers.local import threads_each
    from bench.study.launching import run_cells

    total, ended, jobs = len(cells.cells), [], how.jobs or 1
    by = f"{number_of(jobs, 'process')}, {number_of(threads_each(jobs), 'thread')} each"
    reporter.say(f"{number_of(total, 'cell')} on {by if how.launcher.name == LOCAL else how.launcher.name}")
    for cell, outcome in run_cells(cells, catalogue, how, reporter):
        ended.append((cell, outcome))
        reporter.say(f"[{len(ended)} of {total}] {in_words(cell, outcome)}")
        reporter.step("cells", len(ended), total, {})
    return ended


def in_words(cell: StudyCell, outcome: CellOutcome) -> str:
    """Returns one line on a cell that ended."""
    if outcome.state == "done":
        return f"{cell}: " + ("complete already" if outcome.reused else f"done in {outcome.seconds:.0f} s")
    return f"{cell}: {'skipped' if outcome.state == 'unsupported' else 'failed'}. {outcome.error}"


def exit_code(ended: Sequence[tuple[StudyCell, CellOutcome]]) -> int:
    """Returns the exit code of cells that ended, the first error's where none is done.

    Raises: PartialFailure when some are done and others failed or were skipped.
    """
    bad = [outcome for _, outcome in ended if outcome.state != "done"]
    if bad and len(bad) < len(ended):
        skipped = sum(outcome.state == "unsupported" for outcome in bad)
        raise PartialFailure(
            f"{len(bad) - skipped} of {number_of(len(ended), 'cell')} failed, {skipped} were skipped, as a model "
            "cannot do a task; the others are in order. Reasons are above."
        )
    return bad[0].exit_code if bad else 0

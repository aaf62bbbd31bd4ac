"""A task taken all the way, as its users would: two runs, scored again, added to a board, its pages built, compared.

On the generated sample, with models that can take the task: those of its own plugin first, then controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.analysis.compare import check_comparable, compare_sides, open_side
from bench.catalogue.config import CHECKOUT, PACKAGED, load
from bench.catalogue.lookup import Session
from bench.evidence.verified import stored
from bench.leaderboard.building import Sources, build
from bench.models import ModelSpec, Trainable
from bench.plugins.discovery import Plugin
from bench.reading.numbers import number_of
from bench.results import Result
from bench.runs.execute import execute
from bench.runs.plan import plan
from bench.runs.request import Request
from bench.runs.rescore import rescore
from bench.submission import add
from bench.tasks.task import Task
from bench.testing.report import CheckFailed, NotApplicable
from bench.testing.subject import few_epochs


@dataclass
class ToBoard:
    """The way of one task to a board; each step needs the one before.

    Attributes:
        folder: an empty folder for runs and the board.
        runs: the finished runs, with their folders.
        done: how many steps went well.
    """

    session: Session
    plugin: Plugin
    task: Task
    folder: Path
    runs: list[tuple[Path, Result]] = field(default_factory=list)
    done: int = 0

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yields each step with what takes it; a step after one that went wrong is skipped."""
        steps = (
            ("bench run", self.run),
            ("bench rescore", self.rescore),
            ("bench leaderboard add", self.add),
            ("bench leaderboard build", self.build),
            ("bench compare", self.compare),
        )
        for place, (name, step) in enumerate(steps):
            yield name, self._after(place, step)

    def _after(self, place: int, step: Callable[[], str]) -> Callable[[], str]:
        def taken() -> str:
            if self.done < place:
                raise NotApplicable("the step before did not go well")
            told = step()
            self.done += 1
            return told

        return taken

    def run(self) -> str:
        """Runs two models, or one under two seeds."""
        self._to_the_sample()
        names = [spec.name for spec in self._models()[:2]]
        for name, seed in ((names[0], 0), (names[-1], len(names) % 2)):
            cell = self.session.cell(name, self.task.name)
            request = Request(
                self.folder / "runs", seed=seed, device="cpu", settings=few_epochs(cell.spec), command=("plugin check",)
            )
            planned = plan(cell, request)
            self.runs.append((planned.folder, execute(planned)))
        primary = self.runs[0][1].primary
        told = [f"{result.model.name} (seed {result.seed}) {result[primary].value:.1f}" for _, result in self.runs]
        return f"{primary}: {', '.join(told)}"

    def _to_the_sample(self) -> None:
        """Turns to the configuration that ships where the task's dataset is not the sample."""
        if self.session.dataset(self.task.dataset).kind == "generated":
            return
        sample = Session(load(PACKAGED if PACKAGED.exists() else CHECKOUT))
        if self.task.name not in sample.catalogue.tasks:
            raise NotApplicable(f"{self.task.dataset} is not the sample, and the sample has no task of this name")
        self.session, self.task = sample, sample.catalogue.tasks[self.task.name]

    def _models(self) -> list[ModelSpec]:
        """Returns the models that can take the task, those to try it with first. Raises: NotApplicable for none."""
        wanted = set(self.task.accepts)
        own = self.plugin.provides.get("model", ())
        able = [
            spec
            for spec in self.session.catalogue.models.values()
            if any(set(capability.__mro__) & wanted for capability in spec.provides)
        ]
        if not able:
            names = " or ".join(kind.__name__ for kind in self.task.accepts)
            raise NotApplicable(f"no installed model provides {names}. Offer a control beside the task")
        return sorted(able, key=lambda spec: (spec.name not in own, not spec.control, Trainable in spec.provides))

    def rescore(self) -> str:
        """Scores what was said again, without the models."""
        for folder, _ in self.runs:
            rescore(stored(folder), self.task, self.session.dataset(self.task.dataset))
        kinds = {result.predictions.kind for _, result in self.runs if result.predictions}
        return f"every measurement is the same; {', '.join(sorted(kinds))}"

    def add(self) -> str:
        """Puts the runs on a board of their own."""
        added = [add(folder, self.folder / "board", self.session) for folder, _ in self.runs]
        return ", ".join(sorted({one.status for one in added}))

    def build(self) -> str:
        """Builds the board: every run stands in a row."""
        report = build(Sources((self.folder / "board" / "results",)), self.folder / "board")
        if report.left_out:
            raise CheckFailed(f"the board leaves a run out: {report.left_out[0].reason}")
        models = {result.model.name for _, result in self.runs}
        if report.rows != len(models):
            raise CheckFailed(
                f"the board has {number_of(report.rows, 'row')}; expected one for each of {', '.join(sorted(models))}"
            )
        names = [column.name for column in report.boards[0].tables[0].columns]
        return f"{number_of(report.rows, 'row')} with {', '.join(names)}"

    def compare(self) -> str:
        """Compares the two runs query by query."""
        a, b = (open_side([folder]) for folder, _ in self.runs)
        check_comparable(a, b, across=False)
        compared = compare_sides(a, b, ())
        if not compared:
            raise CheckFailed("no measurement of it has a value for each query, so nothing can be compared")
        first = compared[0]
        return f"{first.metric}: difference {first.comparison.difference:+.1f}, p = {first.comparison.p_value:.2g}"

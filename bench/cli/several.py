"""What commands of several runs share: the error of one run does not stop the others, and what each plan would do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.cli.saying import echo
from bench.errors import BenchError, Interrupted, PartialFailure, UnsupportedTask
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.runs.plan import RunPlan
    from bench.runs.progress import Reporter


class Several:
    """The runs of one command. What could not be run is in `failures`, and was said as it happened."""

    def __init__(self, total: int, reporter: Reporter) -> None:
        self.failures: list[BenchError] = []
        self._total = total
        self._reporter = reporter

    @contextmanager
    def one(self, name: str, forgiven: type[BenchError] = BenchError) -> Iterator[None]:
        """Keeps an error of planning or doing one run, where there are others.

        Raises: Interrupted; the error itself where there is a single run.
        """
        try:
            yield
        except Interrupted:
            raise
        except forgiven as error:
            if self._total == 1:
                raise
            self.failures.append(error)
            what = "skipped" if isinstance(error, UnsupportedTask) else "failed"
            self._reporter.say(f"{name} {what}. {type(error).__name__}: {error}")

    def exit_code(self, *, saved: bool) -> int:
        """Returns the exit code of several runs, the first error's where none could be run.

        Raises: PartialFailure when some failed or were skipped and others were not.
        """
        skipped = sum(isinstance(error, UnsupportedTask) for error in self.failures)
        counts = {
            "failed": len(self.failures) - skipped,
            "were skipped, as a model cannot do a task": skipped,
        }
        what = " and ".join(
            f"{count} of {number_of(self._total, 'run')} {happened}" for happened, count in counts.items() if count
        )
        if self.failures and saved:
            raise PartialFailure(f"{what}; the others are in order. Reasons are above.")
        if self.failures:
            echo(f"{what}; reasons are above.", err=True)
            return self.failures[0].exit_code
        return 0


def print_plans(plans: list[RunPlan], *, as_json: bool) -> None:
    """Prints what each plan would do."""
    if as_json:
        rows = [
            {
                "run": plan.run,
                "folder": str(plan.folder),
                "state": _state(plan),
                "settings": plan.fit.settings,
                "signature": plan.signature,
            }
            for plan in plans
        ]
        echo(json.dumps(rows, indent=2))
        return
    for plan in plans:
        echo(f"{plan.run}: {_state(plan)}")
        echo(f"  folder     {plan.folder}")
        echo(f"  signature  {plan.signature}")
        echo("  settings   " + " ".join(f"{key}={value}" for key, value in plan.fit.settings.items()))


def _state(plan: RunPlan) -> str:
    if plan.finished:
        return "complete already, would be reused"
    if plan.request.checkpoint:
        return f"would predict and score with {plan.request.checkpoint}"
    if plan.fit.checkpoints is None:
        return "would predict and score"
    if plan.fit.checkpoints.model.exists():
        return "fitted already, would predict and score"
    return "would fit, predict and score"

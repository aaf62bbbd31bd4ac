"""Code from elsewhere: named, not imported (`"package.module:object"`), resolved when a run needs it, run in a guard.

A model's code runs seeded, its mistakes become one line, and what it changes is put back. What breaks in a task of a
plugin is said to be the task's fault, not the model's; the code of our own tasks needs no such care: it checks what
models give it, so what breaks in it was given by a model.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, ModelError, TaskError, out_of_memory
from bench.plugins.global_state import RANDOM_STATES, undisturbed

if TYPE_CHECKING:
    from bench.runs.progress import Reporter
    from bench.tasks.task import Task

_OWN = "bench"


def resolve(reference: str) -> Any:
    """Returns the object that `"package.module:object"` names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Guard:
    """Runs the code of one model.

    Attributes:
        model: its name.
        seed: seeds the generators of python, numpy and torch before each action, for models that draw from them.
        folder: the run's folder, where a traceback goes when the model fails.
        log: told what the model changed that is not its own.
        smaller: what needs less memory, in words, by action; under "" for every other action.
    """

    model: str
    seed: int
    folder: Path
    log: Reporter
    smaller: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def during(self, action: str) -> Iterator[None]:
        """Turns an exception of the model's own code into ModelError; our own errors and Ctrl-C pass.

        The random states, the working directory and torch's defaults are put back; what it prints goes to stderr.
        """
        try:
            with undisturbed(seed=self.seed) as left:
                yield
        except BenchError:
            raise
        except Exception as error:
            from bench.files import write_atomically

            trace = self.folder / "traceback.txt"
            write_atomically(trace, traceback.format_exc().encode())
            reason = " ".join(str(error).split()) or "no message"
            if out_of_memory(error):
                raise ModelError(
                    f"model {self.model!r} ran out of memory trying to {action}. Use "
                    f"{self.smaller.get(action) or self.smaller.get('', 'less data: --limit')}, or a device with more "
                    f"memory. {type(error).__name__}: {reason} The traceback is in {trace}."
                ) from error
            raise ModelError(
                f"model {self.model!r} failed to {action}: {type(error).__name__}: {reason}. "
                f"The traceback is in {trace}."
            ) from error
        if changed := [name for name in left.changed if name not in RANDOM_STATES]:
            self.log.say(f"model {self.model!r} changed {', '.join(changed)} in order to {action}; put back")


@dataclass(frozen=True)
class TaskCode:
    """Runs the code of one task.

    Attributes:
        task: whose code it is.
        offered_by: the distribution that offers it; "" names the module of its class.
    """

    task: Task
    offered_by: str = ""

    @contextmanager
    def during(self, action: str, model: Any = None) -> Iterator[None]:
        """Turns an exception of the task's own code into TaskError; our own errors and Ctrl-C pass.

        Args:
            action: what the task was to do: `predict`, `score`.
            model: the model that the task calls; what breaks in its code passes, for whoever guards the model.
        """
        try:
            yield
        except BenchError:
            raise
        except Exception as error:
            _, _caller, *frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
            if out_of_memory(error) or not _broke_in_task(frames, model, self.task):
                raise
            offered_by = self.offered_by or f"module {type(self.task).__module__}"
            reason = " ".join(str(error).split()) or "no message"
            raise TaskError(
                f"task {self.task.name!r} of {offered_by} failed to {action}: {type(error).__name__}: {reason} "
                f"({_place(error, self.task)}). Mend the task, or leave it out."
            ) from error


def _package(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _broke_in_task(frames: list[FrameType], model: Any, task: Task) -> bool:
    """Returns whether the innermost code that is the model's or the task's own was the task's.

    A method is known by its object, other code by its package where the two are of different packages; no code at all
    means that what the task returned could not be used.
    """
    packages = _package(model), _package(task)
    if packages[1] == _OWN:
        return False
    for frame in reversed(frames):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        owner = frame.f_locals.get("self")
        if owner is not None and owner is model:
            return False
        if package == packages[1] and (owner is task or package != packages[0]):
            return True
        if package == packages[0] != packages[1]:
            return False
    return not frames


def _place(error: Exception, task: Task) -> str:
    """Returns where in the task's own package it broke, else where it broke at all."""
    places = traceback.extract_tb(error.__traceback__)
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [place for place, name in zip(places, names, strict=True) if name.partition(".")[0] == _package(task)]
    place = (own or places)[-1]
    return f"{Path(place.filename).name}, line {place.lineno}"

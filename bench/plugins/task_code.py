"""A task's own code, when a plugin offers it: what breaks in it is said to be the task's fault, not the model's.

The code of our own tasks needs no such care: it checks what models give it, so what breaks in it was given by a model.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, TaskError, out_of_memory

if TYPE_CHECKING:
    from bench.tasks.task import Task

_OWN = "bench"


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

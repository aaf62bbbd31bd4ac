"""The hooks a plugin may implement. Each returns light values; nothing heavy is imported to answer them.

A plugin is a module named by an entry point of group `bench`; it marks its functions with `bench.api.hookimpl`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from bench.data.spec import DatasetDeclaration, DatasetSpec
    from bench.models import ModelSpec
    from bench.papers import Paper
    from bench.tasks.task import Task

PROJECT = "bench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def bench_models() -> Iterable[ModelSpec]:
    """Returns the models this plugin offers."""


@hookspec
def bench_tasks(datasets: Sequence[DatasetDeclaration]) -> Iterable[Task]:
    """Returns tasks on the datasets that bench.yaml declares; an implementation may leave the argument out."""


@hookspec
def bench_datasets() -> Iterable[DatasetSpec]:
    """Returns readers: kinds of dataset that bench.yaml can declare."""


@hookspec
def bench_papers() -> Iterable[Paper]:
    """Returns papers whose tables `bench reproduce` sets beside our figures."""

"""The hooks a plugin may implement. Each returns light values; nothing heavy is imported to answer them.

A plugin is a module named by an entry point of group `bench`; it marks its functions with `bench.api.hookimpl`.
docs/hooks.md describes each with an example that runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from bench.data.declared import DatasetDeclaration, DatasetSpec, FeatureReader
    from bench.models import EncoderSpec, ModelSpec
    from bench.plugins.launchers import LauncherSpec
    from bench.plugins.offers import ColumnSpec, ExporterSpec, WatcherSpec
    from bench.plugins.papers import Paper
    from bench.tasks.task import Task

API_VERSION = 1
"""Raised when a plugin written for the one before could stop working. A plugin may state its own as `BENCH_API`."""

PROJECT = "bench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as an answer to the hook of its name."""


@hookspec
def bench_models() -> Iterable[ModelSpec]:
    """Returns the models this plugin offers."""


@hookspec
def bench_encoders() -> Iterable[EncoderSpec]:
    """Returns the encoders this plugin offers: frames, windows of frames and sentences become vectors."""


@hookspec
def bench_tasks(datasets: Sequence[DatasetDeclaration]) -> Iterable[Task]:
    """Returns tasks on the datasets that bench.yaml declares; an implementation may leave the argument out."""


@hookspec
def bench_datasets() -> Iterable[DatasetSpec]:
    """Returns readers: kinds of dataset that bench.yaml can declare."""


@hookspec
def bench_feature_readers() -> Iterable[FeatureReader]:
    """Returns readers of frame features: file layouts that `features:` of bench.yaml can name."""


@hookspec
def bench_papers() -> Iterable[Paper]:
    """Returns papers whose tables `bench reproduce` sets beside our figures."""


@hookspec
def bench_watchers() -> Iterable[WatcherSpec]:
    """Returns what is told of every run: its start, its steps, its result or its failure."""


@hookspec
def bench_columns() -> Iterable[ColumnSpec]:
    """Returns further columns of every board, computed when a run ends and stored in its record."""


@hookspec
def bench_exporters() -> Iterable[ExporterSpec]:
    """Returns further forms of the leaderboard: `bench leaderboard export NAME`."""


@hookspec
def bench_launchers() -> Iterable[LauncherSpec]:
    """Returns what runs cells on this machine or on a cluster: `bench run --launcher NAME`."""

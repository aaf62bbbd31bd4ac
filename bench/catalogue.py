"""Finds plugins once and returns a frozen `Catalogue` of what they offer; a broken plugin is noted, never fatal.

Each entry point of group `bench` gets a plugin manager of its own: stock pluggy stops at the first bad import, and one
raising hook loses every other plugin's answer (pluggy 1.7.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module, metadata
from typing import Any

import pluggy

from bench import builtin, hookspecs
from bench.data.spec import DatasetDeclaration, DatasetSpec
from bench.errors import CatalogueError, ConfigError, UsageError, unknown_name
from bench.models import ModelSpec
from bench.papers import Paper
from bench.tasks.task import Task

GROUP = "bench"
OWN_DISTRIBUTION = "vtbench"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        name: its entry point's name.
        module: the module it names.
        distribution: the distribution that installed it, with version.
        error: why it is not usable, in one line; empty when it is.
        models, readers, tasks, papers: names it provides.
    """

    name: str
    module: str
    distribution: str
    error: str = ""
    models: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """Everything that can be named: models, tasks, readers, datasets and papers, and the plugins they come from."""

    plugins: tuple[Plugin, ...]
    models: Mapping[str, ModelSpec]
    tasks: Mapping[str, Task]
    readers: Mapping[str, DatasetSpec]
    datasets: Mapping[str, DatasetDeclaration]
    papers: Mapping[str, Paper] = field(default_factory=dict)
    clashes: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str) -> ModelSpec:
        """Returns the spec called `name`. Raises: UnknownName, or CatalogueError when two plugins claim it."""
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name not in self.models:
            raise unknown_name("model", name, self.models)
        return self.models[name]

    def task(self, text: str) -> Task:
        """Returns the task that `name` or `name:key=value,…` names. Raises: UnknownName, UsageError, CatalogueError."""
        name, _, parameters = text.partition(":")
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name not in self.tasks:
            raise unknown_name("task", name, self.tasks)
        chosen: dict[str, str] = {}
        for part in filter(None, parameters.split(",")):
            key, equals, value = part.partition("=")
            if not equals or key in chosen:
                raise UsageError(f"task {text!r}: {part!r} is not one key=value. Write {name}:segments=uniform-4.")
            chosen[key] = value
        return self.tasks[name].with_parameters(chosen) if chosen else self.tasks[name]

    def dataset(self, name: str) -> tuple[DatasetDeclaration, DatasetSpec]:
        """Returns the declaration of a dataset and its reader. Raises: UnknownName."""
        if name not in self.datasets:
            raise unknown_name("dataset", name, self.datasets)
        declaration = self.datasets[name]
        return declaration, self.readers[declaration.reader]

    def paper(self, name: str) -> Paper:
        """Returns the paper called `name`. Raises: UnknownName, or CatalogueError when two plugins claim it."""
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name not in self.papers:
            raise unknown_name("paper", name, self.papers)
        return self.papers[name]

    def distribution(self, model: str) -> str:
        """Returns the distribution, with version, that offers a model."""
        return next(plugin.distribution for plugin in self.plugins if model in plugin.models)


@dataclass(frozen=True)
class EntryPoint:
    """Where a plugin is: what `importlib.metadata` says of it, or what a test says."""

    name: str
    module: str
    distribution: str


def entry_points() -> tuple[EntryPoint, ...]:
    """Returns our own plugins first, then the others by distribution and name; each once."""
    version = _own_version()
    found = {EntryPoint("builtin", builtin.__name__, version)}
    for point in metadata.entry_points(group=GROUP):
        source = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"
        found.add(EntryPoint(point.name, point.value, source))
    return tuple(sorted(found, key=lambda p: (not _is_own(p.distribution), p.distribution, p.name)))


def _own_version() -> str:
    try:
        return f"{OWN_DISTRIBUTION} {metadata.version(OWN_DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return f"{OWN_DISTRIBUTION} (not installed)"


def _is_own(distribution: str) -> bool:
    return distribution.split(" ")[0] == OWN_DISTRIBUTION


def discover(declared: Mapping[str, DatasetDeclaration], points: Sequence[EntryPoint] | None = None) -> Catalogue:
    """Returns the catalogue of all plugins for the datasets that bench.yaml declares.

    Raises: ConfigError when a dataset names a reader that no plugin offers.
    """
    loaded = [_Loaded(point) for point in (entry_points() if points is None else points)]
    readers, reader_clashes = _merge(loaded, "reader", lambda plugin: plugin.ask("bench_datasets", DatasetSpec))
    datasets = _declared(declared, readers)
    declarations = tuple(datasets.values())
    models, model_clashes = _merge(loaded, "model", lambda plugin: plugin.ask("bench_models", ModelSpec))
    tasks, task_clashes = _merge(loaded, "task", lambda plugin: plugin.ask("bench_tasks", Task, datasets=declarations))
    papers, paper_clashes = _merge(loaded, "paper", lambda plugin: plugin.ask("bench_papers", Paper))
    return Catalogue(
        plugins=tuple(plugin.record() for plugin in loaded),
        models=models,
        tasks=tasks,
        readers=readers,
        datasets=datasets,
        papers=papers,
        clashes={**reader_clashes, **model_clashes, **task_clashes, **paper_clashes},
    )


def _declared(
    declared: Mapping[str, DatasetDeclaration], readers: Mapping[str, DatasetSpec]
) -> dict[str, DatasetDeclaration]:
    for declaration in declared.values():
        if declaration.reader not in readers:
            known = ", ".join(sorted(readers)) or "none"
            raise ConfigError(
                f"bench.yaml: datasets.{declaration.name}.reader: no reader {declaration.reader!r}. Known: {known}."
            )
    return {
        name: replace(declaration, test=declaration.test or readers[declaration.reader].test)
        for name, declaration in declared.items()
    }


class _Loaded:
    """One entry point, imported and asked in isolation; `error` keeps the first thing that went wrong."""

    def __init__(self, point: EntryPoint) -> None:
        self.point = point
        self.error = ""
        self.names: dict[str, list[str]] = {"model": [], "reader": [], "task": [], "paper": []}
        self._hooks = pluggy.PluginManager(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs)
        try:
            self._hooks.register(import_module(point.module), name=point.name)
            self._hooks.check_pending()  # a misspelt hook is an error, not a hook that never fires
        except (Exception, SystemExit) as error:  # noqa: BLE001 (other people's code may raise anything)
            self._fail(error)

    def ask(self, hook: str, kind: type, **arguments: Any) -> list[Any]:
        """Returns what the plugin offers through one hook; nothing once it has failed."""
        if self.error:
            return []
        try:
            answers: Iterable[Iterable[Any]] = getattr(self._hooks.hook, hook)(**arguments)
            offered = [item for answer in answers for item in answer]
            for item in offered:
                _check(hook, kind, item)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (as above)
            self._fail(error)
            return []
        return offered

    def _fail(self, error: BaseException) -> None:
        text = " ".join(str(error).split()) or "no message"
        self.error = f"{type(error).__name__}: {text}"

    def record(self) -> Plugin:
        return Plugin(
            name=self.point.name,
            module=self.point.module,
            distribution=self.point.distribution,
            error=self.error,
            models=tuple(self.names["model"]),
            readers=tuple(self.names["reader"]),
            tasks=tuple(self.names["task"]),
            papers=tuple(self.names["paper"]),
        )


def _check(hook: str, kind: type, item: Any) -> None:
    if kind is not Task and not isinstance(item, kind):
        raise TypeError(f"{hook} returned {item!r}; expected {kind.__name__} values")
    name = getattr(item, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{hook} returned the name {name!r}; use letters, digits, '-', '_' and '.'")


def _merge(loaded: Sequence[_Loaded], kind: str, ask: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the offers of one kind by name, and the names that cannot be used because two plugins claim them.

    A bundled name stays ours: a plugin that claims it is noted. Two outside plugins that claim one name both lose it.
    """
    offers: dict[str, tuple[_Loaded, Any]] = {}
    clashes: dict[str, str] = {}
    for plugin in loaded:
        for item in ask(plugin):
            if item.name not in offers:
                offers[item.name] = (plugin, item)
                plugin.names[kind].append(item.name)
                continue
            first = offers[item.name][0]
            message = (
                f"{kind} {item.name!r} is claimed by {first.point.distribution} (plugin {first.point.name}) and "
                f"{plugin.point.distribution} (plugin {plugin.point.name}). Rename one of them."
            )
            plugin.error = plugin.error or f"name clash: {message}"
            if not _is_own(first.point.distribution):
                first.error = first.error or f"name clash: {message}"
                first.names[kind] = [name for name in first.names[kind] if name != item.name]
                clashes[item.name] = message
    return {name: item for name, (_, item) in offers.items() if name not in clashes}, clashes

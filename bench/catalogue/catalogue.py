"""Finds plugins once and returns a frozen `Catalogue` of what they offer; a broken plugin is noted, never fatal.

What a broken or blocked plugin would have offered is missing, and so are the datasets of bench.yaml that need it;
everything else stays usable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bench.data.declared import (
    LABELLED,
    SAMPLE,
    SIMULATED,
    DatasetDeclaration,
    DatasetSpec,
    FeatureDeclaration,
    FeatureReader,
)
from bench.errors import CatalogueError, ConfigError, UsageError, unknown_name
from bench.models import EncoderSpec, ModelSpec, is_dual, model_of
from bench.plugins.code import TaskCode
from bench.plugins.discovery import (
    EntryPoint,
    LoadedPlugin,
    Plugin,
    disabled,
    entry_points,
    is_own,
    require_usable,
    strict,
)
from bench.plugins.launchers import LauncherSpec
from bench.plugins.offers import ColumnSpec, ExporterSpec, Extensions, WatcherSpec
from bench.plugins.papers import Paper
from bench.tasks.task import Task


@dataclass(frozen=True)
class Catalogue:
    """Everything that can be named: models, encoders, tasks, readers, datasets, papers; and the plugins they come from.

    Attributes:
        closed: dataset -> why it cannot be opened: its reader comes from a plugin that failed or is blocked.
        clashes: name -> why nobody has it: two plugins claim it.
    """

    plugins: tuple[Plugin, ...]
    models: Mapping[str, ModelSpec]
    tasks: Mapping[str, Task]
    readers: Mapping[str, DatasetSpec]
    datasets: Mapping[str, DatasetDeclaration]
    encoders: Mapping[str, EncoderSpec] = field(default_factory=dict)
    papers: Mapping[str, Paper] = field(default_factory=dict)
    feature_readers: Mapping[str, FeatureReader] = field(default_factory=dict)
    exporters: Mapping[str, ExporterSpec] = field(default_factory=dict)
    launchers: Mapping[str, LauncherSpec] = field(default_factory=dict)
    extensions: Extensions = field(default_factory=Extensions)
    closed: Mapping[str, str] = field(default_factory=dict)
    clashes: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str) -> ModelSpec:
        """Returns the spec called `name`, or that of the dual encoder which `name` or `name:argument` names.

        Raises: UnknownName, UsageError, or CatalogueError when two plugins claim the name.
        """
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name in self.models:
            return self.models[name]
        if name.partition(":")[0] not in self.encoders:
            raise unknown_name("model", name, self.models)
        encoder = self.encoder(name)
        if not is_dual(encoder):
            has = ", ".join(kind.__name__ for kind in encoder.provides)
            raise UsageError(f"encoder {name!r} is no model: it provides {has}, and a model needs frames and text.")
        return model_of(encoder)

    def encoder(self, text: str) -> EncoderSpec:
        """Returns the spec that `name` or `name:argument` names. Raises: UnknownName, UsageError, CatalogueError."""
        name, colon, argument = text.partition(":")
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name not in self.encoders:
            raise unknown_name("encoder", name, self.encoders)
        return self.encoders[name].with_argument(argument) if colon else self.encoders[name]

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
                with self.task_code(self.tasks[name]).during("name its parameters"):
                    known = [f"{key}={value}" for key, value in self.tasks[name].parameters.items()]
                problem = f"names {key!r} twice" if equals else f"{part!r} is not key=value"
                write = f"Write such as {name}:{','.join(known)}" if known else "It has no parameters"
                raise UsageError(f"task {text!r}: {problem}. {write}.")
            chosen[key] = value
        if not chosen:
            return self.tasks[name]
        with self.task_code(self.tasks[name]).during("take parameters"):
            return self.tasks[name].with_parameters(chosen)

    def dataset(self, name: str) -> tuple[DatasetDeclaration, DatasetSpec]:
        """Returns the declaration of a dataset and its reader. Raises: UnknownName, CatalogueError."""
        if name in self.closed:
            raise CatalogueError(self.closed[name])
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

    def exporter(self, name: str) -> ExporterSpec:
        """Returns the exporter called `name`. Raises: UnknownName, or CatalogueError when two plugins claim it."""
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name not in self.exporters:
            raise unknown_name("exporter", name, self.exporters)
        return self.exporters[name]

    def launcher(self, name: str) -> LauncherSpec:
        """Returns the launcher called `name`. Raises: UnknownName, or CatalogueError when two plugins claim it."""
        if name in self.clashes:
            raise CatalogueError(self.clashes[name])
        if name not in self.launchers:
            raise unknown_name("launcher", name, self.launchers)
        return self.launchers[name]

    def features(self, declaration: FeatureDeclaration) -> FeatureDeclaration:
        """Returns a declaration of features with the code of its reader where a plugin offers that.

        Raises: CatalogueError for a reader that nobody offers.
        """
        opened, reason = _with_reader(declaration, self.feature_readers, self.plugins)
        if reason:
            raise CatalogueError(reason)
        return opened

    def distribution(self, name: str, kind: str = "model") -> str:
        """Returns the distribution, with version, that offers a model or an encoder."""
        base = name.partition(":")[0]
        return next(plugin.distribution for plugin in self.plugins if base in plugin.provides.get(kind, ()))

    def task_code(self, task: Task) -> TaskCode:
        """Returns what runs a task's code, under the name of the distribution that offers it."""
        name = task.name.partition(":")[0]
        offering = (plugin.distribution for plugin in self.plugins if name in plugin.provides.get("task", ()))
        return TaskCode(task, next(offering, ""))


def discover(
    declared: Mapping[str, DatasetDeclaration],
    points: Sequence[EntryPoint] | None = None,
    *,
    lenient: bool = False,
) -> Catalogue:
    """Returns the catalogue of all plugins for the datasets that bench.yaml declares.

    Args:
        lenient: a plugin that cannot be used is noted also where BENCH_STRICT_PLUGINS makes it an error.

    Raises: ConfigError when a dataset names a reader that no plugin offers, though every plugin is usable;
    CatalogueError under BENCH_STRICT_PLUGINS.
    """
    blocked = disabled()
    loaded = [LoadedPlugin(point, blocked) for point in (entry_points() if points is None else points)]
    clashes: dict[str, str] = {}
    merged = partial(_merge, loaded, clashes)
    readers = merged("reader", "bench_datasets", DatasetSpec)
    feature_readers = merged("feature reader", "bench_feature_readers", FeatureReader)
    records = tuple(plugin.record() for plugin in loaded)
    datasets, closed = _declared(declared, readers, feature_readers, records)
    declarations = tuple(datasets.values())
    models = merged("model", "bench_models", ModelSpec)
    encoders = merged("encoder", "bench_encoders", EncoderSpec)
    tasks = merged("task", "bench_tasks", object, datasets=declarations)
    papers = merged("paper", "bench_papers", Paper)
    exporters = merged("exporter", "bench_exporters", ExporterSpec)
    launchers = merged("launcher", "bench_launchers", LauncherSpec)
    watchers = merged("watcher", "bench_watchers", WatcherSpec)
    columns = merged("column", "bench_columns", ColumnSpec)
    plugins = tuple(plugin.record() for plugin in loaded)
    if strict() and not lenient:
        require_usable(plugins)
    return Catalogue(
        plugins=plugins,
        models=models,
        tasks=tasks,
        readers=readers,
        datasets=datasets,
        encoders=encoders,
        papers=papers,
        feature_readers=feature_readers,
        exporters=exporters,
        launchers=launchers,
        extensions=Extensions(tuple(watchers.values()), tuple(columns.values())),
        closed=closed,
        clashes=clashes,
    )


def _declared(
    declared: Mapping[str, DatasetDeclaration],
    readers: Mapping[str, DatasetSpec],
    feature_readers: Mapping[str, FeatureReader],
    plugins: Sequence[Plugin],
) -> tuple[dict[str, DatasetDeclaration], dict[str, str]]:
    """Returns the datasets that can be opened, completed by what their readers know, and why the others cannot."""
    datasets: dict[str, DatasetDeclaration] = {}
    closed: dict[str, str] = {}
    for name, declaration in declared.items():
        features, reason = _with_reader(declaration.features, feature_readers, plugins)
        if declaration.reader not in readers:
            reason = _no_reader(f"datasets.{name}.reader: no reader", declaration.reader, readers, plugins)
        if reason:
            closed[name] = reason
        else:
            reader = readers[declaration.reader]
            own = reader.class_splits if declaration.root is None or not reader.captions else None
            datasets[name] = replace(
                declaration,
                features=features,
                test=declaration.test or reader.test,
                captions=reader.captions,
                class_splits=LABELLED if declaration.labels else own,
            )
    return datasets, closed


def _with_reader(
    declaration: FeatureDeclaration, feature_readers: Mapping[str, FeatureReader], plugins: Sequence[Plugin]
) -> tuple[FeatureDeclaration, str]:
    if declaration.reader in {SAMPLE, SIMULATED}:
        return declaration, ""
    if declaration.reader in feature_readers:
        return replace(declaration, loader=feature_readers[declaration.reader].loader), ""
    asked = f"features.{declaration.name}.reader: no reader"
    return declaration, _no_reader(asked, declaration.reader, feature_readers, plugins)


def _no_reader(asked: str, reader: str, known: Mapping[str, object], plugins: Sequence[Plugin]) -> str:
    """Returns why a reader is not there. Raises: ConfigError when no plugin can be the reason."""
    names = ", ".join(sorted(known)) or "none"
    absent = [f"{plugin.name} ({plugin.error or 'blocked'})" for plugin in plugins if plugin.status != "ok"]
    if not absent:
        raise ConfigError(f"bench.yaml: {asked} {reader!r}. Known: {names}.")
    return f"bench.yaml: {asked} {reader!r}. Known: {names}. Not usable, and perhaps the one: {'; '.join(absent)}."


def _merge(
    loaded: Sequence[LoadedPlugin], clashes: dict[str, str], kind: str, hook: str, of: type, **arguments: Any
) -> dict[str, Any]:
    """Returns what all plugins offer through a hook, by name; names that two of them claim are added to `clashes`.

    A bundled name stays ours: a plugin that claims it is noted. Two outside plugins that claim one name both lose it.
    """
    offers: dict[str, tuple[LoadedPlugin, Any]] = {}
    claimed_twice: dict[str, str] = {}
    for plugin in loaded:
        for item in plugin.ask(hook, of, **arguments):
            if item.name not in offers:
                offers[item.name] = (plugin, item)
                plugin.names.setdefault(kind, []).append(item.name)
                continue
            first = offers[item.name][0]
            message = (
                f"{kind} {item.name!r} is claimed by {first.point.distribution} (plugin {first.point.name}) and "
                f"{plugin.point.distribution} (plugin {plugin.point.name}). Rename one of them."
            )
            plugin.error = plugin.error or f"name clash: {message}"
            if not is_own(first.point.distribution):
                first.error = first.error or f"name clash: {message}"
                first.names[kind] = [name for name in first.names[kind] if name != item.name]
                claimed_twice[item.name] = message
    clashes.update(claimed_twice)
    return {name: item for name, (_, item) in offers.items() if name not in claimed_twice}

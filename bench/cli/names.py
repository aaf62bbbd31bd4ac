"""`bench list` and `bench info`: what there is, and all that is known of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command, Group
from bench.cli.completion import names
from bench.cli.options import config_option, wide_option
from bench.cli.runs import runs
from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue

LAYOUTS = "features"
"""A name that also stands for the files that features are read from."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _catalogue(config: Path | None) -> Catalogue:
    from bench.catalogue import catalogue
    from bench.catalogue import config as configuration

    return catalogue.discover(configuration.load(config).datasets)


def _show(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, as_json: bool, on_demand: Collection[str] = ()
) -> None:
    from bench.cli.tables import print_table

    if as_json:
        echo(json.dumps([dict(zip(head, row, strict=True)) for row in rows], indent=2))
    else:
        print_table(head, rows, on_demand=on_demand)


@click.group("list", cls=Group)
def list_group() -> None:
    """List models, encoders, tasks, datasets, sets, features, launchers, papers or runs."""


list_group.add_command(runs)


@list_group.command()
@config_option
@wide_option
@json_option
def models(config: Path | None, as_json: bool) -> None:
    """List the models that plugins offer."""
    catalogue = _catalogue(config)
    rows = [
        (spec.name, ", ".join(kind.__name__ for kind in spec.provides), catalogue.distribution(spec.name), spec.summary)
        for spec in sorted(catalogue.models.values(), key=lambda spec: (spec.control, spec.name))
    ]
    _show(
        ("model", "provides", "distribution", "summary"), rows, as_json=as_json, on_demand=("provides", "distribution")
    )
    _warn(catalogue)


@list_group.command()
@config_option
@wide_option
@json_option
def encoders(config: Path | None, as_json: bool) -> None:
    """List the encoders of frames and texts that plugins offer."""
    catalogue = _catalogue(config)
    rows = [
        (
            spec.name + (f":{spec.argument.upper()}" if spec.argument else ""),
            ", ".join(kind.__name__ for kind in spec.provides),
            spec.extra or catalogue.distribution(spec.name, "encoder"),
            spec.summary,
        )
        for _, spec in sorted(catalogue.encoders.items())
    ]
    _show(("encoder", "provides", "install", "summary"), rows, as_json=as_json, on_demand=("provides",))
    _warn(catalogue)


@list_group.command()
@config_option
@wide_option
@json_option
def tasks(config: Path | None, as_json: bool) -> None:
    """List the tasks on the datasets that bench.yaml declares."""
    catalogue = _catalogue(config)
    rows = [
        (task.name, task.dataset, task.split, " ".join(f"{k}={v}" for k, v in task.parameters.items()), task.summary)
        for _, task in sorted(catalogue.tasks.items())
    ]
    _show(("task", "dataset", "split", "parameters", "summary"), rows, as_json=as_json, on_demand=("dataset", "split"))
    _warn(catalogue)


@list_group.command()
@config_option
@json_option
def datasets(config: Path | None, as_json: bool) -> None:
    """List the datasets that bench.yaml declares."""
    catalogue = _catalogue(config)
    rows = [
        (
            name,
            declaration.reader,
            str(declaration.root or "sample (generated)"),
            declaration.features.extractor or "as the pack says",
        )
        for name, declaration in sorted(catalogue.datasets.items())
    ]
    _show(("dataset", "reader", "root", "features"), rows, as_json=as_json)
    _warn(catalogue)


@list_group.command()
@json_option
def sets(as_json: bool) -> None:
    """List the test sets of the field by name: how large they are, and whether bench has the list of their videos."""
    from bench.data.sets.named import all_sets

    rows = [
        (
            name,
            f"{one.videos:,}",
            f"{one.queries:,}" if one.queries else "not known" if one.part == "test" else "none: training",
            one.unit,
            "ids ship" if one.list_ships else "number only",
        )
        for name, one in all_sets().items()
    ]
    _show(("set", "videos", "queries", "a query is", "list"), rows, as_json=as_json)


@list_group.command("features")
@config_option
@json_option
def features_(config: Path | None, as_json: bool) -> None:
    """List the features that bench.yaml declares: what they come from, and whether that is there."""
    from bench.catalogue import config as configuration
    from bench.cli.features import declared

    rows = [(name, *declared(one)) for name, one in sorted(configuration.load(config).features.items())]
    _show(("features", "reader", "from", "state"), rows, as_json=as_json)


@list_group.command()
@config_option
@json_option
def papers(config: Path | None, as_json: bool) -> None:
    """List the papers whose tables can be reproduced."""
    catalogue = _catalogue(config)
    rows = [(paper.name, paper.title) for _, paper in sorted(catalogue.papers.items())]
    _show(("paper", "title"), rows, as_json=as_json)
    _warn(catalogue)


@list_group.command()
@config_option
@json_option
def launchers(config: Path | None, as_json: bool) -> None:
    """List what runs cells: `bench run --launcher NAME`."""
    catalogue = _catalogue(config)
    rows = [
        (spec.name, spec.extra or catalogue.distribution(spec.name, "launcher"), spec.summary)
        for _, spec in sorted(catalogue.launchers.items())
    ]
    _show(("launcher", "install", "summary"), rows, as_json=as_json)
    _warn(catalogue)


def _warn(catalogue: Catalogue) -> None:
    for plugin in catalogue.plugins:
        if plugin.error:
            echo(f"plugin {plugin.name} ({plugin.distribution}) is not usable: {plugin.error}", err=True)
    for reason in catalogue.closed.values():
        echo(reason, err=True)


@click.command(cls=Command)
@click.argument("name", shell_complete=names)
@config_option
@json_option
def info(name: str, config: Path | None, as_json: bool) -> None:
    """Show all there is to know about NAME: a model, encoder, task, dataset, set, paper, launcher or features.

    `bench info features` also lists the files that features are read from.
    """
    from bench.catalogue import catalogue as catalogues
    from bench.catalogue import config as configuration
    from bench.cli import facts as known_of
    from bench.cli.features import facts_of
    from bench.data.sets.named import all_sets
    from bench.errors import unknown_name

    loaded = configuration.load(config)
    catalogue, sources = catalogues.discover(loaded.datasets), loaded.features
    if name in catalogue.models:
        facts = known_of.model_facts(catalogue, name)
    elif name.partition(":")[0] in catalogue.encoders:
        facts = known_of.encoder_facts(catalogue, name)
    elif name.partition(":")[0] in catalogue.tasks:
        facts = known_of.task_facts(catalogue, name)
    elif name in catalogue.datasets:
        facts = known_of.dataset_facts(catalogue, name)
    elif name in catalogue.papers:
        facts = known_of.paper_facts(catalogue, name)
    elif name in catalogue.launchers:
        facts = known_of.launcher_facts(catalogue, name)
    elif name in sources:
        facts = facts_of(sources[name])
    elif name in (named_sets := all_sets()):
        facts = known_of.set_facts(named_sets[name])
    else:
        kinds = (
            catalogue.models,
            catalogue.encoders,
            catalogue.tasks,
            catalogue.datasets,
            named_sets,
            catalogue.papers,
            catalogue.launchers,
            sources,
        )
        known = [name for kind in kinds for name in kind]
        raise unknown_name("name", name, known)
    if name == LAYOUTS:
        facts |= {"layouts": {one.name: one.summary for one in catalogue.feature_readers.values()}}
    if as_json:
        echo(json.dumps(facts, indent=2, default=str))
        return
    for key, value in facts.items():
        echo(f"{key}:" if isinstance(value, dict) else f"{key}: {value}")
        for inner, text in value.items() if isinstance(value, dict) else ():
            echo(f"  {inner}: {text}")

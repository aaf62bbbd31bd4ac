"""`bench plugin`: which plugins were found, a new one, and whether one keeps its promises."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from bench.cli import completion
from bench.cli.commands import Group
from bench.cli.options import chosen_settings, config_option
from bench.cli.saying import echo


@click.group(cls=Group)
def plugin() -> None:
    """List plugins, write a new one, check one."""


@plugin.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(config: Path | None, as_json: bool) -> None:
    """List plugins: what each provides, whether it is usable, and why not.

    BENCH_DISABLE_PLUGINS=NAME,NAME or `bench --no-plugin NAME …` blocks plugins; BENCH_STRICT_PLUGINS=1 or
    `bench --strict-plugins …` makes a plugin that is not in order an error of every command, for CI.
    """
    from bench.catalogue import catalogue
    from bench.catalogue import config as configuration
    from bench.cli.tables import print_table
    from bench.plugins.discovery import require_usable, strict

    plugins = catalogue.discover(configuration.load(config).datasets, lenient=True).plugins
    rows = []
    for each in plugins:
        distribution, _, version = each.distribution.partition(" ")
        provides = {kind: list(names) for kind, names in each.provides.items()}
        remarks = [*each.remarks, *([each.slow] if each.slow else [])]
        rows.append(
            {
                "plugin": each.name,
                "distribution": distribution,
                "version": version,
                "status": each.status,
                "provides": provides,
                "error": each.error,
                "remarks": remarks,
            }
        )
    if as_json:
        echo(json.dumps(rows, indent=2))
    else:
        head = ("plugin", "distribution", "version", "status", "provides")
        print_table(head, [(*(str(row[key]) for key in head[:-1]), _words(row["provides"])) for row in rows])
        for row in rows:
            for problem in filter(None, [row["error"], *row["remarks"]]):
                echo(f"{row['plugin']}: {problem}")
    if strict():
        require_usable(plugins)


def _words(provides: object) -> str:
    """Returns `model hse; paper hse2018`."""
    assert isinstance(provides, dict)  # noqa: S101 (made above)
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in provides.items())


@plugin.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["encoder", "captioner", "classifier", "task", "dataset"]),
    required=True,
    help="What the plugin will offer.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path(), help="The folder to write it in.")
def new(name: str, kind: str, output: Path) -> None:
    """Write the package of a new plugin NAME: code that runs, a test, a README and a CI workflow."""
    from bench.scaffolding import write_package

    folder = output / f"vtbench-{name}"
    for path in write_package(name, kind, output):
        echo(path)
    command = shlex.join(["pip", "install", "-e", f"{folder}[dev]"])
    echo(f"\nNext: {command}, then `bench plugin check {name}`, then edit {folder / 'src'}.")


@plugin.command()
@click.argument("name", shell_complete=completion.names)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Setting of what is checked.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the report to this file too.")
@config_option
def check(name: str, settings: tuple[str, ...], output: Path | None, config: Path | None) -> int:
    """Check the plugin NAME, or one model or encoder of it; print a report to paste into a pull request.

    Models are fitted on a few videos of the generated sample (a setting `epochs` is lowered to 2); batches, order,
    seeds, checkpoints and inputs at the edges are tried. A model that looks at frames is given drawn ones, and whatever
    endpoint it asks is answered here: `--set model=any` will do. Ends with exit code 6 when a check fails.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.files import write_atomically
    from bench.testing import check_plugin

    report = check_plugin(Session(configuration.load(config)), name, chosen_settings((name,), settings)[name])
    if output:
        write_atomically(output, report.markdown().encode())
    echo(report.markdown(), nl=False)
    return 6 if report.failed else 0

"""`bench leaderboard export`: the leaderboard in a form that a plugin offers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.cli.commands import Command
from bench.cli.options import config_option
from bench.cli.saying import echo
from bench.reading.numbers import number_of


@click.command(cls=Command)
@click.argument("name")
@click.option(
    "--results", "folders", multiple=True, type=click.Path(path_type=Path),
    help="Folder of records, searched with its subfolders; repeatable (default: results/ of the leaderboard).",
)  # fmt: skip
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The file to write (default: print it).")
@config_option
def export(name: str, folders: tuple[Path, ...], output: Path | None, config: Path | None) -> None:
    """Write the leaderboard by the exporter NAME of an installed plugin; `bench plugin list` shows them."""
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.errors import CatalogueError
    from bench.files import write_atomically
    from bench.leaderboard.building import Sources, site_of
    from bench.plugins.code import resolve
    from bench.plugins.global_state import undisturbed

    session = Session(configuration.load(config))
    exporter = session.catalogue.exporter(name)
    default = session.config.leaderboard
    sources = Sources(folders or (default / "results",), published=default / "published")
    boards = site_of(sources, output.parent if output else default).boards
    try:
        with undisturbed():
            text = resolve(exporter.loader)(boards)
        if not isinstance(text, str):
            raise TypeError(f"it returned {type(text).__name__}, expected text")
    except Exception as error:
        reason = " ".join(str(error).split()) or "no message"
        raise CatalogueError(
            f"exporter {name!r} failed: {type(error).__name__}: {reason}. Mend {exporter.loader}, or its plugin."
        ) from error
    if output is None:
        say = echo if sys.stdout.isatty() else click.echo  # a file or a pipe gets the form as it is, tabs and all
        say(text, nl=False)
    else:
        write_atomically(output, text.encode())
        echo(f"{output}: {number_of(len(boards), 'board')}, exported by {name}")

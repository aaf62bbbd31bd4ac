"""`bench data`: is what lies on disk what the protocols expect?"""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.run import config_option


@click.group()
def data() -> None:
    """Verify datasets and their features."""


@data.command()
@click.argument("names", nargs=-1)
@config_option
def verify(names: tuple[str, ...], config: Path | None) -> int:
    """Check datasets (all that bench.yaml declares, if none is named): files, counts, oddities, features."""
    from bench import config as configuration
    from bench.errors import DataError
    from bench.session import Session

    session = Session(configuration.load(config))
    code = 0
    for name in names or sorted(session.catalogue.datasets):
        try:
            for line in session.dataset(name).verify():
                click.echo(f"{name}: {line}")
            click.echo(f"{name}: ok")
        except DataError as error:
            click.echo(f"{name}: {type(error).__name__}: {error}", err=True)
            code = error.exit_code
    return code

"""What is printed: text of records, files and plugins among it, so nothing that a terminal would obey."""

from __future__ import annotations

import click

from bench.errors import printable


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Prints text, line by line as a terminal may show it."""
    click.echo("\n".join(map(printable, str(text).split("\n"))), err=err, nl=nl)

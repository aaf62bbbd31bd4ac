"""`bench features`: features made from videos, and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Group
from bench.cli.options import config_option

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.data.declared import FeatureSource
    from bench.data.features.differences import Differences

MOST = 5
"""Videos that are shown of those that differ."""


@click.group(cls=Group)
def features() -> None:
    """Make features from videos; compare features."""


@features.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print all that differs as JSON on stdout.")
@config_option
def compare(first: str, second: str, as_json: bool, config: Path | None) -> None:
    """Say how the features A and B differ: in what made them, in their videos, in their numbers.

    A and B are feature sources of bench.yaml, or folders of packs. Leaves with 0 whether they differ or not.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import counted
    from bench.data.features.differences import compared

    session = Session(configuration.load(config))
    sources = [_opened(session, name) for name in (first, second)]
    with counted("comparing", "videos") as progress:
        found = compared(sources[0], sources[1], progress)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        _show(first, second, found)


def _opened(session: Session, name: str) -> FeatureSource:
    """Returns the features of a source of bench.yaml, or of a pack's folder. Raises: UnknownName, DataError."""
    from bench.data.features.opening import open_features
    from bench.data.features.pack import PackedFeatures
    from bench.errors import unknown_name

    if name in session.config.features:
        return open_features(session.catalogue.features(session.config.features[name]))
    if Path(name).is_dir():
        return PackedFeatures(name, Path(name))
    raise unknown_name("feature source or pack", name, session.config.features)


def _show(first: str, second: str, found: Differences) -> None:
    for name, (left, right) in found.words.items():
        click.echo(f"{name}: {left or '(not said)'} | {right or '(not said)'}")
    for where, only in ((first, found.only_first), (second, found.only_second)):
        if only:
            click.echo(f"only in {where}: {len(only):,} videos: {', '.join(only[:3])}{', …' if len(only) > 3 else ''}")
    if "dimension" in found.words:
        click.echo("rows of different dimensions cannot be compared")
    elif not found.videos:
        click.echo("no video is in both")
    else:
        rows = f", {len(found.other_rows):,} with another number of rows" if found.other_rows else ""
        click.echo(
            f"{len(found.videos):,} videos in both{rows}: mean cosine {found.cosine:.6f}, largest difference "
            f"{found.largest:.3g}"
        )
        for video_id, one in found.most(MOST):
            apart = (
                f"largest difference {one.largest:.3g}"
                if one.largest is not None
                else "{} and {} rows".format(*one.rows)
            )
            click.echo(f"  {video_id}: cosine {one.cosine:.6f}, {apart}")
    if found.equal:
        click.echo("every row is the same")

"""`bench features`: features made from videos, and compared."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import Group
from bench.cli.options import WholeRange, config_option
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.data.declared import FeatureDeclaration, FeatureSource
    from bench.data.features.differences import Differences
    from bench.extraction import Extraction, ExtractionChoices

MOST = 5
"""Videos that are shown of those that differ."""


@click.group(cls=Group)
def features() -> None:
    """Make features from videos; compare features."""


@features.command()
@click.argument("name", shell_complete=completion.features)
@click.option("--jobs", type=WholeRange(min=1), help="Videos decoded at the same time (default: half of the cores).")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option("--batch-size", type=WholeRange(min=1), help="Frames or windows encoded together (default: measured).")
@click.option("--limit", type=WholeRange(min=1), help="Only the first N videos, into a pack beside that of all.")
@config_option
def extract(
    name: str, jobs: int | None, device: str, batch_size: int | None, limit: int | None, config: Path | None
) -> int:
    """Make the features NAME from the videos that bench.yaml declares, and pack them.

    Whatever interrupts it, the same command goes on where it was. Videos that cannot be read are listed in the pack;
    the others are extracted, and the command leaves with 5.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.extraction import ExtractionChoices

    session = Session(configuration.load(config))
    done = extracted(session, name, ExtractionChoices(device, jobs, batch_size, limit))
    header = done.header
    echo(
        f"{done.pack}: {header.videos:,} videos, {number_of(header.rows, 'row')} of {header.dim}, sha256 "
        f"{header.digest}"
    )
    if limit is not None:
        echo(f"Use it as `{name}-{limit}: {{pack: {done.pack}}}` below `features:` in bench.yaml.")
    return 5 if done.unreadable else 0


def extracted(session: Session, name: str, choices: ExtractionChoices) -> Extraction:
    """Makes the features `name`, and says on stderr how that went."""
    from bench.cli.progress import counted
    from bench.data.features.packing import UNREADABLE, PackWatcher
    from bench.extraction import extract as extract_features
    from bench.runs.execute import chosen_device
    from bench.runs.fit import stop_requests

    choices = replace(choices, device=chosen_device(choices.device))
    started = time.monotonic()
    with stop_requests() as stop, counted(name, "videos") as progress:
        watcher = PackWatcher(lambda line: echo(line, err=True), progress, stop.is_set)
        done = extract_features(session, name, choices, watcher)
    how = "was there already" if done.reused else f"extracted in {time.monotonic() - started:.1f} s"
    echo(f"{name}: {done.pack} {how}", err=True)
    if done.unreadable:
        video_id, reason = next(iter(done.unreadable.items()))
        echo(
            f"{len(done.unreadable):,} of {number_of(done.header.videos + len(done.unreadable), 'video')} could not be "
            f"read, such as {video_id}: {reason} All are in {done.pack / UNREADABLE}; to try them again, delete the "
            "pack.",
            err=True,
        )
    return done


@features.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def layouts(config: Path | None, as_json: bool) -> None:
    """List the files that features are read from: what stands after `reader:` in bench.yaml."""
    from bench.catalogue import catalogue
    from bench.catalogue import config as configuration
    from bench.cli.tables import print_table

    readers = catalogue.discover(configuration.load(config).datasets).feature_readers
    if as_json:
        echo(json.dumps({name: reader.summary for name, reader in readers.items()}, indent=2))
    else:
        print_table(("reader", "reads"), [(name, reader.summary) for name, reader in readers.items()])


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
        differences = compared(sources[0], sources[1], progress)
    if as_json:
        echo(json.dumps(differences.as_json(), indent=2))
    else:
        _show(first, second, differences)


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


def _show(first: str, second: str, differences: Differences) -> None:
    for name, (left, right) in differences.words.items():
        echo(f"{name}: {left or '(not said)'} | {right or '(not said)'}")
    for where, only in ((first, differences.only_first), (second, differences.only_second)):
        if only:
            echo(
                f"only in {where}: {number_of(len(only), 'video')}: "
                f"{', '.join(only[:3])}{', …' if len(only) > 3 else ''}"
            )
    if "dimension" in differences.words:
        echo("rows of different dimensions cannot be compared")
    elif not differences.videos:
        echo("no video is in both")
    else:
        rows = f", {len(differences.other_rows):,} with another number of rows" if differences.other_rows else ""
        echo(
            f"{number_of(len(differences.videos), 'video')} in both{rows}: mean cosine {differences.cosine:.6f}, "
            f"largest difference {differences.largest:.3g}"
        )
        for video_id, one in differences.most(MOST):
            apart = (
                f"largest difference {one.largest:.3g}"
                if one.largest is not None
                else "{} and {} rows".format(*one.rows)
            )
            echo(f"  {video_id}: cosine {one.cosine:.6f}, {apart}")
    if differences.equal:
        echo("every row is the same")


def declared(declaration: FeatureDeclaration) -> tuple[str, str, str]:
    """Returns the reader of features, what they come from, and whether that is there, in words."""
    path = declaration.path or Path()
    if declaration.videos is None:
        return declaration.reader, str(path), "there" if path.exists() else "missing"
    videos = declaration.videos
    state = "extracted" if path.exists() else f"not extracted: bench features extract {declaration.name}"
    return videos.encoder, f"{videos.folder}, {videos.sampler}", state


def facts_of(declaration: FeatureDeclaration) -> dict[str, Any]:
    """Returns all that bench.yaml says of features, and all that their pack says of itself."""
    from bench.data.features.pack_format import read_header

    reader, source, state = declared(declaration)
    facts: dict[str, Any] = {"features": declaration.name, "reader": reader, "from": source, "state": state}
    if declaration.reader == "pack" and declaration.path is not None and declaration.path.exists():
        header = read_header(declaration.path)
        facts["pack"] = {"folder": declaration.path, **header.model_dump(exclude={"made"})}
        if header.made is not None:
            facts["made"] = header.made.words()
    elif declaration.videos is None:
        facts |= {"extractor": declaration.extractor, "stride": declaration.stride}
    return facts

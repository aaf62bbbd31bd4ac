"""`bench data`: is what lies on disk what the protocols expect? And features packed into one file that is read fast."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import Group
from bench.cli.options import WholeRange, config_option
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.features.pack_sources import Contents

SHOWN = 20
"""Missing videos listed when nobody asks for all."""


@click.group(cls=Group)
def data() -> None:
    """Verify datasets and their features; pack or simulate features."""


@data.command()
@click.argument("names", nargs=-1, shell_complete=completion.datasets)
@click.option("--all", "all_missing", is_flag=True, help=f"List every video that is missing, not the first {SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON on stdout.")
@config_option
def verify(names: tuple[str, ...], all_missing: bool, as_json: bool, config: Path | None) -> int:
    """Check datasets (all that bench.yaml declares, if none is named): files, counts, oddities, features.

    Counts are compared with the official ones, ids with the list of the `set:` that bench.yaml declares (`bench list
    sets`), every checksum of a pack with its rows.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import transfer
    from bench.data.verify import DatasetReport
    from bench.data.verify import verify as verified
    from bench.errors import DataError

    session = Session(configuration.load(config))
    most = None if all_missing else SHOWN
    reports = {}
    for name in names or sorted(session.catalogue.datasets):
        try:
            with transfer(name) as progress:
                report = verified(session.dataset(name), progress)
        except DataError as error:
            report = DatasetReport(problems=[error])
        reports[name] = report
        if not as_json:
            for fact in report.facts:
                echo(f"{name}: {fact}")
            for split, compared in report.sets.items():
                _show_ids(f"{name}: {split}: not in the files: ", compared.absent, most)
                _show_ids(f"{name}: {split}: not in {compared.set}: ", compared.foreign, most)
            for split, ids in report.missing.items():
                _show_ids(f"{name}: {split}: no features: ", ids, most)
            for problem in report.problems:
                echo(f"{name}: {type(problem).__name__}: {problem}", err=True)
            if not report.problems:
                echo(f"{name}: ok")
    if as_json:
        echo(json.dumps({name: report.as_json() for name, report in reports.items()}, indent=2))
    codes = [problem.exit_code for report in reports.values() for problem in report.problems]
    return codes[-1] if codes else 0


def _show_ids(head: str, ids: Sequence[str], most: int | None) -> None:
    """Prints a line for each video, the first `most` of them where that is not None."""
    for video_id in ids[:most]:
        echo(head + video_id)
    if most is not None and len(ids) > most:
        echo(f"{head}… and {len(ids) - most:,} more of {len(ids):,} (--all lists them)")


@data.command()
@click.argument("name", shell_complete=completion.sources)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The pack's folder (default: packs/NAME).")
@click.option("--dtype", type=click.Choice(["float16", "float32"]), default="float32", show_default=True)
@config_option
def pack(name: str, output: Path | None, dtype: str, config: Path | None) -> None:
    """Pack the features NAME into one memory-mapped file.

    NAME is a feature source of bench.yaml: every video that it holds is packed. Or it is a dataset: the videos of all
    its splits are packed from the features it uses. A name that is both means the feature source.

    float32 keeps every number as it is; float16 halves the size and rounds to 11 binary digits. Whatever interrupts it,
    the same command goes on where it was; equal features give packs of equal digest.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.data.features.pack_sources import all_of, of_dataset
    from bench.errors import unknown_name

    session = Session(configuration.load(config))
    sources = session.config.features
    if name in sources:
        contents = all_of(session.catalogue.features(sources[name]))
    elif name in session.catalogue.datasets:
        contents = of_dataset(session.dataset(name))
    else:
        raise unknown_name("feature source or dataset", name, {*sources, *session.catalogue.datasets})
    _write_pack(contents, output or Path("packs") / name, dtype)


@data.command()
@click.argument("name", shell_complete=completion.datasets)
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="The pack's folder.")
@click.option("--dtype", type=click.Choice(["float16", "float32"]), default="float16", show_default=True)
@click.option("--limit", type=WholeRange(min=1), help="Only the videos that `bench run --limit N` uses.")
@config_option
def simulate(name: str, output: Path, dtype: str, limit: int | None, config: Path | None) -> None:
    """Write made-up features for the real annotations of dataset NAME, all splits, as a pack.

    They test the protocol at its full size and say nothing about a model: every number made with them is marked
    simulated.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.data.declared import SIMULATED, FeatureDeclaration
    from bench.data.features.pack_sources import of_dataset

    session = Session(configuration.load(config))
    dataset = session.dataset(name, FeatureDeclaration(name=SIMULATED, reader=SIMULATED, extractor=SIMULATED))
    _write_pack(of_dataset(dataset, limit), output, dtype)


def _write_pack(contents: Contents, output: Path, dtype: Any) -> None:
    from bench.cli.progress import transfer
    from bench.data.features.packing import PackWatcher
    from bench.data.features.packing import pack as write_pack
    from bench.runs.fit import stop_requests

    started = time.monotonic()
    if contents.missing:
        echo(f"{contents.name}: {number_of(contents.missing, 'video')} without features left out", err=True)
    with stop_requests() as stop, transfer(contents.name) as progress:
        watcher = PackWatcher(lambda line: echo(line, err=True), progress, stop.is_set)
        header = write_pack(contents, output, dtype, watcher)
    seconds = time.monotonic() - started
    size = header.rows * header.row_bytes / 1e6
    echo(f"{output}: {number_of(header.videos, 'video')}, {size:,.1f} MB in {seconds:.1f} s, sha256 {header.digest}")
    echo(f"Use it as `features: {{{contents.name}: {{pack: {output}}}}}` in bench.yaml.")

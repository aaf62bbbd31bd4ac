"""`bench import`: results that another benchmark's tool wrote, with what is known of their test set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import Group
from bench.cli.saying import echo
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.leaderboard.published import PublishedTask
    from bench.scoring.mteb_results import MtebResult

_FILE = click.Path(path_type=Path)


@click.group(name="import", cls=Group)
def import_group() -> None:
    """Read results that another benchmark's tool wrote. TREC runs are scored: `bench score retrieval --run`."""


@import_group.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--model", help="Name of the model (default: as in mteb's folders, MODEL/REVISION/TASK.json).")
@click.option("--task", help="With --published: the task on whose board the figures stand.")
@click.option("--published", "target", type=_FILE, help="Write published figures for a board, YAML.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def mteb(files: tuple[Path, ...], model: str | None, task: str | None, target: Path | None, as_json: bool) -> None:
    """Say what results of mteb (TASK.json) are figures of: split, size, captions a video, lost queries.

    They have no evidence and are never ranked; --published writes them as a board shows figures of papers.
    """
    from bench.scoring.mteb_results import published, read_result

    if target and not task:
        raise UsageError("--published needs --task NAME: the task on whose board the figures stand.")
    if task and not target:
        raise UsageError("--task is the board's of --published FILE. Give both, or neither.")
    results: dict[str, list[MtebResult]] = {}
    for path in files:
        results.setdefault(model or _model_of(path), []).append(read_result(path))
    if target and task:
        _write(published(results, task), target)
        echo(f"published figures are in {target}", err=True)
    if as_json:
        rows = [_json(name, one) for name, own in results.items() for one in own]
        echo(json.dumps(rows, indent=2))
        return
    for name, own in results.items():
        for one in own:
            _print(name, one)


def _write(figures: PublishedTask, target: Path) -> None:
    import yaml

    from bench.files import write_atomically

    text = yaml.safe_dump(figures.model_dump(by_alias=True), sort_keys=False, allow_unicode=True, width=120)
    write_atomically(target, text.encode(), overwrite=False)


def _model_of(path: Path) -> str:
    folders = path.absolute().parts[:-2]
    name = folders[-1].replace("__", "/") if len(folders) > 1 else ""
    if not name:
        raise UsageError(f"{path} is in no folder MODEL/REVISION: name the model by --model.")
    return name


def _json(name: str, one: MtebResult) -> dict[str, Any]:
    return {
        "model": name,
        "task": one.task,
        "mteb": one.version,
        "split": one.split,
        "queries": one.known.queries,
        "videos": one.known.videos,
        "captions": one.known.captions,
        "set": one.known.set,
        "answered": one.answered,
        "values": one.values,
        "ndcg_at_10": one.main,
        "statements": one.statements,
    }


def _print(name: str, one: MtebResult) -> None:
    figures = ", ".join(f"{measurement} {value:.2f}" for measurement, value in one.values.items()) or "no figure"
    main = f"; mteb's main score, nDCG@10: {one.main:.2f}" if one.main is not None else ""
    echo(f"{name} on {one.task}, split {one.split}, mteb {one.version or 'of a version that is not stated'}")
    echo(f"  {figures}{main}")
    for line in one.statements:
        echo(f"  {line}")

"""Gives the same rows to other scorers and to bench, and prints what each makes of them: the tables of docs/peers.md.

Packages that are not installed are named and left out; `evaluate` keeps its metrics in a repository of its own, whose
folder `metrics` is named by `--evaluate-metrics`. Every input is made here, by one seed.

    python -m venv peers && peers/bin/pip install vtbench torchmetrics ranx ir_measures mteb rouge_score nltk rouge
    peers/bin/python benchmarks/peers.py --evaluate-metrics ../evaluate/metrics --write docs/peers.md
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from peers_captions import METRICS, caption_rows
from peers_retrieval import RETRIEVAL, retrieval_rows

from bench.metrics.captions.meteor.program import started_once

PACKAGES = (
    "vtbench",
    "torchmetrics",
    "ranx",
    "ir_measures",
    "mteb",
    "pytrec_eval-terrier",
    "evaluate",
    "pycocoevalcap",
    "nltk",
    "rouge",
)
BEGIN, END = "<!-- measured: benchmarks/peers.py -->", "<!-- end -->"


def quietly(what: Callable[[], Any]) -> Any:
    """Returns what a function returns, without what libraries print; a program's exit is no end of ours."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return what()


def cell(scored: Callable[[], float]) -> str:
    """Returns a figure in percent, or that the rows were refused, and by which error."""
    try:
        value = quietly(scored)
    except Exception as error:  # noqa: BLE001 (that another library fails is what is measured)
        return f"refused ({type(error).__name__})"
    return f"{value:.1f}"


def installed(package: str) -> str | None:
    """Returns the version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def versions() -> str:
    found: Mapping[str, str | None] = {package: installed(package) for package in PACKAGES}
    have = ", ".join(f"{package} {what}" for package, what in found.items() if what)
    lack = ", ".join(package for package, what in found.items() if not what)
    torch = f", torch {installed('torch')}" if installed("torch") else ""
    lacking = f" Not installed, and so not measured: {lack}." if lack else ""
    return f"{have}{torch}, Python {sys.version.split()[0]}.{lacking}"


def retrieval_table(n: int) -> str:
    """Returns what each scorer makes of the rows, said on stderr as it is measured."""
    scorers = {name: scored for name, (package, scored) in RETRIEVAL.items() if installed(package)}
    lines = []
    for rows in retrieval_rows(n):
        lines.append([rows.name, *(cell(partial(scored, rows)) for scored in scorers.values())])
        print(" | ".join(lines[-1]), file=sys.stderr, flush=True)
    return table([f"R@1 in percent, {n} queries", *scorers], lines)


def captions_table(videos: int, metrics: Path | None) -> str:
    """Returns what each scorer makes of the captions, said on stderr as it is measured."""
    lines = []
    for name, package, scored in caption_rows(videos, metrics):
        if installed(package):
            try:
                found = quietly(scored)
                cells = [f"{found[metric]:.2f}" if metric in found else "–" for metric in METRICS]
            except Exception as error:  # noqa: BLE001 (that another library fails is what is measured)
                cells = [f"refused ({type(error).__name__})"] * len(METRICS)
            lines.append([name, *cells])
            print(" | ".join(lines[-1]), file=sys.stderr, flush=True)
    return table([f"{videos} captions, three references each", *METRICS], lines)


def written(document: Path, block: str) -> str:
    """Returns the document with its measured part replaced. Raises: ValueError where the marks are not there."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{block}\n{END}{after}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--videos", type=int, default=48, help="captions of the second table")
    parser.add_argument("--evaluate-metrics", type=Path, help="folder `metrics` of the repository of evaluate")
    parser.add_argument("--only", choices=["retrieval", "captions"])
    parser.add_argument("--write", type=Path, help="document to put the tables into")
    chosen = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    parts = [versions()]
    parts += [] if chosen.only == "captions" else [retrieval_table(chosen.queries)]
    with started_once():
        parts += [] if chosen.only == "retrieval" else [captions_table(chosen.videos, chosen.evaluate_metrics)]
    block = "\n\n".join(parts) + "\n"
    if chosen.write:
        chosen.write.write_text(written(chosen.write, block), encoding="utf-8")
    print(block)

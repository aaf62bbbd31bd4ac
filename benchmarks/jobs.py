"""Cells of one study in turn, two beside each other, and on Ray: cells per hour, and CPU seconds of each cell.

Cells are seeds of one model on the generated sample, so that no two share a fit. Each repeat runs the same command
without `--jobs`, with it, and with `--ray` on a Ray cluster of this machine that the command starts and ends; each in a
folder of its own and at one thread a cell, and takes turns at who is first. CPU seconds are those of user and system of
the command and all its processes, start-up with them: a second process starts once, and so do Ray's daemons, so cells
of a few seconds pay for them. On an idle machine cells per hour count; on a busy one CPU seconds do, and the line of
the load says which it was.

    python benchmarks/jobs.py
    python benchmarks/jobs.py --cells 4 --epochs 2 --repeats 1
    .venv-extras/ray/bin/python benchmarks/jobs.py --ray
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from galleries import tree
from timing import processor, table

HERE = Path(__file__).resolve().parents[1]
LOOK = 0.3
"""Seconds between two looks at processes: what one does after the last is not counted."""
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux
TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """CPU seconds of all processes that begin below this one, also of those whose parent has ended."""

    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        self._before = {os.getpid(), *tree(os.getpid())}
        self._seen: dict[int, float] = {}
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look)
        self._looking.start()

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            for process in {*tree(os.getpid())} - self._before:
                try:
                    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                except OSError:  # it ended meanwhile
                    continue
                self._seen[process] = (int(words[11]) + int(words[12])) / TICKS

    def seconds(self) -> float:
        """Ends it."""
        self._over.set()
        self._looking.join()
        for process in self._seen:
            with suppress(ChildProcessError):  # one that has another parent, or none any more
                os.waitpid(process, os.WNOHANG)
        return sum(self._seen.values())


def run(arguments: argparse.Namespace, how: tuple[str, ...]) -> tuple[float, float, dict[str, str]]:
    """Returns wall and CPU seconds of all cells, and the digests of their predictions by run.

    Raises: CalledProcessError when a cell fails.
    """
    command = [sys.executable, "-m", "bench", "run", "-m", arguments.model, "-t", "anet-retrieval"]
    command += ["--seeds", ",".join(map(str, range(arguments.cells))), "--set", f"epochs={arguments.epochs}"]
    command += ["--set", f"hidden={arguments.hidden}", "--device", "cpu", "--output", "runs", *how]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE / "plugins"))),
        "OMP_NUM_THREADS": "1",
    }
    with TemporaryDirectory() as folder, (Path(folder) / "said").open("w") as said:
        watch, began = Watch(), time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        code, wall = process.wait(), time.perf_counter() - began
        cpu = watch.seconds()
        if code:
            sys.stderr.write((Path(folder) / "said").read_text())
            raise subprocess.CalledProcessError(code, command)
        records = [json.loads(path.read_text()) for path in Path(folder).glob("runs/*/result.json")]
    return wall, cpu, {one["run"]: one["predictions"]["sha256"] for one in records}


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="hse")
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--jobs", type=int, default=2, help="cells beside each other")
    parser.add_argument("--ray", action="store_true", help="on Ray, too: needs vtbench[ray]")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each, in turn, of which medians are taken")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    beside = ("--jobs", str(chosen.jobs))
    ways = {"in turn": (), f"--jobs {chosen.jobs}": beside}
    if chosen.ray:
        ways["on Ray"] = (*beside, "--launcher", "ray", "--launcher-set", "address=local")
    names = list(ways)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    digests: list[dict[str, str]] = []
    for repeat in range(chosen.repeats):
        for name in names if repeat % 2 == 0 else reversed(names):
            wall, cpu, predictions = run(chosen, ways[name])
            taken[name].append((3600 * chosen.cells / wall, cpu / chosen.cells))
            digests.append(predictions)
    print(f"{processor()}, {os.cpu_count()} cores; {load:.1f} processes were waiting when it began")
    rows = []
    for place, what in enumerate(("cells per hour", "CPU s per cell")):
        figures = {name: [one[place] for one in taken[name]] for name in names}
        ratios = [
            median(b / a for a, b in zip(figures[before], figures[name], strict=True))
            for before, name in pairwise(names)
        ]
        rows.append((what, *(median(figures[name]) for name in names), *ratios))
    heads = [f"{name} / {before}" for before, name in pairwise(names)]
    print(table([(f"medians of {chosen.repeats}", *names, *heads), *rows]))
    same = all(one == digests[0] for one in digests)
    print(f"predictions of {len(digests[0])} cells: {'the same to the last bit' if same else 'NOT THE SAME'} each time")


if __name__ == "__main__":
    main()

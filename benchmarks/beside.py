"""Compares two checkouts, job by job and in turn: training steps, ranking, start-up, short runs, and our own board.

Each checkout runs its own code and its own benchmarks, in processes of its own that find their modules compiled, as
those of users do: a first run of each command is not counted. Seconds are CPU seconds of user and system: of the
process and its children, or what a benchmark itself says of the part that it is about. Memory is the largest resident
size of the process. Ratios are those of medians.

    git worktree add --detach ../before 2aa69c3
    python benchmarks/beside.py ../before
    python benchmarks/beside.py ../before --only start-up board --repeats 11
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from timing import processor, table

HERE = Path(__file__).resolve().parents[1]
BENCH = ("-m", "bench")
JOBS: dict[str, dict[str, tuple[str, ...]]] = {
    "start-up": {
        "bench --help": (*BENCH, "--help"),
        "bench list models": (*BENCH, "list", "models"),
        "bench plugin list": (*BENCH, "plugin", "list"),
        "bench info hse": (*BENCH, "info", "hse"),
    },
    "run": {
        "bench run -m random": (*BENCH, "run", "-m", "random", "-t", "anet-retrieval", "-o", "{folder}/runs"),
        "bench run -m hse, 2 epochs": (
            *(*BENCH, "run", "-m", "hse", "-t", "anet-retrieval", "-o", "{folder}/runs"),
            *("--limit", "64", "--set", "epochs=2", "--device", "cpu"),
        ),
    },
    "board": {"bench leaderboard build": (*BENCH, "leaderboard", "build", "--output", "{folder}")},
    "check": {"bench leaderboard check": (*BENCH, "leaderboard", "check")},
    "step": {
        "training step": (
            "benchmarks/train_step.py",
            "--no-plain",
            "--repeats",
            "9",
            "--hidden",
            "256",
            "--gemm",
            "512",
        )
    },
    "ranking": {
        "ranking 5,000": ("benchmarks/ranking.py", "--only", "bench", "--n", "5000", "--repeats", "5"),
        "ranking 20,000": ("benchmarks/ranking.py", "--only", "bench", "--n", "20000", "--repeats", "1"),
    },
}
"""Part -> job -> arguments of Python in the checkout."""
SAID = re.compile(r"^(?:(?P<of>\w+), one step .*|(?:as shipped|bench) +(?P<seconds>[\d.e+-]+) .*)$", re.MULTILINE)
"""What a benchmark of ours prints of the part that it is about: its head, and the row of our own code."""
GREW = re.compile(r"^bench .* (?P<mb>[\d.e+-]+)$", re.MULTILINE)
"""What `ranking.py` prints of memory: by how much a run raises the peak."""


def run(checkout: Path, compiled: Path, job: str, arguments: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """Yields what was measured of one run by name; Python keeps compiled modules in `compiled`.

    Raises: CalledProcessError when it fails.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": os.pathsep.join(map(str, (checkout, checkout / "plugins")))}
    environment |= {"PYTHONPYCACHEPREFIX": str(compiled)}
    with TemporaryDirectory() as folder:
        command = [sys.executable, *(argument.format(folder=folder) for argument in arguments)]
        process = subprocess.Popen(  # waited for below, where the system says what it took
            command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, text)
    said = list(SAID.finditer(text)) if arguments[0].startswith("benchmarks") else []
    head = ""
    for found in said:
        head = f" of {found['of']}" if found["of"] else head
        if found["seconds"]:
            yield f"{job}{head}, CPU s", float(found["seconds"])
    if not said:
        yield f"{job}, CPU s", used.ru_utime + used.ru_stime
    grew = GREW.search(text) if "ranking" in job else None
    yield f"{job}, MB", float(grew["mb"]) if grew else used.ru_maxrss / 1000


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path, help="a checkout of the commit to compare with")
    parser.add_argument("--only", nargs="+", choices=tuple(JOBS), default=list(JOBS), help="parts to run")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each, in turn, of which medians are taken")
    chosen = parser.parse_args()
    sides = {"before": chosen.before.resolve(), "here": HERE}
    taken: dict[str, dict[str, list[float]]] = {}
    with TemporaryDirectory() as compiled:
        for part in chosen.only:
            for job, arguments in JOBS[part].items():
                for repeat in range(-1 if job.startswith("bench") else 0, chosen.repeats):
                    for side, checkout in sides.items():
                        for name, figure in run(checkout, Path(compiled), job, arguments):
                            if repeat >= 0:
                                taken.setdefault(name, {}).setdefault(side, []).append(figure)
    rows = []
    for name, both in taken.items():
        before, here = median(both["before"]), median(both["here"])
        rows.append((name, before, here, here / before))
    print(processor())
    print(table([(f"medians of {chosen.repeats}", *sides, "ratio"), *rows]))


if __name__ == "__main__":
    main()

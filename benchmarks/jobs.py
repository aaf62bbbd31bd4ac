"""Cells of one study in turn, and two beside each other: cells per hour, and CPU seconds of each cell.

Cells are seeds of one model on the generated sample, so that no two share a fit. Each repeat runs the same command
without `--jobs` and with it, in folders of their own and at one thread each, and takes turns at who is first. CPU
seconds are those of user and system of the command and all its processes, start-up with them: a second process starts
once, so cells of a few seconds pay for it. On an idle machine cells per hour count; on a busy one CPU seconds do, and
the line of the load says which it was.

    python benchmarks/jobs.py
    python benchmarks/jobs.py --cells 4 --epochs 2 --repeats 1
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from timing import processor, table

HERE = Path(__file__).resolve().parents[1]


def run(arguments: argparse.Namespace, jobs: int) -> tuple[float, float, dict[str, str]]:
    """Returns wall and CPU seconds of all cells, and the digests of their predictions by run.

    Raises: CalledProcessError when a cell fails.
    """
    command = [sys.executable, "-m", "bench", "run", "-m", arguments.model, "-t", "anet-retrieval"]
    command += ["--seeds", ",".join(map(str, range(arguments.cells))), "--set", f"epochs={arguments.epochs}"]
    command += ["--set", f"hidden={arguments.hidden}", "--device", "cpu", "--output", "runs"]
    command += ["--jobs", str(jobs)] if jobs > 1 else []
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE / "plugins"))),
        "OMP_NUM_THREADS": "1",
    }
    with TemporaryDirectory() as folder, (Path(folder) / "said").open("w") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.stderr.write((Path(folder) / "said").read_text())
            raise subprocess.CalledProcessError(process.returncode, command)
        records = [json.loads(path.read_text()) for path in Path(folder).glob("runs/*/result.json")]
    return wall, used.ru_utime + used.ru_stime, {one["run"]: one["predictions"]["sha256"] for one in records}


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="hse")
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--jobs", type=int, default=2, help="cells beside each other")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each, in turn, of which medians are taken")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    taken: dict[int, list[tuple[float, float]]] = {1: [], chosen.jobs: []}
    digests: list[dict[str, str]] = []
    for repeat in range(chosen.repeats):
        for jobs in (1, chosen.jobs) if repeat % 2 == 0 else (chosen.jobs, 1):
            wall, cpu, predictions = run(chosen, jobs)
            taken[jobs].append((3600 * chosen.cells / wall, cpu / chosen.cells))
            digests.append(predictions)
    print(f"{processor()}, {os.cpu_count()} cores; {load:.1f} processes were waiting when it began")
    rows = []
    for place, name in enumerate(("cells per hour", "CPU s per cell")):
        alone, beside = ([one[place] for one in taken[jobs]] for jobs in (1, chosen.jobs))
        ratio = median(b / a for a, b in zip(alone, beside, strict=True))
        rows.append((name, median(alone), median(beside), ratio))
    print(table([(f"medians of {chosen.repeats}", "in turn", f"--jobs {chosen.jobs}", "ratio"), *rows]))
    same = all(one == digests[0] for one in digests)
    print(f"predictions of {len(digests[0])} cells: {'the same to the last bit' if same else 'NOT THE SAME'} each time")


if __name__ == "__main__":
    main()

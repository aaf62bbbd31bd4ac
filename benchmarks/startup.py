"""Times whole processes: the light commands of `bench` against Python itself and against importing torch.

python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from statistics import median

from timing import processor, table

PYTHON = (sys.executable, "-c")
COMMANDS: dict[str, tuple[str, ...]] = {
    "python -c pass": (*PYTHON, "pass"),
    "bench --help": (sys.executable, "-m", "bench", "--help"),
    "bench list models": (sys.executable, "-m", "bench", "list", "models"),
    "bench plugin list": (sys.executable, "-m", "bench", "plugin", "list"),
    "python -c 'import numpy'": (*PYTHON, "import numpy"),
    "python -c 'import torch'": (*PYTHON, "import torch"),
}


AS_USERS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment of each process: it finds its modules compiled, as those of users do."""


def run(command: tuple[str, ...]) -> tuple[float, float]:
    """Returns the CPU and wall seconds of one process. Raises: CalledProcessError when it fails."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, env=AS_USERS, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, time.perf_counter() - wall


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=11, help="runs of which medians are taken")
    repeats = parser.parse_args().repeats
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        run(command)  # reads the files into the page cache
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            taken[name].append(run(command))
    seconds = {name: [median(column) for column in zip(*both, strict=True)] for name, both in taken.items()}
    bare, heavy = seconds["python -c pass"][0], seconds["python -c 'import torch'"][0]
    rows = [(name, 1000 * cpu, 1000 * wall, cpu / bare, cpu / heavy) for name, (cpu, wall) in seconds.items()]
    print(processor())
    print(table([("whole process", "CPU ms", "wall ms", "x python", "x torch"), *rows]))


if __name__ == "__main__":
    main()

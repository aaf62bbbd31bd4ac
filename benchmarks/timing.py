"""Seconds, medians and tables, the same way in every benchmark here."""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch  # a process that starts others stays small: what it holds counts as theirs until they start

GEMM = 4096
"""Size of the square matrix product whose rate everything is compared with."""


@dataclass(frozen=True)
class Seconds:
    """Medians of several runs. `cpu` adds up over threads; on a GPU only `wall` means anything."""

    cpu: float
    wall: float

    def on(self, device: str) -> float:
        """Returns the figure that ratios are made of: CPU seconds on the CPU, else wall seconds."""
        return self.cpu if device == "cpu" else self.wall


def measure(
    runs: Mapping[str, Callable[[], object]], repeats: int, device: str, *, warm: bool = True
) -> dict[str, Seconds]:
    """Returns the seconds of each run by name, after one warm-up each unless `warm` is false.

    Runs take turns, so that a machine that slows down slows all of them.
    """
    for run in runs.values() if warm else ():
        run()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            synchronize(device)
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            synchronize(device)
            taken[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {name: Seconds(*(median(column) for column in zip(*both, strict=True))) for name, both in taken.items()}


def synchronize(device: str) -> None:
    """Waits until a GPU has done all it was told."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def square_product(device: str, kind: torch.dtype, size: int) -> Callable[[], object]:
    """Returns a run of one (size, size) matrix product into a result made before."""
    import torch

    left, right = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    out = torch.empty_like(left)
    return lambda: torch.mm(left, right, out=out)


def table(rows: Iterable[Sequence[object]]) -> str:
    """Returns rows as text, columns aligned: the first to the left, the others to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = []
    for row in cells:
        first, *others = (c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return str(value)


def start(arguments: argparse.Namespace) -> str:
    """Sets the threads that were asked for and returns the line that says what this ran on."""
    import torch

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(arguments.device)}, torch {torch.__version__}"
    return f"{processor()}, {torch.get_num_threads()} thread(s), torch {torch.__version__}"


def processor() -> str:
    """Returns the name of the processor, as its maker gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser with the flags that the torch benchmarks share."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda:0")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--repeats", type=int, default=5, help="runs of which medians are taken")
    return parser

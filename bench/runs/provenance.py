"""What made a result: code, versions and hardware, read from the machine without importing what is not needed."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

PACKAGES = ("vtbench", "torch", "numpy", "datasets", "safetensors", "h5py")


def commit() -> tuple[str | None, bool | None]:
    """Returns the git commit of the code that runs, and whether it was changed since; None outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():  # an installed package may lie inside somebody else's repository
        return None, None
    head = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain")
    return (head or None), (None if changes is None else bool(changes))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def versions(distribution: str) -> dict[str, str]:
    """Returns the versions of Python, of our main dependencies, and of the distribution that offers the model."""
    releases = {"python": platform.python_version()}
    for name in (*PACKAGES, distribution.split(" ")[0]):
        try:
            releases[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return releases


def hardware(device: str) -> dict[str, str]:
    """Returns what a reader needs to judge a time: system, processor, cores, and the GPU in use."""
    machine = {"system": f"{platform.system()} {platform.machine()}", "cpu": _cpu(), "cores": str(os.cpu_count() or 0)}
    if device.startswith("cuda"):
        import torch

        machine["gpu"] = torch.cuda.get_device_name(device)
    return machine


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def watch_memory(device: str) -> None:
    """From now on `peak_memory` says the most: the marks of this process and of its GPU are set back."""
    with suppress(OSError):  # only Linux has it; elsewhere nothing is said of the host
        Path("/proc/self/clear_refs").write_text("5")
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: str) -> dict[str, int]:
    """Returns the most memory in MiB since `watch_memory`: `host`, of this process alone, and the GPU in use."""
    most: dict[str, int] = {}
    with suppress(OSError):
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        if found := re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE):
            most["host"] = int(found[1]) >> 10
    if device.startswith("cuda"):
        import torch

        most[device] = torch.cuda.max_memory_allocated(device) >> 20
    return most

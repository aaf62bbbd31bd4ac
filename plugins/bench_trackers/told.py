"""What trackers are told: numbers, switches, names and the digest of the record; no texts, no paths, no machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.api import Result, RunStart

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,59}")
"""A value of text that is a name; whatever else a setting holds may be a prompt or a path and stays here."""
RECORD = "record_sha256"


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Says what is to be installed where an import in its body fails. Raises: ModuleNotFoundError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}. Next: pip install 'vtbench[{name}]'") from error


def facts(start: RunStart) -> dict[str, bool | int | float | str]:
    """Returns what is known when a run begins: model, task, seed, device and the settings that are no text."""
    settings = {
        name: value for name, value in start.settings.items() if not isinstance(value, str) or NAME.fullmatch(value)
    }
    execution = start.execution
    return {
        **settings,
        "model": start.model,
        "task": start.task,
        "seed": execution.seed,
        "device": execution.device,
        "precision": execution.precision,
    }


def measured(result: Result) -> Mapping[str, float]:
    """Returns the final measurements by name."""
    return {one.name: one.value for one in result.measurements}


def record_digest(start: RunStart) -> str:
    """Returns the SHA-256 of a run's record, by which a row of a tracker is found again."""
    return hashlib.sha256((start.folder / "result.json").read_bytes()).hexdigest()

"""A run of about a second, what came of it, and what it left lying about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.files import sha256

SMALL = ("--limit", "40", "--set", "epochs=3", "--set", "hidden=16")
RUN = ("run", "-m", "fse", *SMALL, "--checkpoint-every", "epoch", "--output", "out", "-t")
TASK = "anet-retrieval"


def outcome(folder: Path) -> tuple[Any, ...]:
    """Returns measurements, and the digests of predictions, evidence and checkpoint, of the only run in a folder."""
    [record] = [json.loads(path.read_text()) for path in folder.glob("out/*/result.json")]
    [model] = folder.glob("out/checkpoints/*/model.safetensors")
    return record["measurements"], record["predictions"]["sha256"], record["evidence"]["sha256"], sha256(model)


def left_over(folder: Path) -> list[str]:
    """Returns the files that only an unfinished command needs."""
    names = {"training.safetensors", "plan.json", "journal", "lock", "tiles"}
    return sorted(path.name for path in folder.rglob("*") if path.name.endswith(".part") or path.name in names)

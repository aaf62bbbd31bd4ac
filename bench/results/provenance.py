"""Where a record comes from: what ran, on what, how long, and what it took."""

from __future__ import annotations

import math

from pydantic import Field

from bench.results.fields import Finite, Int, Record, Sha256


class Checkpoint(Record):
    """The checkpoint that predicted, or that none was needed."""

    key: Sha256
    sha256: Sha256
    selection: str = Field(
        description="what chose the epoch: fixed, held-out, or held-out groups; where a setting lists several values, "
        "as the candidates of mean-pool and the penalties of ridge, the model chose among these on held-out videos"
    )
    word_vectors: str
    parameters: Int | None = Field(default=None, ge=0, description="how many numbers it holds; null if not counted")
    ranks: Int | None = Field(default=None, ge=2, description="processes that fitted it together; null for one")
    negatives: Int | None = Field(
        default=None, ge=0, description="others that each item of a full batch met over all ranks; null for one process"
    )


class Rescored(Record):
    """Where a record comes from that was made of another's predictions, without running the model again."""

    record: Sha256 = Field(description="digest of the record whose predictions were scored")
    date: str = Field(description="UTC, ISO 8601")
    commit: str | None
    versions: dict[str, str]


class Spent(Record):
    """What a run took beside wall time, as far as anybody counted."""

    peak_memory: dict[str, Int] = Field(
        default={},
        description="the most from fit to score, MiB: `host`, of this process alone, and its GPU",
    )
    tokens_in: Int | None = Field(default=None, ge=0, description="read by a model that is asked in words; cached too")
    tokens_out: Int | None = Field(default=None, ge=0, description="written by it; cached too")
    cost: Finite | None = Field(default=None, ge=0, description="of these tokens, in the money of the prices set")


class Provenance(Record):
    """What made the result: enough to run it again."""

    command: list[str]
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, str]
    device: str
    precision: str
    batch_size: Int
    threads: Int
    started: str = Field(description="UTC, ISO 8601")
    seconds: dict[str, float] = Field(description="wall seconds of fit, predict and score; fit is 0 when reused")
    checkpoint: Checkpoint | None
    spent: Spent | None = Field(default=None, description="null in records of before it was counted")
    rescored: Rescored | None = Field(default=None, description="null where the model's run wrote the record")


SPENT = {"fit s": 1, "predict s": 1, "host MiB": 0, "GPU MiB": 0, "tokens in": 0, "tokens out": 0, "cost": 4}
"""What a run took, in the order in which it is shown, with the decimals of each; the units of `cost` are anybody's."""


def spent_by(made: Provenance) -> dict[str, float]:
    """Returns what is known of `SPENT`, by its names."""
    spent = made.spent or Spent()
    gpus = [most for place, most in spent.peak_memory.items() if place != "host"]
    known = {
        "fit s": made.seconds.get("fit") or None,  # 0: nothing was fitted, or it was there already
        "predict s": made.seconds.get("predict"),
        "host MiB": spent.peak_memory.get("host"),
        "GPU MiB": max(gpus, default=None),
        "tokens in": spent.tokens_in,
        "tokens out": spent.tokens_out,
        "cost": spent.cost,
    }
    return {name: float(value) for name, value in known.items() if value is not None and math.isfinite(value)}


def spent_words(name: str, value: float) -> str:
    """Returns a figure of `SPENT` as it is shown."""
    return f"{value:,.{SPENT[name]}f}" if abs(value) < 1e12 else f"{value:.3g}"

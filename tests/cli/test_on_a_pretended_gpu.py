"""Every bundled model through the command on a CUDA device that is pretended; no GPU test (`pretend_device`)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from pretend_device import NAME, pretending

RUNS: dict[str, tuple[str, ...]] = {
    "anet-retrieval": (
        *("random", "count-only", "ridge", "frozen-head", "mean-pool", "fse"),
        *("hse", "s2vt", "s2vt.score=likelihood", "dense", "dense.score=alignment", "dense.score=likelihood"),
    ),
    "anet-captioning": (
        *("most-frequent-caption", "nearest-caption", "s2vt", "dense", "dvc"),
        *("fse-captioner", "hse-captioner"),
    ),
    "anet-linear-probe": ("features", "tsn", "fv-vae"),
}
"""Task -> the models that take it, in one of their settings."""
SPEAKERS = ("s2vt", "dense", "dvc", "fse-captioner", "hse-captioner")
ON_A_BASE = ("fse-captioner", "hse-captioner")
HIDDEN = ("fse", "hse", "s2vt", "dense", "dvc", "fse-captioner", "hse-captioner")
UNTRAINED = ("random", "count-only", "ridge", "features", "most-frequent-caption", "nearest-caption")


def flags(names: tuple[str, ...]) -> list[str]:
    """Returns the flags that run models with one epoch and few numbers."""
    models = sorted({name.partition(".")[0] for name in names})
    sets = [name for name in names if "." in name]
    sets += [f"{model}.epochs=1" for model in models if model not in UNTRAINED]
    sets += [f"{model}.hidden=8" for model in models if model in HIDDEN]
    sets += [f"{model}.base.{said}" for model in models if model in ON_A_BASE for said in ("epochs=1", "hidden=8")]
    sets += [f"{model}.{said}" for model in models if model in SPEAKERS for said in ("max_words=5", "beam=2")]
    return [*(f for m in models for f in ("-m", m)), *(f for s in sets for f in ("--set", s))]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("task", RUNS)
def test_every_bundled_model_runs_on_a_pretended_gpu(bench_command: Any, task: str, precision: str) -> None:
    plain = tuple(name for name in RUNS[task] if "." not in name)
    others = [(name,) for name in RUNS[task] if "." in name]
    records = []
    with pretending() as counted:
        for names in (plain, *others):
            asked = ("-t", task, "--limit", "5", "--device", "cuda", "--precision", precision, "--json")
            records += json.loads(bench_command("run", *flags(names), *asked).stdout)
    assert len(records) == len(RUNS[task])
    for record in records:
        assert record["provenance"]["hardware"]["gpu"] == NAME
        assert all(math.isfinite(one["value"]) for one in record["measurements"])
    assert counted.launches.total() > 0

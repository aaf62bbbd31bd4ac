"""A tracker whose package is not there says what to install; the run goes on (tests/cli/test_hooks.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.api import Execution, RunStart
from bench.plugins.code import resolve
from bench_trackers.plugin import bench_watchers


@pytest.mark.parametrize("spec", bench_watchers(), ids=lambda spec: spec.name)
def test_what_is_to_be_installed_is_said(spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, spec.name, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    start = RunStart(
        "run", tmp_path, "model", "task", {}, Execution(device="cpu", precision="fp32", seed=0, batch_size=1)
    )

    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'vtbench\[{spec.name}\]'"):
        resolve(spec.loader)(start)

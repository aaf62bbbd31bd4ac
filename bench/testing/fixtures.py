"""Pytest fixtures for authors of plugins, there wherever vtbench is installed beside pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bench.testing.report import Report


@pytest.fixture
def bench_check() -> Callable[..., Report]:
    """Returns a function that runs the conformance kit on a plugin or a model by name, and fails the test if it does.

    bench_check("mine", hidden=32)
    bench_check("mine-reader", config=tmp_path / "bench.yaml")
    """

    def check(name: str, *, config: Path | None = None, **settings: Any) -> Report:
        from bench.catalogue.config import load
        from bench.catalogue.lookup import Session
        from bench.testing.checking import check_plugin

        report = check_plugin(Session(load(config)), name, settings)
        report.require()
        return report

    return check


@pytest.fixture
def bench_run(tmp_path: Path) -> Callable[..., Any]:
    """Returns `bench.run` with its results in a folder of the test: `bench_run("mine", "anet-retrieval", limit=40)`."""

    def run(model: str, task: str, **options: Any) -> Any:
        import bench

        return bench.run(model, task, **{"output": tmp_path / "runs", "device": "cpu", **options})

    return run

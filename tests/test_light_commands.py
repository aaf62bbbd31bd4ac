"""What a command does not load: guarded by absent modules, never by a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIGHT_MODULES = (
    "bench",
    "bench.api",
    "bench.data_api",
    "bench.task_api",
    "bench.board_api",
    "bench.testing",
    "bench.inputs",
    "bench.models",
    "bench.predictions",
    "bench.tasks.retrieval",
    "bench.catalogue.builtin",
    "bench.catalogue.catalogue",
    "bench.results",
    "bench.leaderboard",
    "bench.catalogue.config",
    "bench.catalogue.lookup",
    "bench_controls.plugin",
    "bench_encoders.plugin",
    "bench_fse.plugin",
    "bench_head.plugin",
    "bench_hse.plugin",
    "bench_trackers.plugin",
)


def loaded_modules(tmp_path: Path, code: str) -> set[str]:
    """Returns the top-level modules that are loaded after `code` ran in a process of its own."""
    listing = tmp_path / "modules.json"
    program = (
        f"import json, sys\ntry:\n    {code}\nexcept SystemExit as left:\n    assert not left.code, left.code\n"
        f"json.dump(sorted({{name.split('.')[0] for name in sys.modules}}), open({str(listing)!r}, 'w'))"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(json.loads(listing.read_text()))


def loaded_by_command(tmp_path: Path, *arguments: str) -> set[str]:
    return loaded_modules(tmp_path, f"sys.argv = {['bench', *arguments]!r}; from bench.cli import main; main()")


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_a_light_module_does_not_load_torch(tmp_path: Path, module: str) -> None:
    assert not {"torch", "pandas", "sklearn"} & loaded_modules(tmp_path, f"import {module}")


def test_importing_bench_loads_nothing_of_weight(tmp_path: Path) -> None:
    loaded = loaded_modules(tmp_path, "import bench; bench.run, bench.rescore, bench.load, bench.compare")
    assert not {"torch", "numpy", "pandas", "matplotlib", "pydantic", "tqdm", "click", "rich", "IPython"} & loaded


def test_records_are_loaded_compared_ranked_and_shown_without_torch_pandas_and_matplotlib(
    tmp_path: Path, control_runs: Path
) -> None:
    code = (
        f"import bench; runs = bench.load({str(control_runs)!r}); board = bench.leaderboard({str(control_runs)!r}); "
        "shown = [one._repr_html_() for one in (runs, runs[0], bench.compare(runs, runs), board, board[0])]"
    )
    loaded = loaded_modules(tmp_path, code)
    assert "jinja2" in loaded
    assert not {"torch", "pandas", "matplotlib", "datasets", "tqdm"} & loaded


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = {"torch", "numpy", "pydantic", "jinja2", "datasets", "pandas", "h5py"}
    assert not heavy & loaded_by_command(tmp_path, "--help")


@pytest.mark.parametrize(
    "arguments",
    [
        "list models",
        "list tasks",
        "list datasets",
        "list sets",
        "list papers",
        "list launchers",
        "info local",
        "list runs",
        "plugin list",
        "info hse",
        "info anet-retrieval",
        "info anet-captioning",
        "info anet",
        "info msrvtt:1k-A",
        "doctor --help",
    ],
)
def test_what_only_looks_names_up_loads_nothing_heavy(tmp_path: Path, arguments: str) -> None:
    heavy = {"torch", "numpy", "pydantic", "pandas", "datasets", "h5py", "matplotlib", "scipy", "sklearn", "jinja2"}
    assert not heavy & loaded_by_command(tmp_path, *arguments.split())


def test_a_control_on_the_sample_loads_torch_and_nothing_else_of_weight(tmp_path: Path) -> None:
    arguments = ("run", "-m", "random", "-t", "anet-retrieval", "--output", str(tmp_path / "runs"))
    loaded = loaded_by_command(tmp_path, *arguments)
    assert "torch" in loaded
    heavy = {"datasets", "pandas", "pyarrow", "evaluate", "h5py", "matplotlib", "scipy", "sklearn", "nltk", "jinja2"}
    assert not (heavy | {"huggingface_hub", "fsspec", "aiohttp", "bench_torch"}) & loaded


def test_a_model_that_trains_on_plain_words_loads_neither_nltk_nor_the_compiler_of_torch(tmp_path: Path) -> None:
    options = (
        "--limit",
        "4",
        "--set",
        "epochs=1",
        "--set",
        "candidates=0.003/0.05/8",
        "--output",
        str(tmp_path / "runs"),
    )
    loaded = loaded_by_command(tmp_path, "run", "-m", "mean-pool", "-t", "anet-retrieval", *options)
    assert "bench_torch" in loaded
    assert not {"sympy", "datasets", "pandas", "pyarrow", "scipy", "sklearn", "nltk", "h5py", "jinja2"} & loaded


def test_comparing_does_not_load_torch(tmp_path: Path, control_runs: Path) -> None:
    (run,) = control_runs.glob("*--*")
    loaded = loaded_by_command(tmp_path, "compare", str(run), str(run))
    assert not {"torch", "datasets", "h5py", "bench_hse", "bench_fse", "bench_controls"} & loaded


def test_building_a_leaderboard_does_not_load_torch(tmp_path: Path, control_runs: Path) -> None:
    loaded = loaded_by_command(
        tmp_path, "leaderboard", "build", "--results", str(control_runs), "--output", str(tmp_path / "board")
    )
    assert "jinja2" in loaded
    assert not {"torch", "matplotlib", "datasets", "h5py", "bench_hse", "bench_fse", "bench_controls"} & loaded

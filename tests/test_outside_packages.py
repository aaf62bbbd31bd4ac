"""Plugins that are really outside: packages of their own, in an environment that holds the wheel of bench."""

from __future__ import annotations

import ast
import gzip
import json
from pathlib import Path

import pytest
from installing import PROJECT, install_into, process

from bench.scaffolding import KINDS

pytestmark = pytest.mark.slow


def test_the_examples_are_found_and_in_order(with_examples: Path, tmp_path: Path) -> None:
    listed = json.loads(process(with_examples / "bench", "--strict-plugins", "plugin", "list", "--json", cwd=tmp_path))

    found = {row["plugin"]: (row["distribution"], row["provides"]) for row in listed if row["status"] == "ok"}
    assert found["hashed-ridge"] == ("vtbench-hashed-ridge", {"model": ["hashed-ridge"]})
    assert found["coot"] == ("vtbench-coot", {"model": ["coot"]})
    assert found["conse"] == ("vtbench-conse", {"model": ["conse"]})
    assert found["moments"] == (
        "vtbench-moments",
        {"model": ["random-span", "whole-video", "frequent-span"], "task": ["anet-moments", "didemo-moments"]},
    )


@pytest.mark.parametrize(
    ("name", "settings"), [("hashed-ridge", []), ("coot", ["hidden=16", "word_dim=8"]), ("moments", [])]
)
def test_an_example_passes_the_conformance_kit(
    with_examples: Path, tmp_path: Path, name: str, settings: list[str]
) -> None:
    flags = [flag for setting in settings for flag in ("--set", setting)]

    report = process(with_examples / "bench", "plugin", "check", name, *flags, cwd=tmp_path)

    assert report.startswith(f"### Plugin `{name}` (vtbench-{name} 1.0.0): ")
    assert ", 0 failed, " in report.splitlines()[0]


def test_outside_models_get_a_row_on_the_board(with_examples: Path, tmp_path: Path) -> None:
    bench = with_examples / "bench"
    small = ["--set", "coot.hidden=16", "--set", "coot.word_dim=8", "--set", "coot.epochs=1"]

    process(
        bench,
        "run",
        "-m",
        "hashed-ridge",
        "-m",
        "coot",
        *small,
        "-t",
        "anet-retrieval",
        "--device",
        "cpu",
        cwd=tmp_path,
    )
    process(bench, "leaderboard", "build", "--results", "runs", "--output", "board", cwd=tmp_path)

    page = (tmp_path / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    assert "hashed-ridge" in page
    assert "coot" in page


def to_the_board(bench: Path, folder: Path) -> str:
    """Takes moment retrieval all the way in `folder` and returns the page of its board."""
    small = [part for setting in ("hidden=16", "word_dim=8", "epochs=1") for part in ("--set", f"hse.{setting}")]
    models = [part for model in ("hse", "random-span", "frequent-span") for part in ("-m", model)]
    process(bench, "run", *models, *small, "-t", "anet-moments", "--device", "cpu", cwd=folder)
    runs = sorted(path.relative_to(folder) for path in folder.glob("runs/*--anet-moments--*"))
    assert len(runs) == 3
    process(bench, "rescore", *runs, cwd=folder)
    process(bench, "leaderboard", "add", *runs, "--board", "board", cwd=folder)
    blind = (bench, "--no-plugin", "moments")  # boards and comparisons need no plugin
    process(*blind, "leaderboard", "build", "--results", "board/results", "--output", "board", cwd=folder)
    compared = json.loads(process(*blind, "compare", runs[1], runs[2], "--json", cwd=folder))
    assert [row["metric"] for row in compared["comparisons"]] == ["R1@0.5", "R1@0.7", "mIoU"]
    return (folder / "board" / "anet-moments.md").read_text(encoding="utf-8")


def test_moment_retrieval_stands_on_a_board_though_nothing_in_bench_knows_it(
    with_examples: Path, tmp_path: Path
) -> None:
    page = to_the_board(with_examples / "bench", tmp_path)

    for told in ("hse", "random-span", "frequent-span", "R1@0.5", "R1@0.7", "mIoU", "inside the video of each text"):
        assert told in page


def test_moment_retrieval_on_real_text_with_simulated_features(with_examples: Path, tmp_path: Path, shared) -> None:
    (tmp_path / "captions").mkdir()
    for split, count in (("train", 40), ("val_1", 60)):
        entries = json.loads(gzip.decompress(shared(f"data/activitynet_captions/{split}.json.gz").read_bytes()))
        (tmp_path / "captions" / f"{split}.json").write_text(json.dumps(dict(list(entries.items())[:count])))
    (tmp_path / "bench.yaml").write_text(
        "version: 1\ndatasets: {anet: {reader: activitynet, root: captions, features: simulated}}\n"
    )

    page = to_the_board(with_examples / "bench", tmp_path)

    assert "anet (simulated features)" in page
    assert "60 videos" in page


@pytest.mark.parametrize("package", ["hashed-ridge", "coot", "conse", "moments"])
def test_an_example_needs_no_private_import(package: str) -> None:
    doors = {"bench.api", "bench.data_api", "bench.task_api", "bench.board_api", "bench.testing"}
    for path in (PROJECT / "examples" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0].startswith("bench"):
                assert node.module in doors, f"{path.name} imports {node.module}"
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("bench") for alias in node.names), path.name


def test_the_hashed_ridge_model_is_25_lines() -> None:
    text = (PROJECT / "examples/hashed-ridge/src/vtbench_hashed_ridge/model.py").read_text(encoding="utf-8")

    lines = [line for line in text.splitlines() if line.strip() and "import" not in line and not line.startswith('"""')]
    assert len(lines) <= 25


def test_a_new_plugin_of_each_kind_installs_and_passes_its_own_tests(wheel: Path, tmp_path: Path) -> None:
    from installing import environment_with

    programs = environment_with(tmp_path, wheel)
    for kind in KINDS:
        process(programs / "bench", "plugin", "new", f"a-{kind}", "--kind", kind, cwd=tmp_path)
    packages = sorted(tmp_path.glob("vtbench-a-*"))
    install_into(programs / "python", *packages)

    run = [programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    ignored = [flag for kind in ("DeprecationWarning", "FutureWarning") for flag in ("-W", f"ignore::{kind}")]
    tests = [package / "tests" for package in packages]
    summary = process(*run, *ignored, "--rootdir", tmp_path, *tests, cwd=tmp_path)

    assert len(packages) == len(KINDS)
    assert " passed" in summary.splitlines()[-1]
    assert "skipped" not in summary


def test_a_new_plugin_is_typed_and_says_what_it_is(bench_command, tmp_path: Path) -> None:
    bench_command("plugin", "new", "my-model", "--kind", "encoder")

    package = tmp_path / "vtbench-my-model"
    names = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {
        "pyproject.toml", "README.md", ".gitignore", ".github/workflows/ci.yml",
        "src/vtbench_my_model/__init__.py", "src/vtbench_my_model/py.typed", "src/vtbench_my_model/plugin.py",
        "src/vtbench_my_model/model.py", "tests/test_vtbench_my_model.py",
    } == names  # fmt: skip
    assert 'loader="vtbench_my_model.model:MyModel"' in (package / "src/vtbench_my_model/plugin.py").read_text()


@pytest.mark.parametrize("name", ["My Model", "../evil", "class", "1st", "a--b", "hse", "", "x" * 60])
def test_a_name_that_cannot_be_one_or_is_taken_is_a_usage_error(bench_command, tmp_path: Path, name: str) -> None:
    bench_command("plugin", "new", name, "--kind", "encoder", exit_code=2)

    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(bench_command, tmp_path: Path) -> None:
    bench_command("plugin", "new", "mine", "--kind", "task")

    done = bench_command("plugin", "new", "mine", "--kind", "encoder", exit_code=1)

    assert "exists and is not overwritten" in done.stderr
    assert not (tmp_path / "vtbench-mine/src/vtbench_mine/model.py").exists()

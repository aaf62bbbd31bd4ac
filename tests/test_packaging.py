"""The wheel holds all that bench needs, and works in an environment of its own outside the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from installing import process

import bench

PROJECT = Path(__file__).resolve().parent.parent
PLUGINS = (
    *("controls", "fse", "hse", "s2vt", "dense", "dvc", "tsn", "fvvae", "encoders"),
    *("head", "trackers", "video_llms"),
)
PACKAGES = {"bench", "bench_torch", *(f"bench_{plugin}" for plugin in PLUGINS)}

pytestmark = pytest.mark.slow


def test_the_wheel_holds_every_file_of_bench_and_its_plugins(wheel: Path) -> None:
    sources = {
        path.relative_to(root).as_posix()
        for root in (PROJECT, PROJECT / "plugins")
        for package in PACKAGES
        for path in (root / package).glob("**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = set(zipfile.ZipFile(wheel).namelist())
    assert sources - held == set()
    assert {"bench/default.yaml", "bench/schemas/result-1.json", "bench/py.typed"} <= held
    assert any(name.startswith("bench/leaderboard/") and not name.endswith(".py") for name in held), "no templates"


def test_the_wheel_holds_nothing_else_but_its_licence_and_entry_points(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    (about,) = {name.split("/")[0] for name in names} - PACKAGES
    assert {f"{about}/licenses/LICENSE", f"{about}/entry_points.txt"} <= set(names)


def test_the_release_is_stated_in_one_place(wheel: Path) -> None:
    assert wheel.name.startswith(f"vtbench-{bench.__version__}-")
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == bench.__version__
    releases = (PROJECT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    [step] = [one for one in yaml.safe_load(releases)["jobs"]["build"]["steps"] if "TAG" in one.get("run", "")]
    log = f"## [{bench.__version__}]" in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    for tag, accepted in ((f"v{bench.__version__}", log), ("v99.0.0", False), (bench.__version__, False)):
        command = ["bash", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=PROJECT, env={"TAG": tag, "PATH": "/usr/bin:/bin"}, check=False)
        assert (done.returncode == 0) == accepted, tag


def test_the_source_distribution_holds_what_is_committed(tmp_path: Path) -> None:
    if not (PROJECT / ".git").exists():
        pytest.skip("this is no git checkout, so nothing says what is committed")
    process(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path, cwd=PROJECT)
    [built] = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    committed = set(process("git", "ls-files", cwd=PROJECT).splitlines())
    assert committed - held == set()


def test_the_packaged_configuration_is_the_one_of_the_checkout(wheel: Path) -> None:
    packaged = zipfile.ZipFile(wheel).read("bench/default.yaml")
    assert packaged == (PROJECT / "bench.yaml").read_bytes()


def test_the_installed_package_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import bench, bench_hse; print(bench.__file__); print(bench_hse.__file__)"
    for path in process(installed / "python", "-c", code, cwd=tmp_path).splitlines():
        assert Path(path).is_relative_to(installed.parent)


def test_the_installed_command_lists_the_models_of_every_plugin(installed: Path, tmp_path: Path) -> None:
    listing = process(installed / "bench", "list", "models", cwd=tmp_path)
    for name in ("fse", "hse", "s2vt", "dense", "mean-pool", "count-only", "random"):
        assert name in listing.split()


def test_the_installed_command_trains_scores_and_builds_a_board_on_the_sample(installed: Path, tmp_path: Path) -> None:
    run = [installed / "bench", "run", "-m", "hse", "-m", "random", "-t", "anet-retrieval", "--device", "cpu"]
    process(*run, "--limit", "40", "--set", "hse.epochs=1", "--output", "results", cwd=tmp_path)
    records = [json.loads(path.read_text()) for path in tmp_path.glob("results/*/result.json")]
    assert {record["model"]["name"] for record in records} == {"hse", "random"}
    assert {record["status"] for record in records} == {"partial"}
    process(installed / "bench", "leaderboard", "build", "--results", "results", "--output", "board", cwd=tmp_path)
    assert list(tmp_path.glob("board/**/*.html"))

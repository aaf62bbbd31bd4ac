"""Environments of their own, outside the checkout, made without a network: what a user of the wheel has."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def process(*command: str | Path, cwd: Path, exit_code: int = 0) -> str:
    """Runs a command that sees nothing of the checkout's environment and returns what it prints."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "BENCH_CONFIG"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == exit_code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment_with(folder: Path, *packages: Path) -> Path:
    """Returns the programs of an empty environment in `folder` into which only `packages` are installed.

    The packages they depend on are lent by the running environment through a path file; python does not follow path
    files of lent folders, so the editable install of the checkout stays invisible.
    """
    environment = folder / "environment"
    process(sys.executable, "-m", "venv", "--without-pip", environment, cwd=folder)
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    lent = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site / "lent.pth").write_text("\n".join(lent) + "\n")
    install_into(python, *packages)
    return python.parent


def install_into(python: Path, *packages: Path) -> None:
    """Installs wheels or source folders; the build backend is the lent one."""
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--ignore-installed"]
    process(*pip, "--no-deps", "--no-index", "--no-build-isolation", *packages, cwd=python.parent)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the wheel, built by the build backend of this environment: no network."""
    folder = tmp_path_factory.mktemp("wheel")
    process(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=PROJECT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the programs of an environment with the wheel and nothing else."""
    return environment_with(tmp_path_factory.mktemp("installed"), wheel)


@pytest.fixture(scope="session")
def with_examples(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the programs of an environment with the wheel and the packages of examples/."""
    examples = sorted(path.parent for path in PROJECT.glob("examples/*/pyproject.toml"))
    return environment_with(tmp_path_factory.mktemp("examples"), wheel, *examples)

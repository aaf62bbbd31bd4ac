"""What all tests share: the command line, the shared data, and what a test that needs a GPU does without one."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from drawing import draw_alike, draw_widely
from extras import missing
from installing import installed, wheel, with_examples

import bench.cli

__all__ = ["installed", "wheel", "with_examples"]  # fixtures that several test files share

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"

# One thread a process: pytest-xdist runs several, and equal thread counts make equal numbers. Set before torch loads.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"  # no test may depend on a network
os.environ.pop("BENCH_CONFIG", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the two options that choose other tests than the usual ones, and the one that draws other examples."""
    parser.addoption("--campaign", action="store_true", help="run the tests marked `campaign`, and only these")
    parser.addoption("--extras", default="", metavar="NAME,NAME", help="run the tests of these extras, and only these")
    parser.addoption("--load-everything", action="store_true", help="load all modules first; draw their constants")


def pytest_configure(config: pytest.Config) -> None:
    """Fixes what Hypothesis draws under CI, or with `--load-everything` lets it draw all constants of ours."""
    if config.getoption("--load-everything"):
        draw_widely()
    else:
        draw_alike()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Says which tests are deselected; with several workers their collections print nothing."""
    if config.getoption("--campaign"):
        lines = ["campaign: only tests marked `campaign` are selected"]
    else:
        lines = ["campaign: tests marked `campaign` are deselected; `make campaign` (pytest --campaign) runs them"]
    if names := config.getoption("--extras"):
        lines.append(f"extras: only tests marked `extra` are selected, of {names}")
    return lines


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects the tests marked `campaign`, or with `--campaign` all others; with `--extras` all of no such extra.

    Files with slow tests come first: workers that take a file each end at about the same time.
    """
    campaign, chosen = config.getoption("--campaign"), _chosen_extras(config)

    def is_wanted(item: pytest.Item) -> bool:
        is_campaign = item.get_closest_marker("campaign") is not None
        needed = _extras_of(item)
        return is_campaign == campaign and (not chosen or (bool(needed) and needed <= chosen))

    wanted = [(item, is_wanted(item)) for item in items]
    items[:] = [item for item, keep in wanted if keep]
    config.hook.pytest_deselected(items=[item for item, keep in wanted if not keep])
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(params=[pytest.param("real", marks=pytest.mark.gpu), "pretended"])
def cuda(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs a test on a CUDA device, if there is one, and everywhere on one that is pretended, which is no GPU."""
    if request.param == "real":
        yield
        return
    from pretend_device import pretending

    with pretending():
        yield


def _chosen_extras(config: pytest.Config) -> set[str]:
    return set(filter(None, str(config.getoption("--extras")).split(",")))


def _extras_of(item: pytest.Item) -> set[str]:
    return {str(name) for marker in item.iter_markers("extra") for name in marker.args}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test marked `gpu` where there is none, and one marked `extra` where that is not installed.

    In the environment of an extra, what it lacks is a failure. Torch is imported only when it is asked.
    """
    for extra in sorted(_extras_of(item)):
        try:
            lacking = missing(extra)
        except KeyError:
            pytest.fail(f"pyproject.toml declares no extra {extra!r}", pytrace=False)
        if lacking and extra in _chosen_extras(item.config):
            pytest.fail(f"the environment of the extra {extra!r} lacks {', '.join(lacking)}", pytrace=False)
        if lacking:
            pytest.skip(f"needs the extra {extra!r}: pip install 'vtbench[{extra}]' (or `make test-extras`)")
    if item.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device; torch.cuda.is_available() is false")


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Returns a function from a path below the shared folder to its place; it skips the test when absent.

    shared("data/activitynet_captions/val_1.json.gz")
    """

    def locate(relative: str) -> Path:
        path = SHARED / relative
        if not path.exists():
            pytest.skip(f"needs ../shared/{relative} beside the checkout")
        return path

    return locate


class Bench:
    """The `bench` command in one folder. No bench.yaml applies but those in the folder and the packaged one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str | Path, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Starts the command as a process of its own, for tests that stop or kill it or look at what it imports."""
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job ignores Ctrl-C, and so would all that it starts.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            **options,
        )

    def __call__(
        self, *arguments: str | Path, exit_code: int = 0, path: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command inside this process, as its entry point would, and checks how it left.

        `path` is put on sys.path, as if a plugin had been installed there.
        """
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["bench", *map(str, arguments)])
            patch.setenv("NO_COLOR", "1")
            if path is not None:
                patch.syspath_prepend(path)
            before = set(sys.modules)
            try:
                bench.cli.main()
            except SystemExit as left:
                code = left.code if isinstance(left.code, int) else 0
            finally:
                for name in set(sys.modules) - before if path is not None else ():
                    if (path / f"{name}.py").exists():  # the next test may install another plugin of this name
                        del sys.modules[name]
        done = subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())
        shown = f"bench {' '.join(map(str, arguments))} left with {code}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == exit_code, shown
        return done


@pytest.fixture(scope="session")
def bench_in() -> Callable[[Path], Bench]:
    """Returns a function from a folder to the `bench` command in it."""
    return Bench


@pytest.fixture
def bench_command(tmp_path: Path) -> Bench:
    """Returns the `bench` command in a fresh folder, which gets its own runs/."""
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def control_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with one finished run of the control `random` on the generated sample."""
    folder = tmp_path_factory.mktemp("control")
    Bench(folder)("run", "-m", "random", "-t", "anet-retrieval", "--output", "results")
    return folder / "results"

"""The commands that write: what each starts from, what counts of what it leaves, and what it needs in its process."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import forking
import interfering
import numpy as np
from cli.conftest import install
from cli.small_runs import RUN, TASK, left_over, outcome

import bench.cli

VIDEOS = 300
SIMULATED = 120
IMAGES = 60
PACKING = "version: 1\nfeatures: {c3d: {reader: c3d-hdf5, path: ../c3d.hdf5, extractor: C3D, stride: 8 frames}}\n"
SIMULATING = """
version: 1
datasets:
  told: {reader: activitynet, root: .., features: simulated,
         splits: {train: {file: told.json, take: [0, 80]}, test: {file: told.json, take: [80, 120]}}}
"""
EXTRACTING = "version: 1\nfeatures: {frames: {videos: ../videos, encoder: means, sampler: frames=1}}\n"
LOCKS = (".lock", ".claims")
"""How files begin that stay and do not count: locks, and what tells who worked last."""
PACKS = ("pack", "simulate")
UNFINISHED = {"lock", "journal", "plan.json", "tiles", "log.txt"}


def nothing(*_: object) -> None:
    """Does nothing."""


@dataclass(frozen=True)
class Written:
    """A command that writes.

    Attributes:
        arguments: of `bench`, in a fresh folder beside what `furnish` made.
        made: what counts of what came out in a folder, to be compared.
        config: bench.yaml of the fresh folder.
        furnish: makes what the command starts from, in the folder above.
        first: is called in the process of the campaign; given the folder above.
    """

    arguments: tuple[str, ...]
    made: Callable[[Path], Any]
    config: str = ""
    furnish: Callable[[Path], None] = nothing
    first: Callable[[Path], None] = nothing


def files(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file that counts below a folder, by its place."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(LOCKS)]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def packed(folder: Path) -> dict[str, Any]:
    """Returns the digest of the only pack in a folder, and its files; its header says also when it was made."""
    [header] = folder.glob("packs/*/pack.json")
    return {**files(header.parent), "pack.json": json.loads(header.read_text())["digest"]}


def _hdf5(root: Path) -> None:
    import h5py

    with h5py.File(root / "c3d.hdf5", "w") as file:
        for i in range(VIDEOS):
            rows = np.random.default_rng(i).standard_normal((12, 8)).astype(np.float32)
            file.create_dataset(f"v_{i:04}/c3d_features", data=rows)


def _annotations(root: Path) -> None:
    told = {"duration": 40, "timestamps": [[0, 20], [20, 40]], "sentences": ["A man runs.", "He sits down."]}
    (root / "told.json").write_text(json.dumps({f"v_{i:03}": told for i in range(SIMULATED)}))


def _images(root: Path) -> None:
    from PIL import Image

    (root / "videos").mkdir()
    for i in range(IMAGES):
        pixels = np.random.default_rng(i).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "videos" / f"v {i:03}.png")
    encoders = Path(__file__).resolve().parent.parent / "cli" / "outside_encoders.py"
    install(root / "site", encoders, "outside-encoders")


def _encoders(root: Path) -> None:
    from bench.data.features import packing

    sys.path.insert(0, str(root / "site"))
    packing.COMMIT = 4


def _runs(root: Path) -> None:
    fork = forking.start(root, "run", "-m", "random", "-t", TASK, "--seeds", "0,1,2,3", "--output", "results")
    if fork.wait():
        raise RuntimeError(fork.said)
    for number, record in enumerate(sorted(root.glob("results/*/result.json"))):
        record.parent.rename(root / "results" / f"r{number}")


RUNS = tuple(f"../results/r{number}" for number in range(4))
COMMANDS = {
    "run": Written((*RUN, TASK), outcome),
    "pack": Written(("data", "pack", "c3d"), packed, PACKING, _hdf5),
    "simulate": Written(("data", "simulate", "told", "-o", "packs/told"), packed, SIMULATING, _annotations),
    "extract": Written(
        ("features", "extract", "frames", "--jobs", "1", "--batch-size", "4"), packed, EXTRACTING, _images, _encoders
    ),
    "add": Written(("leaderboard", "add", *RUNS, "--board", "board"), lambda at: files(at / "board"), "", _runs),
    "build": Written(
        ("leaderboard", "build", "--results", "../results", "--output", "pages"),
        lambda at: files(at / "pages"),
        "",
        _runs,
    ),
}


class Kitchen:
    """Fresh folders for one command, and what it leaves undisturbed.

    Attributes:
        seconds: how long the command takes when everything is imported.
        operations: how often it changes something in its folder.
        size: bytes of all that it leaves there.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name, self.command = root, name, COMMANDS[name]
        self._count = 0
        self.command.furnish(root)
        self.command.first(root)
        self._warm()
        folder, clock, tally = self.fresh(), time.monotonic(), root / "tally"
        fork = self.start(folder, interfering.counting(folder, tally))
        if fork.wait():
            raise RuntimeError(fork.said)
        self.seconds, self.operations = time.monotonic() - clock, tally.stat().st_size
        self.made, self.whole = self.command.made(folder), files(folder)
        self.size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self.remove(folder)

    def fresh(self) -> Path:
        """Returns a fresh folder in which the command works."""
        self._count += 1
        folder = self.root / f"at-{self._count}"
        folder.mkdir()
        if self.command.config:
            (folder / "bench.yaml").write_text(self.command.config)
        return folder

    def start(self, folder: Path, interference: Callable[[], object] = nothing) -> forking.Fork:
        return forking.start(folder, *self.command.arguments, first=interference)

    def _warm(self) -> None:
        """Runs the command in this process, whose forks then have everything imported."""
        here, folder, said = Path.cwd(), self.fresh(), io.StringIO()
        os.chdir(folder)
        try:
            with redirect_stdout(said), redirect_stderr(said):
                bench.cli.main(list(self.command.arguments))
        except SystemExit as left:
            if left.code:
                raise RuntimeError(f"{self.name}: {said.getvalue()}") from left
        finally:
            os.chdir(here)
        self.remove(folder)

    def half_written(self, folder: Path) -> list[str]:
        """Returns the files with a final name that are not whole: other bytes than undisturbed, or unreadable."""
        return sorted(self._half_written(folder))

    def _half_written(self, folder: Path) -> Iterator[str]:
        from bench.files import read_tensors

        for path in folder.rglob("*"):
            name = str(path.relative_to(folder))
            unfinished = path.name in UNFINISHED or path.name.startswith(".") or ".part" in name
            if unfinished or not path.is_file() or files(path.parent).get(path.name) == self.whole.get(name):
                continue
            try:
                if path.suffix == ".json":
                    json.loads(path.read_bytes())
                elif path.suffix == ".safetensors":
                    read_tensors(path)
                else:
                    yield name
            except Exception as error:  # noqa: BLE001 (whatever it is, the file is not whole)
                yield f"{name}: {error}"

    def wrong_after(self, folder: Path, interference: Callable[[], object] = nothing) -> str:
        """Gives the same command again; returns what is wrong then, or "".

        A pack that was whole may say so.
        """
        half = self.half_written(folder)
        again = self.start(folder, interference)
        code, said = again.wait(), again.said
        wrong = f"half-written: {half}\n" if half else ""
        if code and not (self.name in PACKS and "never overwritten" in said):
            wrong += f"the same command again: {code}: {said[-1500:]}\n"
        if "Traceback" in said:
            wrong += f"a traceback: {said[-1500:]}\n"
        try:
            if (made := self.command.made(folder)) != self.made:
                wrong += f"not equal: {made} in place of {self.made}\n"
        except Exception as error:  # noqa: BLE001 (what cannot be looked at is wrong)
            wrong += f"cannot be looked at: {error!r}\n"
        if rest := left_over(folder):
            wrong += f"left over: {rest}\n"
        return wrong

    def remove(self, folder: Path) -> None:
        """Removes a folder that was looked at, and what its commands said."""
        for path in (folder, folder.with_name(f"{folder.name}-logs")):
            shutil.rmtree(path, ignore_errors=True)

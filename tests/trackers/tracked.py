"""A run that a tracker was told of, and what no tracker may be told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench.files import sha256

RUN = ("run", "-m", "fse", "-t", "mine-retrieval", "--limit", "30", "--set", "epochs=3", "--set", "hidden=8")
PRIVATE = "only-in-the-environment"
CONFIG = "version: 1\ndatasets: {mine: {reader: activitynet, root: sample, features: sample}}\n"


class Tracked:
    """A finished run with the folder that its tracker wrote."""

    def __init__(self, bench: Any, tracker: str) -> None:
        self.folder = bench.folder
        (bench.folder / "bench.yaml").write_text(f"{CONFIG}trackers: [{tracker}]\n")
        process = bench.start(*RUN, env={"API_KEY": PRIVATE, "BENCH_STRICT_PLUGINS": "1"})
        self.out, self.err = process.communicate(timeout=300)
        assert process.returncode == 0, self.err
        assert "is told no more" not in self.err
        [self.path] = bench.folder.glob("runs/*/result.json")
        self.record = json.loads(self.path.read_text())
        self.measured = {one["name"]: one["value"] for one in self.record["measurements"]}
        self.digest = sha256(self.path)

    def check_untouched(self, bench: Any) -> None:
        """Checks that the run is, to the last bit, the one that no tracker was told of."""
        (bench.folder / "bench.yaml").write_text(CONFIG)
        bench(*RUN, "--output", "alone")
        [alone] = bench.folder.glob("alone/*/result.json")
        record = json.loads(alone.read_text())
        assert record["measurements"] == self.record["measurements"]
        assert record["predictions"]["sha256"] == self.record["predictions"]["sha256"]
        assert record["signature"] == self.record["signature"]

    def check_private(self, *files: Path, but: str = "\0") -> None:
        """Checks that files hold no path and nothing of the environment, outside lines with `but`."""
        assert files
        for file in files:
            lines = [line for line in file.read_bytes().splitlines() if but.encode() not in line]
            for secret in (PRIVATE, str(self.folder), sys.executable, str(Path(__file__).parents[2])):
                assert secret.encode() not in b"\n".join(lines), f"{secret} in {file}"

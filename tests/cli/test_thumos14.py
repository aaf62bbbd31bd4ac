"""The document on THUMOS14, done as it says: its script, its bench.yaml and its commands, on the real features."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "thumos14.md"
FILES = (
    "r2plus1d_34-max_gvf.h5",
    "thumos14_valid_tsp_groundtruth.csv.gz",
    "thumos14_test_tsp_groundtruth.csv.gz",
)
NEAREST = 75.94
"""1-nearest neighbour by cosine from validation to test, most frequent label (`tests/probing/test_choice.py`)."""


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture
def declared(bench_command: Any, shared: Any) -> Any:
    """Returns the command in a folder that was set up as the document says."""
    folder = bench_command.folder
    for name in FILES:
        shutil.copy(shared(f"data/thumos14_r2plus1d/{name}"), folder)
    (folder / "labels.py").write_text(block("python"), encoding="utf-8")
    (folder / "bench.yaml").write_text(block("yaml"), encoding="utf-8")
    subprocess.run([sys.executable, "labels.py", "."], cwd=folder, check=True)
    return bench_command


def commands() -> list[list[str]]:
    return [line.split()[1:] for line in block("sh").splitlines()]


def probe(record: dict[str, Any]) -> dict[str, Any]:
    return {m["name"]: m for m in record["measurements"]}


def test_the_probe_beats_nearest_neighbours_as_the_document_says(declared: Any) -> None:
    verify, run, few = commands()
    said = declared(*verify).stdout
    assert "train: 200 videos" in said
    assert "test: 212 videos" in said
    (record,) = json.loads(declared(*run, "--json").stdout)
    found = probe(record)
    assert record["data"]["kind"] == "real"
    assert record["data"]["n_evaluated"] == 212
    assert record["status"] == "complete"
    assert found["main/top1"]["ci95"][0] > NEAREST
    assert f"{found['main/top1']['value']:.1f} %" in DOCUMENT.read_text(encoding="utf-8")
    assert record["data"]["remarks"] == ["the features R2plus1D-34-max were trained on: Kinetics-400 action labels"]
    seeds = json.loads(declared(*few, "--json").stdout)
    assert [r["seed"] for r in seeds] == [0, 1, 2]
    assert all(probe(r)["top1"]["value"] < found["top1"]["value"] for r in seeds)
    assert len({probe(r)["top1"]["value"] for r in seeds}) > 1


def test_more_shots_than_the_smallest_class_has_are_refused(declared: Any) -> None:
    done = declared("run", "-m", "features", "-t", "thumos14-linear-probe:shots=9", exit_code=2)
    assert "the smallest class has 8 training videos" in done.stderr

"""The rows on real data: what they are declared as, that a row is made by one command, and what no record may hold."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "leaderboards" / "results"
SETS = ("msrvtt1000_vggae", "vidvrd_resnet152", "flickr8k_1000", "ucf101_15_vgg16")


@pytest.fixture
def real_rows(shared: Any, bench_command: Any) -> Any:
    """Returns a function that runs the script in a folder of its own, and returns what it printed."""
    data = shared(f"data/{SETS[0]}/captions.json").parents[1]
    for name in SETS[1:]:
        shared(f"data/{name}/features.npz" if name != "flickr8k_1000" else f"data/{name}/lite0.npz")

    def run(*flags: str, exit_code: int = 0) -> str:
        command = [sys.executable, PROJECT / "benchmarks" / "real_rows.py", data, "--work", ".", *flags]
        done = subprocess.run(
            command, cwd=bench_command.folder, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == exit_code, done.stderr
        return done.stdout + done.stderr

    run.data = data  # type: ignore[attr-defined]
    run.folder = bench_command.folder  # type: ignore[attr-defined]
    return run


def test_the_sets_are_declared_in_order_and_apart(real_rows: Any, bench_command: Any, shared: Any) -> None:
    real_rows("--declare")

    said = bench_command("data", "verify", "msrvtt-train1000", "vidvrd", "flickr8k-1000", "ucf101-15").stdout
    for told in ("train1000: train: 700 videos", "train1000: test: 200 videos", "test: 200 videos, 1,000 captions",
                 "vidvrd: test: 100 videos", "ucf101-15: test: 568 videos"):  # fmt: skip
        assert told in said
    datasets = yaml.safe_load((real_rows.folder / "bench.yaml").read_text())["datasets"]
    captions = json.loads(shared("data/msrvtt1000_vggae/captions.json").read_text())
    with shared("data/msrvtt_lists/MSRVTT_JSFUSION_test.csv").open() as file:
        official = {row["video_id"] for row in csv.DictReader(file)}
    parts = [datasets[name]["splits"][split]["take"] for name, split in (
        ("msrvtt-train1000", "train"), ("msrvtt-train1000-val", "test"), ("msrvtt-train1000", "test")
    )]  # fmt: skip
    videos = [video for part in parts for video in list(captions)[slice(*part)]]
    assert videos == [f"video{i}" for i in range(1000)]
    assert not official & set(videos)
    assert "none of 1k-A" in datasets["msrvtt-train1000"]["note"]


def test_videos_of_equal_texts_are_right_for_one_another(real_rows: Any, shared: Any) -> None:
    real_rows("--declare")

    captions = json.loads(shared("data/vidvrd_resnet152/captions.json").read_text())
    judged = [line.split() for line in (real_rows.folder / "vidvrd.qrels").read_text().splitlines()]
    assert {text for text, *_ in judged} == {f"{video}#0" for video in list(captions)[347:447]}
    assert all(captions[text.removesuffix("#0")] == captions[video] for text, _, video, _ in judged)
    assert len(judged) > 100


def test_a_part_of_ucf101_s_training_videos_validates(real_rows: Any, shared: Any) -> None:
    real_rows("--declare")

    with (real_rows.folder / "ucf101-15-val" / "labels.csv").open() as file:
        chosen = {row["video_id"]: row["subset"] for row in csv.DictReader(file)}
    with shared("data/ucf101_15_vgg16/labels.csv").open() as file:
        official = {row["video_id"] for row in csv.DictReader(file) if row["subset"] == "train"}
    assert chosen.keys() == official
    assert 0.19 < sum(subset == "val" for subset in chosen.values()) / len(chosen) < 0.22


@pytest.mark.slow
def test_a_row_is_run_once_and_tabled(real_rows: Any) -> None:
    assert "vidvrd-retrieval random" in real_rows("--only", "vidvrd-retrieval random")
    assert real_rows("--only", "vidvrd-retrieval random") == ""

    records = [json.loads(path.read_text()) for path in real_rows.folder.glob("runs/*/result.json")]
    assert sorted(one["seed"] for one in records) == [0, 1, 2]
    for one in records:
        assert one["provenance"]["command"][:6] == ["bench", "run", "-m", "random", "-t", "vidvrd-retrieval"]
        assert "|hits=any|" in one["signature"]
        assert str(real_rows.data) not in json.dumps(one)
    page = real_rows.folder / "page.md"
    page.write_text("before\n<!-- tried -->\nold\n<!-- /tried -->\nafter\n")
    real_rows("--write", "page.md")
    assert "| vidvrd-retrieval `random` | – | – |" in page.read_text()
    assert "old" not in page.read_text()
    assert page.read_text().endswith("<!-- /tried -->\nafter\n")


def test_data_that_are_not_there_are_named(bench_command: Any) -> None:
    command = [sys.executable, PROJECT / "benchmarks" / "real_rows.py", "nowhere", "--declare"]
    done = subprocess.run(command, cwd=bench_command.folder, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 1
    assert "features.npz is not there. Name the folder that holds the sets" in done.stderr


def test_committed_records_of_real_data_hold_no_sentence_and_no_path() -> None:
    found = [path for path in RESULTS.glob("*/*.json") if '"kind": "real"' in path.read_text(encoding="utf-8")]
    assert found
    for path in found:
        assert not re.search(r"(^|[\"= ])\.{0,2}/\w|\bshared/", path.read_text(encoding="utf-8")), path
        said = list(path.parent.glob(f"{path.stem}.predictions.*"))
        assert "captioning" not in path.parent.name or not said, path

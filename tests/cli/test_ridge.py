"""`ridge` through the command line: its row, what its data's note says on the board, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install

CONFIG = """
version: 1
datasets:
  mine:
    reader: captions
    root: .
    features: frames
    captions: each
    note: all of the first year
    splits: {train: {file: said.json, take: [0, 60]}, test: {file: said.json, take: [60, 90]}}
features:
  frames: {reader: npz, path: frames.npz, extractor: toy}
"""


@pytest.fixture
def run(bench_command, tmp_path):
    """Returns a function that runs a model on videos whose mean frame follows, with noise, from words of a caption."""
    site = install(tmp_path / "site", Path(__file__).with_name("text_encoders.py"), "tiny-encoders")
    rng = np.random.default_rng(0)
    says = rng.integers(0, 12, size=(90, 4))
    directions = rng.normal(size=(4, 12, 24))
    means = directions[np.arange(4), says].sum(1)
    frames = means[:, None] + rng.normal(size=(90, 3, 24))
    ids = [f"v{i}" for i in range(90)]
    captions = {v: [" ".join(f"w{k}{word}" for k, word in enumerate(row))] for v, row in zip(ids, says, strict=True)}
    (bench_command.folder / "said.json").write_text(json.dumps(captions))
    np.savez(bench_command.folder / "frames.npz", video_id=np.array(ids), features=frames)
    (bench_command.folder / "bench.yaml").write_text(CONFIG)

    def run_model(model, *more, exit_code=0):
        done = bench_command(
            "run", "-m", model, "-t", "mine-retrieval", "--json", *more, exit_code=exit_code, path=site
        )
        return json.loads(done.stdout)[0] if not exit_code else done.stderr

    return run_model


def recall(record):
    return next(m["value"] for m in record["measurements"] if m["name"] == "t2v/R@1")


def test_a_linear_map_to_sentence_vectors_finds_what_follows_from_them(run, bench_command):
    chance = run("random")
    ridge = run("ridge", "--set", "text=bag:64")

    assert recall(ridge) > recall(chance) + 30
    assert ridge["model"]["control"] is True
    assert ridge["model"]["settings"]["text"].startswith("bag:64@sha256:")
    assert recall(run("ridge")) > recall(chance)
    assert ridge["data"]["remarks"] == chance["data"]["remarks"] == ["all of the first year"]

    bench_command("leaderboard", "build", "--results", "runs", "--output", "board")

    page = (bench_command.folder / "board" / "mine-retrieval.md").read_text()
    assert "all of the first year" in page
    assert "*ridge* (control)" in page
    index = (bench_command.folder / "board" / "index.md").read_text()
    assert "| *ridge*<br><sub>a control; controls only</sub> |" in index
    assert "all of the first year" in bench_command("info", "mine").stdout


def test_penalties_and_encoders_that_are_none_are_one_line(run):
    assert "no list of positive numbers" in run("ridge", "--set", "penalties=0", exit_code=2)
    assert "Did you mean 'bag'?" in run("ridge", "--set", "text=beg", exit_code=3)


def test_the_conformance_kit_finds_nothing(bench_command):
    done = bench_command("plugin", "check", "ridge")

    assert ", 0 failed, " in done.stdout.splitlines()[0]

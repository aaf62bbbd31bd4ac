"""What a task may ask for and answer by itself: the pairing where it asks inside one video, predictions of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import install

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    missing: penalise
    splits: {train: {file: captions.json, take: [0, 4]}, test: {file: captions.json, take: [4, 12]}}
features:
  frames: {reader: npy-folder, path: frames, extractor: toy}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return install(tmp_path / "site", Path(__file__).with_name("own_kind.py"), "own-kind")


@pytest.fixture
def guessed(bench_command, site) -> Path:
    """Returns the folder of a run of the task."""
    bench_command("run", "-m", "nothing", "-t", "anet-guess", path=site)
    (folder,) = bench_command.folder.glob("runs/nothing--anet-guess--*")
    return folder


def test_a_kind_of_its_own_is_read_by_its_task_and_scored_again(bench_command, site, guessed):
    record = json.loads((guessed / "result.json").read_text())

    assert record["predictions"]["kind"] == "word guesses"
    assert record["predictions"]["file"] == "predictions.json"
    assert "every measurement is the same" in bench_command("rescore", guessed, path=site).stderr


def test_its_signature_says_that_the_pairing_was_given(guessed):
    record = json.loads((guessed / "result.json").read_text())

    assert "|segments=none|pairing=given|" in record["signature"]


def test_predictions_of_another_kind_than_the_record_names_are_refused(bench_command, site, guessed):
    path = guessed / "result.json"
    path.write_text(path.read_text().replace('"kind": "word guesses"', '"kind": "spans"'))

    done = bench_command("rescore", guessed, path=site, exit_code=4)

    assert "predictions.json holds 'spans'; expected word guesses" in done.stderr


def test_a_retrieval_task_that_asks_for_the_pairing_is_refused_before_anything_is_computed(bench_command, site):
    done = bench_command("run", "-m", "nothing", "-t", "anet-cheat", path=site, exit_code=3)

    assert "asks which video belongs to which text, and asks to be handed just that" in done.stderr
    assert not list(bench_command.folder.glob("runs/*"))


def test_a_text_whose_video_has_no_features_is_paired_with_none(bench_command, site):
    import numpy as np

    folder = bench_command.folder
    (folder / "frames").mkdir()
    captions = {}
    for i in range(12):
        captions[f"v{i:02}"] = {"duration": 20.0, "timestamps": [[0, 4], [4, 9]], "sentences": [f"a {i}", f"b {i}"]}
        if i not in (5, 9):
            np.save(folder / "frames" / f"v{i:02}.npy", np.ones((9, 4), np.float32))
    (folder / "captions.json").write_text(json.dumps(captions))
    (folder / "bench.yaml").write_text(CONFIG)

    done = bench_command("run", "-m", "nothing", "-t", "mine-guess", "--json", path=site)

    record = json.loads(done.stdout)[0]
    assert record["measurements"][0]["value"] == pytest.approx((6 * (10 - 4) + 2 * 4) / 8)


@pytest.mark.parametrize(
    ("task", "explained"),
    [
        ("anet-guess", {"unit": "words (words) — what is guessed"}),
        (
            "explained",
            {"unit": "words (words, letters) — what is guessed", "depth": "2 (a number from 1) — how far it looks"},
        ),
        ("unexplained", {"unit": "words", "depth": "2"}),
    ],
)
def test_info_explains_the_parameters_of_a_task_that_declares_them(bench_command, site, task, explained):
    assert json.loads(bench_command("info", task, "--json", path=site).stdout)["parameters"] == explained

"""`bench diagnose`: what each kind of model must show, and the report that says how it was made."""

from __future__ import annotations

import json

import numpy as np
import pytest

SMALL = ("--set", "hidden=8", "--set", "word_dim=8", "--set", "epochs=1", "--limit", "24")


def diagnosed(bench_command, *arguments):
    report = json.loads(bench_command("diagnose", *arguments, "--json").stdout)
    return report, {finding["name"]: finding for finding in report["findings"]}


def test_a_model_that_counts_is_blind_to_order_and_to_a_swapped_sentence(bench_command):
    report, found = diagnosed(bench_command, "count-only", "--task", "anet-retrieval", "--limit", "60")
    for name, finding in found.items():
        if "change" in name:
            assert (finding["value"], finding["ci95"], finding["p_value"]) == (0.0, [0.0, 0.0], 1.0)
    assert found["true paragraph preferred"]["value"] == 50.0
    assert list(report["left_out"]) == ["clips"]
    assert "ClipTextEncoder" in report["left_out"]["clips"]


def test_a_flat_model_is_exactly_blind_to_the_order_of_clips(bench_command):
    _, found = diagnosed(bench_command, "fse", "--task", "anet-retrieval", *SMALL)
    for direction in ("t2v", "v2t"):
        assert found[f"{direction}/R@1 in other clip order"]["value"] == found[f"{direction}/R@1"]["value"]
        assert found[f"{direction}/R@1 change by clip order"]["ci95"] == [0.0, 0.0]


def test_a_bag_of_words_is_blind_to_the_order_of_sentences(bench_command):
    settings = ("--set", "candidates=0.01/0.2/8", "--set", "epochs=1", "--set", "word_dim=8", "--limit", "24")
    _, found = diagnosed(bench_command, "mean-pool", "--task", "anet-retrieval", *settings)
    assert found["t2v/R@1 change by sentence order"]["ci95"] == [0.0, 0.0]


def test_a_hierarchical_model_is_asked_everything_and_its_run_gives_the_same_report(bench_command):
    report, found = diagnosed(bench_command, "hse", "--task", "anet-retrieval", *SMALL)
    (record,) = bench_command.folder.glob("runs/*/result.json")
    result = json.loads(record.read_text())

    assert {finding["part"] for finding in report["findings"]} == {"clips", "order", "swap"}
    assert report["left_out"] == {}
    assert report["signature"] == result["signature"]
    assert report["checkpoint"] == result["provenance"]["checkpoint"]["sha256"]
    measured = {m["name"]: m["value"] for m in result["measurements"]}
    assert found["t2v/R@1"]["value"] == measured["t2v/R@1"]
    for finding in report["findings"]:
        assert finding["ci95"][0] <= finding["value"] <= finding["ci95"][1]
    assert json.loads((record.parent / "diagnosis.json").read_text()) == report

    again, _ = diagnosed(bench_command, record.parent)
    assert again == report
    bench_command("rescore", record.parent)  # the run is still what it was
    shown = bench_command("diagnose", record.parent, "--shuffle-seed", "1").stdout
    assert "s2c/pool/R@50" in shown
    assert "shuffle seed 1" in shown

    checkpoint = next(bench_command.folder.glob("runs/checkpoints/*/model.safetensors"))
    bench_command("run", "-m", "hse", "-t", "anet-retrieval", *SMALL, "--seed", "1", "--output", "other")
    other = next(bench_command.folder.glob("other/checkpoints/*/model.safetensors"))
    checkpoint.write_bytes(other.read_bytes())
    assert "is not the checkpoint" in bench_command("diagnose", record.parent, exit_code=6).stderr
    by_name = bench_command("diagnose", "hse", "--task", "anet-retrieval", *SMALL, exit_code=6)
    assert "not the one" in by_name.stderr
    checkpoint.unlink()
    assert "model.safetensors" in bench_command("diagnose", record.parent, exit_code=4).stderr


def test_without_clips_that_belong_to_sentences_the_first_part_is_left_out_with_the_reason(bench_command):
    report, _ = diagnosed(bench_command, "hse", "--task", "anet-retrieval:segments=uniform-3", *SMALL)
    assert "segments=uniform-3" in report["left_out"]["clips"]
    assert {finding["part"] for finding in report["findings"]} == {"order", "swap"}


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (("random",), "--task", 2),
        (("rondom", "-t", "anet-retrieval"), "rondom", 3),
        (("random", "-t", "anet-retrieval-incomplete"), "cannot be diagnosed", 3),
        (("random", "-t", "anet-retrieval", "--limit", "1"), "can stand in", 2),
    ],
)
def test_what_cannot_be_diagnosed_is_one_line(bench_command, arguments, says, code):
    done = bench_command("diagnose", *arguments, exit_code=code)
    assert says in done.stderr.strip().splitlines()[-1]


def test_what_the_record_says_cannot_be_said_again(bench_command, control_runs):
    (run,) = control_runs.glob("random--*")
    done = bench_command("diagnose", run, "--task", "anet-retrieval", exit_code=2)
    assert "--task: the record" in done.stderr


CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    missing: penalise
    splits: {train: {file: captions.json, take: [0, 20]}, test: {file: captions.json, take: [20, 32]}}
features:
  frames: {reader: npy-folder, path: frames, extractor: toy}
"""


def test_videos_without_features_are_in_the_order_part_and_in_no_other(bench_command):
    folder = bench_command.folder
    (folder / "frames").mkdir()
    captions = {}
    for i in range(32):
        captions[f"v{i:02}"] = {"duration": 9.0, "timestamps": [[0, 4], [4, 9]], "sentences": [f"a {i}", f"b {i}"]}
        if i not in (21, 30, 31):
            np.save(folder / "frames" / f"v{i:02}.npy", np.random.default_rng(i).standard_normal((9, 4), np.float32))
    (folder / "captions.json").write_text(json.dumps(captions))
    (folder / "bench.yaml").write_text(CONFIG)

    _, found = diagnosed(bench_command, "hse", "--task", "mine-retrieval", *SMALL)

    assert found["t2v/R@1"]["n"] == found["t2v/R@1 change by clip order"]["n"] == 12
    assert found["true paragraph preferred"]["n"] == 9
    assert found["s2c/pool/R@1"]["n"] == 18
    assert found["s2c/video/R@1"]["chance"] == 50.0

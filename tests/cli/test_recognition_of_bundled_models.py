"""The bundled models at action recognition: each takes the task that its capability is for."""

from __future__ import annotations

import json

import pytest


def test_classifiers_and_encoders_take_the_linear_probe(bench_command):
    models = ("-m", "tsn", "-m", "fv-vae", "-m", "features")
    shortened = ("--set", "tsn.epochs=1", "--set", "fv-vae.epochs=1", "--set", "fv-vae.reduced=8")
    done = bench_command("run", *models, "-t", "anet-linear-probe", "--limit", "60", *shortened, "--json")

    records = {record["model"]["name"]: record for record in json.loads(done.stdout)}
    assert set(records) == {"tsn", "fv-vae", "features"}
    for record in records.values():
        assert {"top1", "top5", "mean_class/top1"} <= {one["name"] for one in record["measurements"]}


@pytest.mark.parametrize("embedding", ["sequence", "flat"])
def test_hse_names_classes_by_either_embedding(bench_command, embedding):
    settings = ("--set", "epochs=1", "--set", "hidden=8", "--set", f"embedding={embedding}")
    done = bench_command("run", "-m", "hse", "-t", "anet-zero-shot", "--limit", "20", *settings, "--json")

    record = json.loads(done.stdout)[0]
    assert record["model"]["settings"]["embedding"] == embedding
    assert record["primary"] == "top1"


def test_hse_names_classes_at_each_level_by_one_fit(bench_command):
    settings = ("--set", "epochs=1", "--set", "hidden=8")
    levels = ["video", "flat", "clips"]
    flags = [flag for level in levels for flag in ("-t", f"anet-zero-shot:level={level}")]
    records = json.loads(bench_command("run", "-m", "hse", *flags, "--limit", "20", *settings, "--json").stdout)

    assert [record["signature"].split("|level=")[1].split("|")[0] for record in records] == levels
    assert len({json.dumps(record["measurements"]) for record in records}) == 3
    assert len({record["provenance"]["checkpoint"]["key"] for record in records}) == 1


def test_a_captioner_is_no_classifier(bench_command):
    done = bench_command("run", "-m", "dvc", "-t", "anet-linear-probe", exit_code=3)

    assert "needs a VideoClassifier or VideoEncoder; model 'dvc' provides VideoCaptioner" in done.stderr

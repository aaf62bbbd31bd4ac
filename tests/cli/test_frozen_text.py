"""Sentences as vectors of a frozen text encoder, under every bundled model that matches text, and in every record."""

import json
from pathlib import Path

import pytest
from cli.conftest import install

LITTLE = ("-t", "anet-retrieval", "--limit", "24", "--set", "epochs=2")
MODELS = {
    "mean-pool": ("--set", "candidates=0.01/0.2/16 0.01/0.1/16"),
    "fse": ("--set", "hidden=8"),
    "hse": ("--set", "hidden=8"),
    "s2vt": ("--set", "hidden=8"),
    "dense": ("--set", "hidden=8"),
}


@pytest.fixture
def run(bench_command, tmp_path):
    """Returns a function that runs a model beside tiny text encoders, and returns its record and what was said."""
    site = install(tmp_path / "site", Path(__file__).with_name("text_encoders.py"), "tiny-encoders")

    def run_model(model, *more, exit_code=0):
        done = bench_command("run", "-m", model, *LITTLE, "--json", *more, exit_code=exit_code, path=site)
        return (json.loads(done.stdout)[0] if not exit_code else None), done.stderr

    run_model.site = site
    return run_model


def parts(record):
    return dict(part.split("=", 1) for part in record["signature"].split("|")[1:])


@pytest.mark.parametrize("model", MODELS)
def test_every_model_that_matches_text_reads_sentence_vectors(run, model):
    words, _ = run(model, *MODELS[model])
    record, said = run(model, *MODELS[model], "--set", "text=bag:16")

    text = record["model"]["settings"]["text"]
    assert text.startswith("bag:16@sha256:")
    assert "text" not in words["model"]["settings"]
    assert "weights" in parts(record)
    assert "weights" not in parts(words)
    assert record["provenance"]["checkpoint"]["key"] != words["provenance"]["checkpoint"]["key"]
    assert record["predictions"]["sha256"] != words["predictions"]["sha256"]
    (remark,) = [line for line in record["data"]["remarks"] if "tokens" in line]
    assert remark.startswith("bag:16 reads the first 4 tokens: ")
    assert remark in said


def test_pairs_are_scored_from_sentence_vectors(run):
    record, _ = run("dense", "--set", "score=alignment", "--set", "hidden=8", "--set", "text=bag")

    assert record["predictions"]["kind"] == "pair scores"


def test_a_run_is_repeated_bit_by_bit_and_other_encoders_are_other_runs(bench_command, run):
    record, _ = run("hse", "--set", "hidden=8", "--set", "text=bag:16")
    assert "already complete" in run("hse", "--set", "hidden=8", "--set", "text=bag:16")[1]

    done = bench_command("rerun", f"runs/{record['run']}", "--output", "again", path=run.site)
    other, _ = run("hse", "--set", "hidden=8", "--set", "text=bag:4")

    assert "bit-equal" in done.stdout + done.stderr
    assert parts(other)["weights"] != parts(record)["weights"]
    released = run.site / "text_encoders.py"
    released.write_text(released.read_text().replace("words 1", "words 2"))
    refused = bench_command("rerun", f"runs/{record['run']}", "--output", "more", path=run.site, exit_code=6).stderr
    assert "setting text: encoder 'bag:16' has the digest" in refused
    assert run("hse", "--set", "hidden=8", "--set", "text=bag:16")[0]["run"] != record["run"]


def test_the_configuration_names_an_encoder_for_all_models(bench_command, run):
    record, _ = run("fse", *MODELS["fse"], "--set", "text=bag:16")
    sample = "version: 1\ndatasets: {anet: {reader: activitynet, root: sample, features: sample}}\n"
    (bench_command.folder / "bench.yaml").write_text(sample + "text: 'bag:16'\n")

    assert run("fse", *MODELS["fse"])[0]["run"] == record["run"]
    assert "text" not in run("fse", *MODELS["fse"], "--set", "text=")[0]["model"]["settings"]
    done = bench_command("run", "-m", "s2vt", "-t", "anet-captioning:java=off", "--limit", "8", "--json",
                         "--set", "epochs=1", "--set", "hidden=8", path=run.site)  # fmt: skip
    assert "text" not in json.loads(done.stdout)[0]["model"]["settings"]


@pytest.mark.parametrize(
    ("model", "more", "exit_code", "says"),
    [
        ("fse", ("text=beg:16",), 3, "unknown encoder 'beg'. Did you mean 'bag'?"),
        ("fse", ("text=bag:x",), 2, "size=x"),
        ("fse", ("text=blind",), 2, "that encoder reads no text"),
        ("s2vt", ("text=bag", "score=likelihood"), 2, "says words itself"),
    ],
)
def test_what_cannot_be_read_is_one_line(run, model, more, exit_code, says):
    _, said = run(model, *(part for one in more for part in ("--set", one)), exit_code=exit_code)

    assert says in said
    assert "Traceback" not in said


def test_the_conformance_kit_checks_a_model_under_frozen_text(bench_command, run):
    done = bench_command("plugin", "check", "mean-pool", "--set", "text=bag", path=run.site)

    assert "failed" not in done.stdout.replace("0 failed", "")

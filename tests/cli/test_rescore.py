"""Saved predictions can be scored again without the model; anything that was changed is found."""

import json
import shutil

import pytest


@pytest.fixture
def finished(bench_command, control_runs):
    """Returns a copy of one finished run's folder."""
    source = next(path.parent for path in control_runs.glob("*/result.json"))
    folder = bench_command.folder / "runs" / source.name
    shutil.copytree(source, folder)
    return folder


def edit(folder, change):
    path = folder / "result.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_an_untouched_run_scores_the_same(bench_command, finished):
    done = bench_command("rescore", finished)

    assert "every measurement is the same" in done.stderr
    assert "t2v/R@1" in done.stdout


def test_a_changed_number_is_found(bench_command, finished):
    edit(finished, lambda record: record["measurements"][0].update(value=99.0))

    done = bench_command("rescore", finished, exit_code=6)

    assert "VerificationError" in done.stderr
    assert "t2v/R@1 is 99 in the record" in done.stderr


@pytest.mark.parametrize("name", ["predictions.safetensors", "evidence.safetensors"])
def test_a_changed_file_is_found(bench_command, finished, name):
    path = next(finished.glob(f"*{name}"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert name in bench_command("rescore", finished, exit_code=6).stderr


@pytest.mark.parametrize("name", ["predictions.safetensors", "evidence.safetensors"])
def test_a_missing_file_is_named(bench_command, finished, name):
    next(finished.glob(f"*{name}")).unlink()

    assert f"{name} is missing" in bench_command("rescore", finished, exit_code=4).stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda record: record.update(schema="bench-result/9"), "schema"),
        (lambda record: record.update(extra=1), "extra"),
        (lambda record: record["measurements"].clear(), "primary"),
        (lambda record: record["evidence"].update(file="../../evidence"), "evidence.file"),
        (lambda record: record.pop("seed"), "seed"),
    ],
)
def test_a_record_that_breaks_the_schema_is_refused(bench_command, finished, change, says):
    edit(finished, change)

    assert says in bench_command("rescore", finished, exit_code=4).stderr


def test_a_record_of_other_annotations_is_refused(bench_command, finished):
    edit(finished, lambda record: record["data"]["annotations"].update(val_1="0" * 64))

    assert "annotations" in bench_command("rescore", finished, exit_code=6).stderr

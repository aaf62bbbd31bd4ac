"""A model that misbehaves costs one line and its own cell, nothing else."""

import json
import re

import pytest
from cli.conftest import install


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("WrongShape", "expected (64, d)"),
        ("TooFewRows", "one row for each"),
        ("NotANumber", "NaN or infinity"),
        ("DoublePrecision", "expected float32"),
        ("TwoSpaces", "cosine needs one space"),
        ("ZeroVector", "zero"),
        ("NotATensor", "list"),
        ("Raises", "ValueError: the weights are upside down"),
        ("RaisesAtOnce", "RuntimeError: no licence key"),
        ("Mute", "does not implement"),
        ("Absent", "AttributeError"),
        ("Spendthrift", "say what it spent"),
    ],
)
def test_a_faulty_model_is_one_line_and_exit_code_3(bench_command, outside, model, says):
    done = bench_command("run", "-m", model, "-t", "anet-retrieval", exit_code=3, path=outside)

    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModelError:")
    assert says in last
    assert "Traceback" not in done.stderr
    assert not list(bench_command.folder.glob("runs/*/result.json"))


@pytest.mark.parametrize(
    "command", [("run", "-m", "NotANumber"), ("run", "-m", "ZeroVector"), ("diagnose", "NotANumberInClips")]
)
def test_what_cannot_be_ranked_is_named_by_the_id_that_the_dataset_gives_it(bench_command, outside, command):
    done = bench_command(*command, "-t", "anet-retrieval", exit_code=3, path=outside)

    last = done.stderr.strip().splitlines()[-1]
    assert re.search(r"\(first: 'sample_val_\d{4}'\)", last)
    assert not re.search(r"\b[0-9a-f]{16}\b", last)


def test_good_cells_are_saved_when_others_fail(bench_command, outside):
    done = bench_command("run", "-m", "Raises", "-m", "Honest", "-t", "anet-retrieval", exit_code=5, path=outside)

    assert "1 of 2 runs failed" in done.stderr
    assert len(list(bench_command.folder.glob("runs/Honest--*/result.json"))) == 1
    assert (next(bench_command.folder.glob("runs/Raises--*")) / "traceback.txt").exists()


def test_the_same_command_runs_again_what_failed(bench_command, outside):
    for _ in range(2):
        bench_command("run", "-m", "Raises", "-t", "anet-retrieval", exit_code=3, path=outside)

    assert len(list(bench_command.folder.glob("runs/Raises--*"))) == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_models():\n    raise RuntimeError('boom')", "boom"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_modles():\n    return []", "bench_modles"),
        (
            "from bench.api import ModelSpec, VideoTextEncoder, hookimpl\n@hookimpl\ndef bench_models():\n"
            "    return [ModelSpec(name='hse', summary='', loader='a:b', provides=(VideoTextEncoder,))]",
            "name clash",
        ),
    ],
)
def test_a_broken_plugin_leaves_every_other_model_usable(bench_command, tmp_path, code, says):
    module = tmp_path / "broken_plugin.py"
    module.write_text(code)
    site = install(tmp_path / "site", module, "broken")

    listed = json.loads(bench_command("plugin", "list", "--json", path=site).stdout)
    models = bench_command("list", "models", path=site)

    failed = {row["plugin"]: row for row in listed if row["status"] == "failed"}
    assert list(failed) == ["broken"]
    assert says in failed["broken"]["error"]
    assert "hse" in models.stdout
    assert says in models.stderr
    bench_command("run", "-m", "random", "-t", "anet-retrieval", "--limit", "20", path=site)

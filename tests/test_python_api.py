"""`bench.run` and `bench.rescore` do what the commands of those names do."""

import json

import pytest

import bench
from bench.api import BenchError, UnknownName


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_returns_the_record_that_the_command_prints(here, bench_in):
    result = bench.run("random", "anet-retrieval", seed=1, limit=40)
    printed = json.loads(
        bench_in(here)("run", "-m", "random", "-t", "anet-retrieval", "--seed", "1", "--limit", "40", "--json").stdout
    )[0]

    assert printed == json.loads(result.to_json())
    assert result["t2v/R@1"].n == 40
    assert (here / "runs" / result.run / "result.json").exists()


def test_rescore_returns_the_record_again(here):
    result = bench.run("count-only", "anet-retrieval")

    assert bench.rescore(here / "runs" / result.run) == result


def test_settings_have_python_types(here):
    result = bench.run("fse", "anet-retrieval", settings={"epochs": 1, "hidden": 8}, limit=20, output=here / "out")

    assert result.model.settings["hidden"] == 8
    assert result.provenance.checkpoint is not None


def test_errors_carry_the_exit_code_of_the_command(here):
    with pytest.raises(UnknownName) as caught:
        bench.run("hsee", "anet-retrieval")

    assert isinstance(caught.value, BenchError)
    assert caught.value.exit_code == 3

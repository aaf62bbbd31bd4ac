"""`bench.run` and `bench.rescore` do what the commands of those names do."""

import inspect
import json
from importlib import import_module
from pathlib import Path
from shutil import copy

import numpy as np
import pytest

import bench
from bench.api import BenchError, Captions, Embeddings, Result, UnknownName, UsageError
from bench.data import lessons
from bench.data.dataset import Dataset
from bench.task_api import Evidence

PROJECT = Path(__file__).resolve().parent.parent


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


def test_a_run_of_all_videos_opens_its_test_set_once_and_lists_what_it_learns_from_once(here, monkeypatch):
    opened: list[str] = []
    for owner, name in ((Dataset, "annotations"), (lessons, "training_set")):
        usual = getattr(owner, name)

        def counted(*given, _name=name, _usual=usual, **more):
            opened.append(_name)
            return _usual(*given, **more)

        monkeypatch.setattr(owner, name, counted)
    bench.run(model="mean-pool", task="anet-retrieval", settings={"epochs": 1})
    assert sorted(opened) == ["annotations", "training_set"]


def test_settings_have_python_types(here):
    result = bench.run("fse", "anet-retrieval", settings={"epochs": 1, "hidden": 8}, limit=20, output=here / "out")

    assert result.model.settings["hidden"] == 8
    assert result.provenance.checkpoint is not None


def test_errors_carry_the_exit_code_of_the_command(here):
    with pytest.raises(UnknownName) as caught:
        bench.run("hsee", "anet-retrieval")

    assert isinstance(caught.value, BenchError)
    assert caught.value.exit_code == 3


def test_paths_may_be_text_or_path_objects(here):
    copy(PROJECT / "bench.yaml", here / "mine.yaml")

    result = bench.run("random", "anet-retrieval", limit=20, output="texts", config=str(here / "mine.yaml"))
    again = bench.run("random", "anet-retrieval", limit=20, output=here / "texts", config=here / "mine.yaml")

    assert again == result
    assert bench.rescore(f"texts/{result.run}", config="mine.yaml") == result
    assert bench.rescore(here / "texts" / result.run) == result
    assert result.provenance.command == [
        f"bench.run(model='random', task='anet-retrieval', limit=20, output='texts', config='{here}/mine.yaml')"
    ]


def test_a_checkpoint_may_be_named_by_text(here):
    small = {"settings": {"epochs": 1, "hidden": 8}, "limit": 20}
    result = bench.run("fse", "anet-retrieval", **small)
    (checkpoint,) = (here / "runs").glob("checkpoints/*/model.safetensors")

    again = bench.run("fse", "anet-retrieval", checkpoint=str(checkpoint), limit=20, output="other")

    assert again.measurements == result.measurements


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"output": 3}, "output=3: a path is wanted, as text or as pathlib.Path"),
        ({"output": ""}, "output='': a path is wanted"),
        ({"config": b"bench.yaml"}, "config=b'bench.yaml': a path is wanted"),
        ({"config": "nothing.yaml"}, "nothing.yaml does not exist"),
        ({"checkpoint": ["a"]}, "checkpoint=['a']: a path is wanted"),
        ({"limit": "30"}, "limit='30': a whole number is wanted"),
        ({"seed": 1.5}, "seed=1.5: a whole number is wanted"),
        ({"seed": True}, "seed=True: a whole number is wanted"),
        ({"checkpoint_every": "nan"}, "--checkpoint-every nan: minutes above 0 are wanted"),
        ({"batch_size": None}, "batch_size=None: a whole number is wanted"),
        ({"ranks": 0}, "--ranks 0: must be at least 1"),
        ({"precision": "fp16"}, "precision='fp16': one of 'fp32', 'bf16' is wanted"),
        ({"precision": ["fp32"]}, "precision=['fp32']: one of"),
        ({"device": 0}, "device=0: one text is wanted, such as 'cuda:0'"),
        ({"resume": "no"}, "resume='no': True or False is wanted"),
        ({"settings": ["tau=1"]}, "settings=['tau=1']: a dictionary of settings by name is wanted"),
        ({"settings": {3: 1}}, "settings={3: 1}: a dictionary of settings by name is wanted"),
        ({"reporter": 3}, "reporter=3: an object with the methods say(line) and step"),
        ({"model": ["hse", "fse"]}, "model=['hse', 'fse']: one text is wanted, such as 'random'. Call once for each"),
        ({"task": None}, "task=None: one text is wanted"),
    ],
)
def test_a_wrong_value_is_one_of_our_errors(here, wrong, says):
    with pytest.raises(UsageError) as caught:
        bench.run(**{"model": "random", "task": "anet-retrieval", "limit": 20, **wrong})

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("folder", [None, 3, ""])
def test_what_is_no_folder_cannot_be_scored_again(folder):
    with pytest.raises(UsageError, match="a path is wanted"):
        bench.rescore(folder)


def test_whole_numbers_may_be_those_of_numpy(here):
    assert bench.run("random", "anet-retrieval", seed=np.int64(1), limit=np.int32(20)).seed == 1


def test_an_option_that_does_not_exist_is_refused_by_python():
    with pytest.raises(TypeError, match="unexpected keyword argument 'nolimit'"):
        bench.run("random", "anet-retrieval", nolimit=3)


def test_run_and_the_command_take_the_same_options():
    flags = {parameter.name for parameter in import_module("bench.cli.run").run.params}
    renamed = {"models": "model", "tasks": "task"}

    for_one_run = {renamed.get(name, name) for name in flags} - {
        "seeds",
        "dry_run",
        "as_json",
        "metrics",
        "extract",
        "wide",
        "jobs",
        "retries",
        "planned",
        "named",
        "launcher",
        "launcher_settings",
        "cpus",
        "gpus",
        "memory",
    }

    assert {*inspect.signature(bench.run).parameters} == for_one_run | {"reporter"}


def test_what_the_doors_save_and_load_may_be_named_by_text(here):
    result = Result.load(str(bench_run_folder(here) / "result.json"))
    result.save("copy.json")
    captions = Captions(("a",), (((0.0, 1.0),),), (("a man",),))
    embeddings = Embeddings(("a",), np.ones((1, 2), np.float32), ("p",), np.ones((1, 2), np.float32))
    evidence = Evidence({"t2v": np.ones((1, 3), np.uint32)}, "0" * 64, {"t2v": 1})
    captions.save("captions.jsonl")
    embeddings.save("embeddings.safetensors")
    evidence.save("evidence.safetensors")

    assert Result.load("copy.json") == result
    assert Captions.load("captions.jsonl") == captions
    assert (here / "embeddings.safetensors").is_file()
    assert Evidence.load("evidence.safetensors").counts.keys() == {"t2v"}


def bench_run_folder(here):
    return here / "runs" / bench.run("random", "anet-retrieval", limit=20).run

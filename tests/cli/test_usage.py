"""Wrong requests: one clear line, a documented exit code, nothing written."""

import inspect
import json
from collections.abc import Iterator

import click
import pytest

import bench.cli
from bench.cli.commands import Command, Group

RANDOM = ("run", "-m", "random", "-t", "anet-retrieval")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (("run", "-m", "hsee", "-t", "anet-retrieval"), 3, "Did you mean 'hse'"),
        (("run", "-m", "random", "-t", "anet-retreival"), 3, "Did you mean 'anet-retrieval'"),
        (("run", "-m", "random", "-t", "anet-retrieval:segments=half"), 2, "not a segment source"),
        (("run", "-m", "random", "-t", "anet-retrieval:clips=gt"), 2, "clips"),
        (("run", "-m", "hse", "-t", "anet-retrieval", "--set", "hiden=3"), 2, "Did you mean 'hidden'"),
        (("run", "-m", "hse", "-t", "anet-retrieval", "--set", "hidden=many"), 2, "expected int"),
        (("run", "-m", "hse", "-t", "anet-retrieval", "--set", "hidden"), 2, "KEY=VALUE"),
        (("run", "-m", "hse", "-t", "anet-retrieval", "--set", "fse.hidden=3"), 2, "'fse' is not run here"),
        (
            ("run", "-m", "hse", "-t", "anet-retrieval", "--set", "tau=0", "--set", "tau=1"),
            2,
            "--set tau was given twice",
        ),
        (("run", "-m", "hse", "-t", "anet-retrieval", "--set", "hse.tau=0", "--set", "hse.tau=0"), 2, "given twice"),
        (
            ("diagnose", "hse", "-t", "anet-retrieval", "--set", "tau=0", "--set", "tau=1"),
            2,
            "--set tau was given twice",
        ),
        (
            ("reproduce", "hse2018", "table1", "--set", "hse.lr=1", "--set", "hse.lr=2"),
            2,
            "--set hse.lr was given twice",
        ),
        (("plugin", "check", "hse", "--set", "lr=1", "--set", "lr=2"), 2, "--set lr was given twice"),
        ((*RANDOM, "--seed", "1", "--seeds", "1,2"), 2, "Keep one"),
        ((*RANDOM, "--seed", "1", "--seed", "2"), 2, "--seed was given twice"),
        ((*RANDOM, "--resume", "--no-resume"), 2, "--resume or --no-resume was given twice"),
        ((*RANDOM, "-o", "a", "--output", "b"), 2, "--output was given twice"),
        ((*RANDOM, "--seeds", "1,2,1"), 2, "names a seed twice"),
        (("score", "retrieval", "--similarity", "a.npy", "--similarity", "b.npy"), 2, "--similarity was given twice"),
        (("leaderboard", "build", "-o", "a", "-o", "b"), 2, "--output was given twice"),
        ((*RANDOM, "--seeds", "1,x"), 2, "whole numbers"),
        ((*RANDOM, "--seeds", "1_0,2"), 2, "whole numbers"),
        ((*RANDOM, "--seeds", "1,,2"), 2, "whole numbers"),
        ((*RANDOM, "--seed", "1_0"), 2, "'1_0' is not a valid integer"),
        ((*RANDOM, "--limit", "\N{FULLWIDTH DIGIT ONE}"), 2, "is not a valid integer"),
        ((*RANDOM, "--batch-size", "1_0"), 2, "'1_0' is not a valid integer"),
        (("leaderboard", "serve", "--port", "8_0"), 2, "'8_0' is not a valid integer"),
        (("data", "simulate", "sample", "--limit", "1_0"), 2, "'1_0' is not a valid integer"),
        (("score", "retrieval", "--similarity", "a.npy", "--seed", "1_0"), 2, "'1_0' is not a valid integer"),
        ((*RANDOM, "--seed", "-1"), 2, "--seed -1"),
        ((*RANDOM, "--limit", "0"), 2, "--limit 0"),
        ((*RANDOM, "--batch-size", "0"), 2, "--batch-size 0"),
        ((*RANDOM, "--checkpoint-every", "0"), 2, "--checkpoint-every 0: minutes above 0 are wanted"),
        ((*RANDOM, "--device", "cuda:99"), 2, "CUDA devices"),
        ((*RANDOM, "--device", "tpu"), 2, "not a device"),
        ((*RANDOM, "--precision", "int8"), 2, "int8"),
        ((*RANDOM, "--checkpoint", "nothing"), 2, "does not train"),
        (
            ("run", "-m", "fse", "-t", "anet-retrieval", "--checkpoint", "nothing"),
            4,
            "no such file. Give the model",
        ),
        ((*RANDOM, "--config", "nothing.yaml"), 2, "nothing.yaml does not exist"),
        (("run", "-m", "random"), 2, "--task"),
        (("info", "nothing"), 3, "unknown name 'nothing'"),
        (("data", "verify", "nothing"), 3, "unknown dataset"),
        (("rescore", "nothing"), 4, "no such file"),
        (("leaderboard", "add", "/dev/null"), 4, "/dev/null is no folder. Name the folder of a run"),
        (("run", "-m", "random", "-t", "anet-captioning:foo"), 2, "Write such as anet-captioning:protocol="),
        (("run", "-m", "random", "-t", "anet-retrieval:segments=gt,segments=none"), 2, "names 'segments' twice"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_a_wrong_request_is_one_line(bench_command, arguments, exit_code, says):
    done = bench_command(*arguments, exit_code=exit_code)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(bench_command.folder.glob("runs/*/result.json"))


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_every_command_refuses_flags_that_are_given_twice_and_names_its_parameters():
    assert len(dict(commands(bench.cli.bench))) > 30
    for name, command in commands(bench.cli.bench):
        assert isinstance(command, Command | Group), f"{name}: write @click.command(cls=Command)"
        assert command.callback is not None
        open_ended = [p for p in inspect.signature(command.callback).parameters.values() if p.kind is p.VAR_KEYWORD]
        assert not open_ended, f"{name}: name and type every flag"


def test_a_setting_of_one_model_counts_more_than_one_for_all(bench_command):
    models = ("-m", "hse", "-m", "fse", "-t", "anet-retrieval", "--dry-run", "--json")
    for order in (("hse.lr=0.5", "lr=0.25"), ("lr=0.25", "hse.lr=0.5")):
        done = bench_command("run", *models, *(part for text in order for part in ("--set", text)))
        assert [plan["settings"]["lr"] for plan in json.loads(done.stdout)] == [0.5, 0.25]


def test_a_pair_that_cannot_be_is_skipped_and_the_others_run(bench_command):
    pairs = ("run", "-m", "random", "-m", "tsn", "-t", "anet-retrieval", "--limit", "20")

    planned = bench_command(*pairs, "--dry-run", exit_code=5)
    done = bench_command(*pairs, exit_code=5)

    assert "random--anet-retrieval" in planned.stdout
    for said in (planned.stderr, done.stderr):
        assert "tsn on anet-retrieval (seed 0) skipped. UnsupportedTask: task 'anet-retrieval' needs a" in said
        assert "1 of 2 runs were skipped" in said
        assert "failed" not in said
    assert [path.parent.name.partition("--")[0] for path in bench_command.folder.glob("runs/*/result.json")] == [
        "random"
    ]


def test_pairs_none_of_which_can_be_are_no_success(bench_command):
    done = bench_command("run", "-m", "tsn", "-m", "fv-vae", "-t", "anet-retrieval", exit_code=3)

    assert "2 of 2 runs were skipped" in done.stderr
    assert not (bench_command.folder / "runs").exists() or not list(bench_command.folder.glob("runs/*--*"))


def test_an_output_that_cannot_be_written_is_said_before_anything_runs(bench_command):
    (bench_command.folder / "file").write_text("in the way")

    done = bench_command(*RANDOM, "--output", "file/below", exit_code=1)

    assert "SaveError: cannot write to file/below" in done.stderr


def test_a_dry_run_says_what_would_happen_and_writes_nothing(bench_command):
    done = bench_command("run", "-m", "hse", "-m", "random", "-t", "anet-retrieval", "--seeds", "0,1", "--dry-run")

    assert done.stdout.count("would fit, predict and score") == 2
    assert done.stdout.count("would predict and score") == 2
    assert "segments=gt" in done.stdout
    assert not list(bench_command.folder.glob("runs/*"))


def test_records_are_printed_as_json(bench_command):
    done = bench_command(*RANDOM, "--seeds", "0,1", "--json")

    records = json.loads(done.stdout)
    assert [record["seed"] for record in records] == [0, 1]
    assert all(record["schema"] == "bench-result/1" for record in records)


def test_a_limited_run_is_partial(bench_command):
    record = json.loads(bench_command(*RANDOM, "--limit", "30", "--json").stdout)[0]

    assert record["status"] == "partial"
    assert (record["data"]["n_expected"], record["data"]["n_evaluated"]) == (500, 30)


def test_output_names_the_folder_of_runs(bench_command):
    bench_command(*RANDOM, "--output", "elsewhere")

    assert len(list(bench_command.folder.glob("elsewhere/*/result.json"))) == 1
    assert not (bench_command.folder / "runs").exists()


def test_a_finished_run_is_reused_and_no_resume_runs_it_again(bench_command):
    first = bench_command(*RANDOM)
    again = bench_command(*RANDOM)
    anew = bench_command(*RANDOM, "--no-resume")

    assert "reusing" not in first.stderr
    assert "already complete" in again.stderr
    assert "already complete" not in anew.stderr
    assert len(list(bench_command.folder.glob("runs/*/result.json"))) == 2


def test_help_names_every_command_and_the_exit_codes(bench_command):
    shown = bench_command("--help").stdout

    for command in ("run", "rescore", "list", "info", "data", "leaderboard", "plugin", "doctor"):
        assert f"\n  {command}" in shown
    assert "Exit codes" in shown

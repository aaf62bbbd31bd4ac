"""Text out of files and plugins on the terminal: nothing that it would obey, no whole files in errors."""

import json
import subprocess
import sys

import pytest

from bench.errors import LONGEST, InvalidData, printable

EVIL = "\u202eevil\x1b[31m\x07\r"
CONFIG = (
    "version: 1\nfeatures: {{f: {{reader: {}, path: f}}}}\ndatasets: {{d: {{reader: labels, root: ., features: f}}}}\n"
)


def obeyed(said):
    return {character for character in said if not character.isprintable() and character != "\n"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 \u4eba \N{WOMAN}\u200d\N{MICROSCOPE}", "caf\u00e9 \u4eba \N{WOMAN}\u200d\N{MICROSCOPE}"),
        ("a\nb\tc\u3000d", "a b c d"),
        ("\x1b[2J\x9bm\u202e\ud800", "\ufffd[2J\ufffdm\ufffd\ufffd"),
    ],
)
def test_what_a_terminal_would_obey_is_replaced_and_words_stay(text, shown):
    assert printable(text) == shown


def test_an_error_is_one_line_and_never_long_and_keeps_its_advice():
    error = InvalidData(f"{EVIL}\n{'x' * 100_000} is wrong. Mend it.")
    assert len(str(error)) < LONGEST + 10
    assert str(error).endswith("Mend it.")
    assert not obeyed(str(error))
    assert "\n" not in str(error)


def test_a_value_of_bench_yaml_is_not_printed_whole(bench_command):
    (bench_command.folder / "bench.yaml").write_text(CONFIG.format("x" * 100_000, "features: f"))
    (bench_command.folder / "labels.csv").write_text("video_id,subset,labels\nv,train,run\nw,val,run\n")
    said = bench_command("data", "verify", "d", exit_code=2).stderr
    assert said.endswith("torch-folder, webdataset.\n")
    assert len(said) < 2_000


@pytest.fixture
def hostile_run(bench_command, control_runs):
    """Returns the folder of a run whose model has a hostile name."""
    [run] = control_runs.glob("*/result.json")
    value = json.loads(run.read_text())
    value["model"]["name"] = value["model"]["summary"] = EVIL
    folder = bench_command.folder / "runs" / "evil"
    folder.mkdir(parents=True)
    for path in run.parent.glob("*.safetensors"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "result.json").write_text(json.dumps(value))
    return folder


@pytest.mark.usefixtures("hostile_run")
@pytest.mark.parametrize("arguments", [("compare", "runs/evil", "runs/evil"), ("rescore", "runs/evil")])
def test_a_record_moves_nothing_on_a_terminal(bench_command, arguments):
    done = bench_command(*arguments)
    assert "evil" in done.stdout
    assert not obeyed(done.stdout + done.stderr)


def test_a_build_removes_what_a_killed_build_left(bench_command, control_runs, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    monkeypatch.setattr("bench.files._writer", lambda: ("0" * 8, 1))
    left = bench_command.folder / "pages" / f".index.md.{'0' * 8}-{gone.pid}.abcdefgh.part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    bench_command("leaderboard", "build", "--results", control_runs, "--output", "pages")
    assert not list(left.parent.rglob("*.part"))

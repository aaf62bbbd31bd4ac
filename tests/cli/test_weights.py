"""What a model loads is part of what a number belongs to: other weights, another run, another row."""

import hashlib
import json
from pathlib import Path

import pytest
from cli.conftest import install


@pytest.fixture
def site(tmp_path):
    return install(tmp_path / "site", Path(__file__).with_name("weighty_models.py"), "weighty-models")


@pytest.fixture
def run(bench_command, site):
    """Returns a function that runs a model on a little of the sample, and returns its record and what was said."""

    def run_model(model, *more, exit_code=0):
        done = bench_command(
            "run", "-m", model, "-t", "anet-retrieval", "--limit", "12", "--json", *more, exit_code=exit_code, path=site
        )
        return (json.loads(done.stdout)[0] if not exit_code else None), done.stderr

    return run_model


def write(path, angle):
    path.write_text(str(angle))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("model", ["frozen", "tuned"])
def test_a_file_that_is_overwritten_makes_another_run(bench_command, run, model):
    path = bench_command.folder / "angle.txt"
    digests = [write(path, 0.0)]
    first, _ = run(model, "--set", f"weights={path}")
    assert "already complete" in run(model, "--set", f"weights={path}")[1]
    digests.append(write(path, 0.7))

    second, said = run(model, "--set", f"weights={path}")

    assert "already complete" not in said
    for record, sha256 in zip((first, second), digests, strict=True):
        assert record["model"]["settings"]["weights"] == f"angle.txt@sha256:{sha256}"
        assert str(bench_command.folder) not in json.dumps(record["model"])
    values = [record["measurements"][0]["value"] for record in (first, second)]
    assert values[0] != values[1]
    parts = [dict(p.split("=") for p in record["signature"].split("|")[1:]) for record in (first, second)]
    assert parts[0].pop("weights") != parts[1].pop("weights")
    assert parts[0] == parts[1]
    if model == "tuned":
        assert len({record["provenance"]["checkpoint"]["key"] for record in (first, second)}) == 2


def test_without_weights_nothing_is_said_of_any(run):
    record, _ = run("frozen")
    assert record["model"]["settings"] == {"weights": "", "hub": ""}
    assert "weights=" not in record["signature"]


def test_a_file_that_is_not_there_is_one_line(run):
    _, said = run("frozen", "--set", "weights=gone.bin", exit_code=4)
    assert "gone.bin: no such file. Name a file: --set weights=PATH." in said
    assert "Traceback" not in said


def test_a_record_with_weights_is_run_again_where_the_file_lies(bench_command, run, site):
    path = bench_command.folder / "angle.txt"
    write(path, 0.3)
    record, _ = run("frozen", "--set", "weights=angle.txt")
    folder = f"runs/{record['run']}"
    done = bench_command("rerun", folder, "--output", "again", path=site)
    assert "bit-equal" in done.stdout + done.stderr
    write(path, 0.4)
    said = bench_command("rerun", folder, "--output", "more", exit_code=6, path=site).stderr
    assert "setting weights: angle.txt has the SHA-256" in said
    path.unlink()
    assert (
        "angle.txt: no such file" in bench_command("rerun", folder, "--output", "more", exit_code=4, path=site).stderr
    )


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Returns the place of a repository in a cache of the Hub, with two commits of it; `main` is the second."""
    folder = tmp_path / "hub" / "models--somebody--angle"
    for commit, angle in (("a" * 40, 0.0), ("b" * 40, 0.7)):
        (folder / "snapshots" / commit).mkdir(parents=True)
        write(folder / "snapshots" / commit / "angle.txt", angle)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("b" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


@pytest.mark.usefixtures("hub")
def test_a_repository_is_pinned_to_its_commit(run):
    latest, _ = run("frozen", "--set", "hub=somebody/angle")
    older, said = run("frozen", "--set", f"hub=somebody/angle@{'a' * 40}")
    assert latest["model"]["settings"]["hub"] == f"somebody/angle@{'b' * 40}"
    assert older["model"]["settings"]["hub"] == f"somebody/angle@{'a' * 40}"
    assert "already complete" not in said
    assert "already complete" in run("frozen", "--set", f"hub=somebody/angle@{'b' * 40}")[1]


def test_a_folder_is_pinned_to_what_its_files_hold(run, tmp_path):
    folder = tmp_path / "angle"
    folder.mkdir()
    write(folder / "angle.txt", 0.0)
    first, _ = run("frozen", "--set", f"hub={folder}")
    pinned = first["model"]["settings"]["hub"]
    assert pinned.startswith("angle@sha256:")
    (folder / ".hidden").write_text("not of the folder")
    assert "already complete" in run("frozen", "--set", f"hub={folder}")[1]
    write(folder / "angle.txt", 0.7)
    second, said = run("frozen", "--set", f"hub={folder}")
    assert second["model"]["settings"]["hub"] != pinned
    assert "already complete" not in said
    asked = f"{folder}@sha256:{pinned.partition(':')[2]}"
    assert "asked for" in run("frozen", "--set", f"hub={asked}", exit_code=6)[1]
    assert "is no folder with files" in run("frozen", "--set", f"hub={folder}/nothing", exit_code=4)[1]


def test_another_commit_under_the_same_name_makes_another_run(run, hub):
    run("frozen", "--set", "hub=somebody/angle")
    (hub / "refs" / "main").write_text("a" * 40)
    assert "already complete" not in run("frozen", "--set", "hub=somebody/angle")[1]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("name", "exit_code", "says"),
    [
        ("somebody/other", 4, "Fetch it: hf download somebody/other"),
        ("somebody/angle@v9", 4, "Fetch it: hf download somebody/angle --revision v9"),
        ("a/b/c", 2, "no repository of the Hub"),
    ],
)
def test_a_repository_that_is_not_there_is_one_line(run, name, exit_code, says):
    _, said = run("frozen", "--set", f"hub={name}", exit_code=exit_code)
    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("name", "exit_code"), [("clip", 4), ("my/models/clip", 2)])
@pytest.mark.usefixtures("hub")
def test_a_folder_that_is_written_as_a_repository_is_told_how_to_be_named(run, tmp_path, name, exit_code):
    (tmp_path / name).mkdir(parents=True)
    write(tmp_path / name / "angle.txt", 0.0)

    _, said = run("frozen", "--set", f"hub={name}", exit_code=exit_code)

    assert f"For the folder of that name here, write ./{name}" in said
    run("frozen", "--set", f"hub=./{name}")


def test_what_a_model_states_of_itself_makes_another_run(run, monkeypatch):
    monkeypatch.setenv("WEIGHTY_VERSION", "library 1")
    first, _ = run("stated")
    assert first["model"]["fingerprint"] == "library 1"
    assert "already complete" in run("stated")[1]
    monkeypatch.setenv("WEIGHTY_VERSION", "library 2")
    second, said = run("stated")
    assert "already complete" not in said
    assert second["signature"] != first["signature"]


@pytest.mark.parametrize(("value", "says"), [(None, "KeyError"), ("two\nlines", "must be one line")])
def test_a_fingerprint_that_fails_is_one_line(run, monkeypatch, value, says):
    if value is None:
        monkeypatch.delenv("WEIGHTY_VERSION", raising=False)
    else:
        monkeypatch.setenv("WEIGHTY_VERSION", value)
    _, said = run("stated", exit_code=3)
    assert "model 'stated': its fingerprint weighty_models:fingerprint" in said
    assert says in said


def test_rows_of_other_weights_stand_in_one_table(bench_command, site):
    path = bench_command.folder / "angle.txt"
    for angle in (0.0, 0.7):
        write(path, angle)
        bench_command("run", "-m", "frozen", "-t", "anet-retrieval", "--set", f"weights={path}", path=site)
    bench_command("leaderboard", "add", *map(str, bench_command.folder.glob("runs/frozen*")))
    bench_command("leaderboard", "build")
    pages = (bench_command.folder / "leaderboards" / "anet-retrieval.md").read_text()
    assert pages.count("angle.txt@sha256:") >= 2
    assert "|weights=" not in pages

"""Segment sources and second test sets through the command line: what is shared between them, and what never is."""

import json

import numpy as np
import pytest

SMALL = (
    "--set", "hidden=8", "--set", "word_dim=8", "--set", "epochs=1", "--set", "hse.tau=0", "--limit", "16", "--json",
)  # fmt: skip
SOURCES = ("gt", "uniform-3", "uniform-4", "uniform-200", "none")


def records(done):
    return json.loads(done.stdout)


def checkpoints(folder):
    return sorted(path.parent.name for path in folder.glob("runs/checkpoints/*/model.safetensors"))


@pytest.mark.parametrize("dataset", ["anet", "didemo"])
def test_hse_trains_under_every_segment_source_and_fse_only_once(bench_command, dataset):
    tasks = [part for source in SOURCES for part in ("-t", f"{dataset}-retrieval:segments={source}")]

    found = records(bench_command("run", "-m", "hse", "-m", "fse", *tasks, *SMALL))

    hse = [record for record in found if record["model"]["name"] == "hse"]
    fse = [record for record in found if record["model"]["name"] == "fse"]
    assert len(hse) == len(fse) == len(SOURCES)
    assert len({record["signature"] for record in hse}) == len(SOURCES)
    assert len({record["provenance"]["checkpoint"]["key"] for record in hse}) == len(SOURCES)
    assert len({record["provenance"]["checkpoint"]["key"] for record in fse}) == 1
    assert len({record["predictions"]["sha256"] for record in fse}) == 1
    assert all(record["measurements"] == fse[0]["measurements"] for record in fse)
    assert len(checkpoints(bench_command.folder)) == len(SOURCES) + 1


def test_clips_that_belong_to_no_sentence_have_the_weak_loss(bench_command):
    done = bench_command(
        "run", "-m", "hse", "-t", "anet-retrieval:segments=uniform-3", "--set", "hse.low=strong", *SMALL, exit_code=3
    )
    assert "low=weak" in done.stderr.strip().splitlines()[-1]

    weak, auto = (
        records(bench_command("run", "-m", "hse", "-t", "anet-retrieval:segments=uniform-3", *SMALL, *more))[0]
        for more in (("--set", "hse.low=weak"), ())
    )
    assert weak["predictions"]["sha256"] == auto["predictions"]["sha256"]


@pytest.mark.parametrize("source", ["uniform-0", "uniform", "ssn", "uniform-99999"])
def test_an_unknown_segment_source_is_one_line(bench_command, source):
    done = bench_command("run", "-m", "random", "-t", f"anet-retrieval:segments={source}", exit_code=2)
    assert "uniform-K" in done.stderr


CONFIG = """
version: 1
datasets:
  short:
    reader: activitynet
    root: .
    features: rows
    splits: {train: {file: captions.json, take: [0, 8]}, test: {file: captions.json, take: [8, 16]}}
features:
  rows: {reader: npz, path: rows.npz}
"""


@pytest.fixture
def short(bench_command):
    """Sixteen videos of one or two feature rows with a single clip and sentence each."""
    captions = {
        f"v{i:02d}": {"duration": 4.0, "timestamps": [[0.5, 3.0]], "sentences": [f"thing {i} happens"]}
        for i in range(16)
    }
    (bench_command.folder / "captions.json").write_text(json.dumps(captions))
    lengths = np.array([1 + i % 2 for i in range(16)])
    rows = np.random.default_rng(0).standard_normal((lengths.sum(), 4)).astype(np.float32)
    np.savez(bench_command.folder / "rows.npz", ids=np.array(list(captions)), features=rows, lengths=lengths)
    (bench_command.folder / "bench.yaml").write_text(CONFIG)
    return bench_command


@pytest.mark.parametrize("source", ["gt", "uniform-7", "none"])
def test_single_clip_videos_and_more_windows_than_rows_work(short, source):
    found = records(short("run", "-m", "hse", "-m", "fse", "-t", f"short-retrieval:segments={source}", *SMALL))
    assert [record["data"]["n_evaluated"] for record in found] == [8, 8]


def test_rows_of_different_segment_sources_never_share_a_table(bench_command):
    for source in ("gt", "uniform-3", "uniform-4", "none"):
        bench_command("run", "-m", "random", "-t", f"didemo-retrieval:segments={source}", "--output", "results")
    done = bench_command("leaderboard", "build", "--results", "results", "--output", "board")
    assert "in 4 tables" in done.stdout
    page = (bench_command.folder / "board" / "didemo-retrieval.md").read_text()
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    assert headings == [
        "### Ground-truth segments", "### 3 equal windows", "### 4 equal windows", "### Whole videos, no segments",
    ]  # fmt: skip


def test_the_second_test_set_shares_the_checkpoints(bench_command):
    found = records(
        bench_command("run", "-m", "hse", "-m", "fse", "-t", "anet-retrieval", "-t", "anet-retrieval-val2", *SMALL)
    )
    keys = {record["model"]["name"]: record["provenance"]["checkpoint"]["key"] for record in found}
    assert len(found) == 4
    assert all(record["provenance"]["checkpoint"]["key"] == keys[record["model"]["name"]] for record in found)
    assert len(checkpoints(bench_command.folder)) == 2
    assert {record["task"]["split"] for record in found} == {"val_1", "val_2"}
    assert [record["provenance"]["seconds"]["fit"] > 0 for record in found] == [True, True, False, False]


SECOND = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: simulated
    splits: {train: {file: train.json}, val_1: {file: val_1.json}, val_2: {file: val_2.json}}
  plain:
    reader: activitynet
    root: .
    features: simulated
    splits: {train: {file: train.json}, test: {file: val_1.json}}
"""


def test_a_second_test_set_must_not_hold_training_videos(bench_command):
    def write(name, videos):
        entry = {"duration": 9.0, "timestamps": [[0, 5]], "sentences": ["a thing"]}
        (bench_command.folder / f"{name}.json").write_text(json.dumps(dict.fromkeys(videos, entry)))

    write("train", ["a", "b", "c"])
    write("val_1", ["d", "e"])
    write("val_2", ["d", "c"])
    (bench_command.folder / "bench.yaml").write_text(SECOND)
    done = bench_command("run", "-m", "fse", "-t", "mine-retrieval-val2", exit_code=4)
    assert "1 video of train is also in val_2, such as 'c'" in done.stderr
    assert not list(bench_command.folder.glob("runs/checkpoints/*/*"))


def test_only_a_dataset_with_val_2_has_the_second_test_set(bench_command):
    (bench_command.folder / "bench.yaml").write_text(SECOND)
    listed = bench_command("list", "tasks").stdout
    assert "mine-retrieval-val2" in listed
    assert "plain-retrieval" in listed
    assert "plain-retrieval-val2" not in listed

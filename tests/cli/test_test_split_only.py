"""A dataset may have a test split only: what does not train runs on it, what trains says in one line what to do."""

import json

import numpy as np
import pytest

N = 8
CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    {more}
    splits: {{test: {{file: captions.json}}}}
  trained:
    reader: activitynet
    root: .
    features: frames
    splits: {{train: {{file: earlier.json}}, test: {{file: captions.json}}}}
  classes: {{reader: labels, root: ., features: frames}}
features:
  frames: {{reader: npy-folder, path: frames, extractor: toy}}
"""
LITTLE = ("--set", "epochs=1", "--set", "hidden=8", "--set", "word_dim=8")


@pytest.fixture(autouse=True)
def data(bench_command):
    folder = bench_command.folder
    (folder / "frames").mkdir()
    for name, first in (("captions", 0), ("earlier", N)):
        told = {
            f"v{i}": {"duration": 10.0, "timestamps": [[0.0, 9.0]], "sentences": [f"somebody does thing {i}"]}
            for i in range(first, first + N)
        }
        (folder / f"{name}.json").write_text(json.dumps(told))
    for i in range(2 * N):
        np.save(folder / "frames" / f"v{i}.npy", np.random.default_rng(i).standard_normal((6, 4)).astype(np.float32))
    rows = [f"v{i},test,{'run' if i % 2 else 'jump'}" for i in range(N)]
    (folder / "labels.csv").write_text("\n".join(["video_id,subset,labels", *rows]))
    (folder / "bench.yaml").write_text(CONFIG.format(more=""))


def test_what_does_not_train_runs_and_the_listings_work(bench_command):
    record = json.loads(bench_command("run", "-m", "random", "-t", "mine-retrieval", "--json").stdout)[0]

    assert record["data"]["n_evaluated"] == N
    assert "mine: ok" in bench_command("data", "verify", "mine").stdout
    assert "tasks evaluate on: test" in bench_command("info", "mine").stdout
    assert "mine-retrieval" in bench_command("list", "tasks").stdout
    assert "mine" in bench_command("list", "datasets").stdout


@pytest.mark.parametrize("model", ["fse", "mean-pool", "hse-captioner"])
def test_what_trains_says_in_one_line_that_there_is_nothing_to_train_on(bench_command, model):
    task = "mine-captioning" if model == "hse-captioner" else "mine-retrieval"

    done = bench_command("run", "-m", model, "-t", task, exit_code=4)

    assert "dataset 'mine' has no videos to train on, only a test split" in done.stderr
    assert "--checkpoint" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_fitted_on_other_data_is_tested_by_its_checkpoint(bench_command):
    bench_command("run", "-m", "fse", "-t", "trained-retrieval", *LITTLE)
    (checkpoint,) = (bench_command.folder / "runs" / "checkpoints").glob("*/model.safetensors")

    given = ("--checkpoint", checkpoint)
    record = json.loads(bench_command("run", "-m", "fse", "-t", "mine-retrieval", *given, "--json").stdout)[0]

    fitted_here = json.loads(bench_command("run", "-m", "fse", "-t", "trained-retrieval", *LITTLE, "--json").stdout)[0]
    assert record["provenance"]["checkpoint"]["sha256"] == fitted_here["provenance"]["checkpoint"]["sha256"]
    assert list(record["data"]["annotations"]) == ["test"]


def test_classes_without_training_videos_are_recognised_from_their_names(bench_command):
    record = json.loads(bench_command("run", "-m", "random", "-t", "classes-zero-shot", "--json").stdout)[0]
    verified = bench_command("data", "verify", "classes").stdout

    assert record["data"]["n_evaluated"] == N
    assert "train: 0 videos" in verified
    assert "classes: ok" in verified
    refused = bench_command("run", "-m", "features", "-t", "classes-linear-probe", exit_code=4).stderr
    assert "dataset 'classes' has no videos to train on, only a test split" in refused


def test_captions_and_classes_of_test_videos_go_together(bench_command):
    (bench_command.folder / "bench.yaml").write_text(CONFIG.format(more="labels: labels.csv"))

    record = json.loads(bench_command("run", "-m", "random", "-t", "mine-zero-shot", "--json").stdout)[0]

    assert "there are no training captions that could name the classes" in record["data"]["remarks"]
    assert "mine: ok" in bench_command("data", "verify", "mine").stdout

"""Videos without features: a run fails, or says in its record what was done about them, and is ranked accordingly."""

import json

import numpy as np
import pytest

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    missing: {policy}
    splits: {{train: {{file: captions.json, take: [0, 20]}}, test: {{file: captions.json, take: [20, 32]}}}}
features:
  frames: {{reader: npy-folder, path: frames, extractor: toy}}
"""
ABSENT = (3, 7, 21, 30, 31)  # two of train, three of test


@pytest.fixture
def declared(bench_command):
    folder = bench_command.folder
    (folder / "frames").mkdir()
    captions = {}
    for i in range(32):
        captions[f"v{i:02}"] = {"duration": 9.0, "timestamps": [[0, 4], [4, 9]], "sentences": [f"a {i}", f"b {i}"]}
        if i not in ABSENT:
            np.save(folder / "frames" / f"v{i:02}.npy", np.random.default_rng(i).standard_normal((9, 4), np.float32))
    (folder / "captions.json").write_text(json.dumps(captions))
    return lambda policy: (folder / "bench.yaml").write_text(CONFIG.format(policy=policy))


def run(bench, *more, model="random"):
    done = bench("run", "-m", model, "-t", "mine-retrieval", "--json", *more)
    return json.loads(done.stdout)[0], done.stderr


def test_without_a_policy_a_run_fails_before_it_starts(bench_command, declared):
    declared("fail")

    done = bench_command("run", "-m", "mean-pool", "-t", "mine-retrieval", exit_code=4)

    assert "2 of 20 videos have no features: v03, v07" in done.stderr
    assert not list(bench_command.folder.glob("runs/*"))


def test_excluded_videos_are_counted_and_the_run_is_partial(bench_command, declared):
    declared("exclude")

    record, said = run(bench_command)

    assert (record["data"]["n_expected"], record["data"]["n_evaluated"]) == (12, 9)
    assert record["data"]["missing"] == {"policy": "exclude", "videos": {"test": 3}}
    assert record["status"] == "partial"
    assert all(measurement["n"] == 9 for measurement in record["measurements"])
    assert "missing=exclude-3" in record["signature"]
    assert "test: 3 of 12 videos have no features (exclude)" in said


def test_penalised_videos_count_as_never_found(bench_command, declared):
    declared("penalise")

    record, _ = run(bench_command)
    values = {measurement["name"]: measurement["value"] for measurement in record["measurements"]}

    assert (record["data"]["n_expected"], record["data"]["n_evaluated"]) == (12, 12)
    assert record["data"]["missing"] == {"policy": "penalise", "videos": {"test": 3}}
    assert record["status"] == "complete"
    assert "missing=penalise-3" in record["signature"]
    assert max(values["t2v/R@10"], values["v2t/R@10"]) <= 100 * 9 / 12


@pytest.mark.parametrize("policy", ["exclude", "penalise"])
def test_training_leaves_videos_without_features_out_and_says_so(bench_command, declared, policy):
    declared(policy)

    record, said = run(bench_command, "--set", "epochs=1", model="mean-pool")

    assert record["data"]["missing"]["videos"] == {"train": 2, "test": 3}
    assert "2 training videos have no features and are left out" in said
    assert "on 18 videos" in said


@pytest.mark.parametrize("policy", ["exclude", "penalise"])
@pytest.mark.parametrize("limit", [(), ("--limit", "6")])
def test_such_runs_are_scored_again_to_the_same_numbers(bench_command, declared, policy, limit):
    declared(policy)
    record, _ = run(bench_command, *limit)

    bench_command("rescore", f"runs/{record['run']}")


def test_only_the_penalised_run_is_ranked(bench_command, declared):
    for policy in ("exclude", "penalise"):
        declared(policy)
        run(bench_command)

    bench_command("leaderboard", "build", "--results", "runs", "--output", "board")
    page = (bench_command.folder / "board" / "mine-retrieval.md").read_text()

    assert "partial, 9 of 12 videos" in page
    assert "12 videos" in page


def test_a_policy_changes_nothing_where_nothing_is_missing(bench_command, declared):
    for i in ABSENT:
        np.save(bench_command.folder / "frames" / f"v{i:02}.npy", np.ones((9, 4), np.float32))
    declared("fail")
    before, _ = run(bench_command)
    declared("penalise")
    after, _ = run(bench_command, "--no-resume")

    assert after["data"]["missing"] is None
    assert after["signature"] == before["signature"]
    assert after["measurements"] == before["measurements"]


def test_a_split_without_any_features_is_refused(bench_command, declared):
    for path in (bench_command.folder / "frames").glob("v[23]*.npy"):
        path.unlink()
    declared("exclude")

    assert (
        "none of the 12 videos of test has features"
        in bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=4).stderr
    )


def test_an_unknown_policy_is_refused(bench_command, declared):
    declared("ignore")

    assert "missing" in bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=2).stderr

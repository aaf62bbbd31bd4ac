"""Videos without features: a run fails, or says in its record what was done about them, and is ranked accordingly."""

import json
import re

import numpy as np
import pytest

from bench.data.sets import named
from bench.files import sha256
from bench.results import Evidence

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
    assert "2 training videos without features left out" in said
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
    told = (bench_command.folder / "board" / "models" / "random.html").read_text()
    cases = r"[0-9.]+ of videos that are there, 0\.0 missing ones wrong, [0-9.]+ missing ones right"
    assert re.search(rf"On the whole test set</dt><dd><code>t2v/R@1: {cases}", told)


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


def bounds(record, name="t2v/R@1"):
    return next(one for one in record["measurements"] if one["name"] == name)["bounds"]


def test_left_out_videos_bound_every_measurement(bench_command, declared):
    declared("exclude")

    record, _ = run(bench_command)
    values = {measurement["name"]: measurement["value"] for measurement in record["measurements"]}

    assert all(bounds(record, name)["present"] == values[name] for name in values)
    assert bounds(record, "t2v/R@10")["best"] == pytest.approx(100.0)  # 9 are found among 9, and 3 more at best
    hits = round(values["t2v/R@1"] * 9 / 100)
    assert bounds(record)["worst"] == 0.0  # any of 3 may stand before the right one
    assert bounds(record)["best"] == pytest.approx(100 * (hits + 3) / 12)
    assert bounds(record, "t2v/MeanR")["worst"] == pytest.approx(((values["t2v/MeanR"] + 3) * 9 + 3 * 12) / 12)
    assert bounds(record, "v2t/MeanR")["best"] == pytest.approx((values["v2t/MeanR"] * 9 + 3) / 12)


def test_penalised_videos_leave_other_queries_of_v2t_as_they_are(bench_command, declared):
    declared("penalise")

    record, _ = run(bench_command)
    values = {measurement["name"]: measurement["value"] for measurement in record["measurements"]}

    assert bounds(record, "v2t/R@5")["worst"] == pytest.approx(values["v2t/R@5"])
    assert bounds(record, "v2t/R@5")["best"] == pytest.approx(values["v2t/R@5"] + 25.0)
    assert bounds(record, "v2t/R@5")["present"] == pytest.approx(values["v2t/R@5"] * 12 / 9)
    assert bounds(record, "t2v/R@10")["worst"] < values["t2v/R@10"] < bounds(record, "t2v/R@10")["best"]


def test_the_terminal_shows_the_bounds_below_the_number(bench_command, declared):
    declared("exclude")
    left_out = bench_command("run", "-m", "random", "-t", "mine-retrieval").stdout
    declared("penalise")
    penalised = bench_command("run", "-m", "random", "-t", "mine-retrieval").stdout

    (worst,) = [line for line in left_out.splitlines() if line.endswith("missing ones wrong")]
    assert worst.split()[0] == "0.0"
    assert "missing ones right" in left_out
    assert "of videos that are there" not in left_out  # it is the number itself
    assert "of videos that are there" in penalised


def test_where_nothing_is_missing_nothing_is_bounded(bench_command, declared):
    for i in ABSENT:
        np.save(bench_command.folder / "frames" / f"v{i:02}.npy", np.ones((9, 4), np.float32))
    declared("exclude")

    record, _ = run(bench_command)

    assert all(measurement["bounds"] is None for measurement in record["measurements"])
    assert "missing ones" not in bench_command("run", "-m", "random", "-t", "mine-retrieval").stdout


def test_a_set_that_lost_videos_from_the_files_too_is_bounded(bench_command, declared, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("field")
    told = "unit: paragraph, captions: one, right: its own, rule: some, source: us, unknown: which"
    (folder / "tales.yaml").write_text(f"dataset: Tales\nsets: {{test: {{videos: 15, queries: 15, {told}}}}}\n")
    monkeypatch.setattr(named, "FOLDER", folder)
    declared("exclude")
    config = bench_command.folder / "bench.yaml"
    config.write_text(config.read_text().replace("missing: exclude", "missing: exclude\n    set: tales:test"))

    record, _ = run(bench_command)
    values = {measurement["name"]: measurement["value"] for measurement in record["measurements"]}

    assert record["data"]["remarks"] == ["tales:test has 15 videos, of which 3 are not in the files"]
    assert bounds(record, "v2t/MeanR")["best"] == pytest.approx((values["v2t/MeanR"] * 9 + 6) / 15)
    bench_command("rescore", f"runs/{record['run']}")
    folder.joinpath("tales.yaml").write_text(f"dataset: Tales\nsets: {{test: {{videos: 15, {told}}}}}\n")
    record, _ = run(bench_command, "--no-resume")
    assert "how many texts these have is not known" in record["data"]["remarks"][0]
    assert bounds(record, "v2t/MeanR")["best"] == pytest.approx((values["v2t/MeanR"] * 9 + 3) / 12)


def test_a_record_from_before_there_were_bounds_holds_as_it_is(bench_command, declared):
    declared("exclude")
    record, _ = run(bench_command)
    folder = bench_command.folder / "runs" / record["run"]
    evidence = Evidence.load(folder / record["evidence"]["file"])
    assert evidence.counts["absent"].tolist() == [1, 1, 1]
    older = Evidence({k: v for k, v in evidence.counts.items() if k != "absent"}, evidence.pool, evidence.n_items)
    older.save(folder / record["evidence"]["file"])
    record["evidence"]["sha256"] = sha256(folder / record["evidence"]["file"])
    for measurement in record["measurements"]:
        del measurement["bounds"]
    (folder / "result.json").write_text(json.dumps(record))

    bench_command("rescore", folder)


def test_bounds_that_do_not_follow_from_the_evidence_are_told(bench_command, declared):
    declared("exclude")
    record, _ = run(bench_command)
    path = bench_command.folder / "runs" / record["run"] / "result.json"
    record["measurements"][0]["bounds"]["best"] = 99.0
    path.write_text(json.dumps(record))

    assert "bounds of t2v/R@1 is" in bench_command("rescore", path.parent, exit_code=6).stderr


def test_an_unknown_policy_is_refused(bench_command, declared):
    declared("ignore")

    assert "missing" in bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=2).stderr

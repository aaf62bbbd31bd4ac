"""A number belongs to the features it was made with: whatever row of them changes, no old answer is given for it."""

import json
import os
import subprocess

import h5py
import numpy as np
import pytest

from bench.data.features import row_contents

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    splits: {{train: {{file: captions.json, take: [0, 20]}}, test: {{file: captions.json, take: [20, 32]}}}}{more}
features:
  frames: {{reader: {reader}, path: {path}, extractor: toy}}
"""
ROWS = {f"v{i:02}": np.random.default_rng(i).standard_normal((9, 4), np.float32) for i in range(32)}


def write_npy(folder, rows):
    (folder / "frames").mkdir(exist_ok=True)
    for video_id, values in rows.items():
        np.save(folder / "frames" / f"{video_id}.npy", values)


def write_hdf5(folder, rows):
    with h5py.File(folder / "frames.h5", "w") as file:
        for video_id, values in rows.items():
            file[video_id] = values


def write_npz(folder, rows):
    np.savez(folder / "frames.npz", ids=np.array(list(rows)), features=np.stack(list(rows.values())))


WRITERS = {
    "npy-folder": (write_npy, "frames"),
    "hdf5": (write_hdf5, "frames.h5"),
    "npz": (write_npz, "frames.npz"),
}


@pytest.fixture
def mine(bench_command, monkeypatch, tmp_path_factory):
    """Returns a function that declares a dataset with features in a layout; what is remembered is this test's own."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(row_contents, "SETTLED_NS", 0)  # else nothing of such new files would be remembered
    folder = bench_command.folder
    told = {v: {"duration": 9.0, "timestamps": [[0, 4], [4, 9]], "sentences": [f"a {v}", f"b {v}"]} for v in ROWS}
    (folder / "captions.json").write_text(json.dumps(told))

    def declare(layout="npy-folder", more="", **changed):
        write, path = WRITERS[layout]
        write(folder, {**ROWS, **changed})
        more = "".join(f"\n    {line}" for line in more.splitlines())
        (folder / "bench.yaml").write_text(CONFIG.format(reader=layout, path=path, more=more))

    declare.cache = cache
    return declare


def run(bench, *more):
    done = bench("run", "-m", "mean-pool", "-t", "mine-retrieval", "--json", *more)
    return json.loads(done.stdout)[0], done.stderr


def edited(video_id, row):
    rows = ROWS[video_id].copy()
    rows[row] *= -5
    return {video_id: rows}


@pytest.mark.parametrize("layout", list(WRITERS))
@pytest.mark.parametrize("row", [0, 1, 7])
def test_any_row_of_a_test_video_makes_another_run(bench_command, mine, layout, row):
    mine(layout)
    before, _ = run(bench_command)
    mine(layout, **edited("v25", row))

    after, said = run(bench_command)

    assert "already complete" not in said
    assert after["data"]["features"]["digest"] != before["data"]["features"]["digest"]
    assert after["signature"] != before["signature"]
    mine(layout)
    assert "already complete" in run(bench_command)[1]


def test_any_row_of_a_training_video_makes_another_checkpoint(bench_command, mine):
    mine()
    before, _ = run(bench_command)
    mine(**edited("v05", 1), **edited("v25", 1))

    after, said = run(bench_command)

    assert "fitting mean-pool" in said
    assert after["provenance"]["checkpoint"]["key"] != before["provenance"]["checkpoint"]["key"]


def test_verify_shows_the_digest_of_the_run(bench_command, mine):
    mine()
    record, _ = run(bench_command)

    said = bench_command("data", "verify", "mine").stdout

    assert f"test: features sha256 {record['data']['features']['digest'][:16]}…" in said


@pytest.mark.parametrize(("video_id", "split"), [("v06", "train"), ("v23", "test")])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_cannot_be_used_is_found_before_anything_is_fitted(bench_command, mine, video_id, split, value):
    rows = ROWS[video_id].copy()
    rows[1, 2] = value
    mine(**{video_id: rows})

    said = bench_command("run", "-m", "mean-pool", "-t", "mine-retrieval", exit_code=4).stderr
    verified = bench_command("data", "verify", "mine", exit_code=4).stderr

    for line in (said, verified):
        assert f"1 of {20 if split == 'train' else 12} videos holds NaN or infinity: {video_id} (row 1)" in line
    assert not list(bench_command.folder.glob("runs/**/*.safetensors"))


def test_verify_says_that_it_looked_at_the_numbers_or_that_it_did_not(bench_command, mine):
    mine()
    assert "every number finite" in bench_command("data", "verify", "mine").stdout
    bench_command("data", "pack", "frames")
    config = (bench_command.folder / "bench.yaml").read_text()
    (bench_command.folder / "bench.yaml").write_text(
        config.split("features:\n  frames")[0] + "features:\n  frames: {pack: packs/frames}\n"
    )
    assert "every number finite" in bench_command("data", "verify", "mine").stdout
    (bench_command.folder / "bench.yaml").unlink()
    assert "made up, not looked at" in bench_command("data", "verify", "anet").stdout


ZEROS = {"v25": np.zeros((9, 4), np.float32), "v03": np.zeros((9, 4), np.float32)}


@pytest.mark.parametrize("packed", [False, True])
def test_videos_of_zeros_are_counted(bench_command, mine, packed):
    mine(**ZEROS)
    if packed:
        bench_command("data", "pack", "frames")
        path = bench_command.folder / "bench.yaml"
        path.write_text(path.read_text().split("  frames: {reader")[0] + "  frames: {pack: packs/frames}\n")

    verified = bench_command("data", "verify", "mine").stdout
    done = bench_command("run", "-m", "random", "-t", "mine-retrieval", "--json")
    record = json.loads(done.stdout)[0]

    assert "train: 1 video has features that are all zeros: v03" in verified
    assert "test: 1 video has features that are all zeros: v25" in verified
    assert record["data"]["all_zero"] == {"test": 1}
    assert record["data"]["missing"] is None
    assert "test: 1 video with features that are all zeros, used as they are" in done.stderr


def test_videos_of_zeros_may_count_as_missing(bench_command, mine):
    mine(more="missing: penalise\nall_zero: missing", **ZEROS)

    record, said = run(bench_command)

    assert record["data"]["all_zero"] == {"train": 1, "test": 1}
    assert record["data"]["missing"] == {"policy": "penalise", "videos": {"train": 1, "test": 1}}
    assert "missing=penalise-1" in record["signature"]
    assert record["data"]["n_evaluated"] == 12
    assert "test: 1 video with features that are all zeros, taken for missing" in said
    assert "1 training video without features left out" in said


def test_the_advice_for_a_video_of_zeros_works(bench_command, mine):
    mine("npz", **ZEROS)
    rows = "".join(f"{v},{'train' if v < 'v20' else 'test'},class {int(v[1:]) % 3}\n" for v in ROWS)
    (bench_command.folder / "labels.csv").write_text(f"video_id,subset,labels\n{rows}")
    path = bench_command.folder / "bench.yaml"
    declared = "datasets:\n  lab: {{reader: labels, root: ., features: frames{}}}\n"
    text = path.read_text()
    path.write_text(text.replace("datasets:\n", declared.format("")))
    probe = ("run", "-m", "features", "-t", "lab-linear-probe")
    for video_id in ("v03", "v25"):
        mine("npz", **{video_id: ZEROS[video_id]})
        path.write_text(text.replace("datasets:\n", declared.format("")))
        said = bench_command(*probe, exit_code=3).stderr
        assert f"embeddings are all zeros and have no direction (first: '{video_id}')" in said
        assert "count as missing under `all_zero: missing` beside `missing: penalise` in bench.yaml" in said

    path.write_text(text.replace("datasets:\n", declared.format(", missing: penalise, all_zero: missing")))

    bench_command(*probe)


def test_zeros_count_as_missing_only_where_missing_videos_are_allowed(bench_command, mine):
    mine(more="all_zero: missing")
    said = bench_command("data", "verify", "mine", exit_code=2).stderr
    assert "datasets.mine.all_zero: 'missing' needs a policy for missing videos" in said


def test_features_are_read_once_for_their_digest(bench_command, mine):
    mine()
    read = "were read for their digest"
    first, said = run(bench_command)
    assert f"all features of train {read}" in said
    assert f"all features of test {read}" in said

    again, said = run(bench_command, "--no-resume")

    assert read not in said
    assert again["data"]["features"] == first["data"]["features"]


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def damage_digit(path):
    text = path.read_text()
    raw = json.loads(text)
    old = raw["videos"]["v25"][1]
    path.write_text(text.replace(old, "0" * 64))


def damage_shape(path):
    path.write_text(json.dumps({"sha256": "", "videos": [1]}))


@pytest.mark.parametrize("damage", [damage_cut, damage_digit, damage_shape])
def test_what_is_remembered_wrongly_is_read_again(bench_command, mine, damage):
    mine()
    first, _ = run(bench_command)
    (path,) = mine.cache.rglob("*.json")
    damage(path)

    again, said = run(bench_command, "--no-resume")

    assert "were read for their digest" in said
    assert again["data"]["features"] == first["data"]["features"]


def test_a_run_does_without_a_place_to_remember(bench_command, mine, monkeypatch):
    mine()
    first, _ = run(bench_command)
    (bench_command.folder / "taken").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(bench_command.folder / "taken"))

    again, said = run(bench_command, "--no-resume")

    assert "were read for their digest" in said
    assert again["data"]["features"] == first["data"]["features"]


def test_a_file_whose_size_and_time_were_put_back_is_noticed(bench_command, mine):
    mine()
    first, _ = run(bench_command)
    path = bench_command.folder / "frames" / "v25.npy"
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"\1\2\3\4")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    again, said = run(bench_command)

    assert "already complete" not in said
    assert again["data"]["features"]["digest"] != first["data"]["features"]["digest"]


def test_a_file_that_has_just_changed_is_not_remembered(bench_command, mine, monkeypatch):
    mine()
    monkeypatch.setattr(row_contents, "SETTLED_NS", 10**15)
    run(bench_command)
    assert "were read for their digest" in run(bench_command, "--no-resume")[1]


def test_several_processes_agree(bench_command, mine):
    mine()
    started: list[subprocess.Popen[str]] = [bench_command.start("data", "verify", "mine") for _ in range(3)]
    said = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert said == {bench_command("data", "verify", "mine").stdout}

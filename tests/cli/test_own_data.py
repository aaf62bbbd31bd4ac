"""Own data declared in bench.yaml runs by its name, and every fault in it is one line with exit code 4."""

import gzip
import json

import h5py
import numpy as np
import pytest

N, DIM = 24, 8

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: {root}
    features: frames
    splits: {{train: {{file: captions.json, take: [0, 16]}}, test: {{file: captions.json, take: [16, 24]}}}}
features:
  frames: {{reader: {reader}, path: {path}, extractor: toy{more}}}
"""


def captions():
    return {
        f"v_{i:02d}": {
            "duration": 10.0 + i,
            "timestamps": [[0.0, 4.0], [3.0, 9.5]],
            "sentences": [f"somebody does thing {i}", f" then thing {i + 1} follows"],
        }
        for i in range(N)
    }


def frames(i):
    return np.random.default_rng(i).standard_normal((12 + i, DIM)).astype(np.float32)


class Mine:
    """A folder with captions.json and a folder of .npy features, declared as dataset `mine`."""

    def __init__(self, folder):
        self.folder = folder
        self.captions = folder / "captions.json"
        self.features = folder / "frames"
        self.features.mkdir()
        self.write(captions())
        for i in range(N):
            np.save(self.features / f"v_{i:02d}.npy", frames(i))
        self.declare()

    def declare(self, reader="npy-folder", path="frames", more=""):
        text = CONFIG.format(root=self.folder, reader=reader, path=path, more=more)
        (self.folder / "bench.yaml").write_text(text)

    def write(self, entries):
        self.captions.write_text(json.dumps(entries))


@pytest.fixture
def mine(bench_command):
    return Mine(bench_command.folder)


RUN = ("run", "-m", "count-only", "-m", "fse", "-t", "mine-retrieval")
SMALL = ("--set", "fse.epochs=2", "--set", "fse.hidden=8", "--set", "fse.word_dim=8")


def test_own_data_trains_and_scores_by_its_name(bench_command, mine):
    records = json.loads(bench_command(*RUN, *SMALL, "--json").stdout)

    assert [record["model"]["name"] for record in records] == ["count-only", "fse"]
    assert records[0]["data"]["kind"] == "real"
    assert records[0]["data"]["features"]["extractor"] == "toy"
    assert records[0]["data"]["n_evaluated"] == 8
    assert "segments=gt" in records[0]["signature"]


def test_captions_of_whole_videos_are_sentences(bench_command, mine):
    mine.write({name: entry["sentences"] for name, entry in captions().items()})
    config = mine.folder / "bench.yaml"
    whole = "features: frames\n    segments: none\n    captions: together\n"
    config.write_text(config.read_text().replace("features: frames\n", whole, 1))

    record = json.loads(
        bench_command("run", "-m", "fse", "-t", "mine-retrieval", *SMALL[:0], "--set", "epochs=2", "--json").stdout
    )[0]

    assert "segments=none" in record["signature"]


def test_one_npz_with_ids_is_read(bench_command, mine):
    np.savez(
        mine.folder / "all.npz", video_id=np.array([f"v_{i:02d}" for i in range(N)]), features=np.ones((N, 5, DIM))
    )
    mine.declare(reader="npz", path="all.npz")

    bench_command("run", "-m", "random", "-t", "mine-retrieval")


def test_data_verify_says_what_is_there(bench_command, mine):
    done = bench_command("data", "verify", "mine")

    assert "16" in done.stdout
    assert "mine: ok" in done.stdout


def broken(entry):
    return {**captions(), "v_03": {**captions()["v_03"], **entry}}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (broken({"timestamps": [["0", 4.0], [3.0, 9.5]]}), "v_03"),
        (broken({"timestamps": [[float("nan"), 4.0], [3.0, 9.5]]}), "v_03"),
        (broken({"timestamps": [[0.0, 4.0]]}), "v_03"),
        (broken({"timestamps": [[50.0, 60.0], [3.0, 9.5]]}), "v_03"),
        (broken({"sentences": ["a thing", "   "]}), "v_03"),
        (broken({"sentences": []}), "v_03"),
        (broken({"sentences": "a thing"}), "v_03"),
        (broken({"duration": 0}), "v_03"),
        (broken({"duration": "long"}), "v_03"),
        ({**captions(), "../../etc": captions()["v_03"]}, "../../etc"),
        ({**captions(), "a/b": captions()["v_03"]}, "a/b"),
        ([1, 2, 3], "captions.json"),
        ({}, "captions.json"),
    ],
)
def test_broken_annotations_are_one_line(bench_command, mine, entries, says):
    mine.write(entries)

    done = bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=4)

    assert says in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "captions.json"),
        (b"\xff\xfe", "captions.json"),
        (b'{"v_01": ["a"], "v_01": ["b"]}', "v_01"),
        (gzip.compress(b'{"v_01": ["a"]}', mtime=0)[:-4], "captions.json"),
    ],
)
def test_broken_json_is_one_line(bench_command, mine, content, says):
    mine.captions.write_bytes(content)

    done = bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=4)

    assert says in done.stderr.strip().splitlines()[-1]


def test_reversed_timestamps_are_swapped_and_late_ends_clipped(bench_command, mine):
    mine.write(broken({"timestamps": [[4.0, 0.0], [3.0, 900.0]]}))

    bench_command("run", "-m", "random", "-t", "mine-retrieval")
    report = bench_command("data", "verify", "mine").stdout

    assert "revers" in report
    assert "beyond" in report


def test_missing_annotations_name_the_file(bench_command, mine):
    mine.captions.unlink()

    assert "captions.json" in bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=4).stderr


def remove(mine):
    (mine.features / "v_20.npy").unlink()


def wrong_dimension(mine):
    np.save(mine.features / "v_20.npy", np.ones((5, DIM + 1), dtype=np.float32))


def not_a_number(mine):
    np.save(mine.features / "v_20.npy", np.full((5, DIM), np.nan, dtype=np.float32))


def truncated(mine):
    path = mine.features / "v_20.npy"
    path.write_bytes(path.read_bytes()[:50])


def pickled(mine):
    np.save(mine.features / "v_20.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def no_rows(mine):
    np.save(mine.features / "v_20.npy", np.ones((0, DIM), dtype=np.float32))


def declared_dimension(mine):
    mine.declare(more=", dim: 500")


def no_folder(mine):
    mine.declare(path="nowhere")


def unknown_layout(mine):
    mine.declare(reader="csv")


@pytest.mark.parametrize(
    ("fault", "exit_code", "says"),
    [
        (remove, 4, "v_20"),
        (wrong_dimension, 4, "v_20"),
        (not_a_number, 4, "v_20"),
        (truncated, 4, "v_20"),
        (pickled, 4, "v_20"),
        (no_rows, 4, "v_20"),
        (declared_dimension, 4, "500"),
        (no_folder, 4, "nowhere"),
        (unknown_layout, 2, "csv"),
    ],
)
def test_broken_features_are_one_line(bench_command, mine, fault, exit_code, says):
    fault(mine)

    done = bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=exit_code)

    assert says in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(bench_command.folder.glob("runs/*/result.json"))


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_a_foreign_or_truncated_hdf5_is_one_line(bench_command, mine, content):
    path = mine.folder / "c3d.hdf5"
    if content is None:
        with h5py.File(path, "w") as file:
            for i in range(N):
                file.create_dataset(f"v_{i:02d}/c3d_features", data=np.ones((9, 500), dtype=np.float32))
        content = path.read_bytes()[:-5000]
    path.write_bytes(content)
    mine.declare(reader="c3d-hdf5", path="c3d.hdf5")

    done = bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=4)

    assert "c3d.hdf5" in done.stderr.strip().splitlines()[-1]

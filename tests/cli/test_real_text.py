"""The main job on files in the official layouts, with real text: what a user with real data does first."""

import gzip
import json

import h5py
import numpy as np
import pytest

TRAIN, TEST = 24, 40

CONFIG = """
version: 1
datasets: {anet: {reader: activitynet, root: captions, features: frames}}
features: {frames: {reader: %s, path: %s, extractor: %s}}
"""


@pytest.fixture
def official(bench_command, shared):
    """Returns the ids of the first real videos, after writing them as the official files are written."""
    ids = {}
    for split, count in (("train", TRAIN), ("val_1", TEST)):
        source = shared(f"data/activitynet_captions/{split}.json.gz")
        entries = json.loads(gzip.decompress(source.read_bytes()))
        ids[split] = list(entries)[:count]
        target = bench_command.folder / "captions" / f"{split}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps({name: entries[name] for name in ids[split]}))
    return ids


def rows(video_id: str, dim: int) -> np.ndarray:
    rng = np.random.default_rng(list(video_id.encode()))
    return rng.standard_normal((int(rng.integers(20, 120)), dim)).astype(np.float32)


def write_c3d(folder, ids):
    with h5py.File(folder / "sub_activitynet_v1-3.c3d.hdf5", "w") as file:
        for name in ids:
            file.create_dataset(f"{name}/c3d_features", data=rows(name, 500))
    return "c3d-hdf5", "sub_activitynet_v1-3.c3d.hdf5", "C3D-PCA500"


def write_icep(folder, ids):
    (folder / "icep").mkdir()
    for name in ids:
        np.savez(folder / "icep" / f"{name}.npz", frame_scores=rows(name, 2048)[:, None, :, None, None])
    return "icep-npz", "icep", "InceptionV3"


@pytest.mark.parametrize(("write", "dim"), [(write_c3d, 500), (write_icep, 2048)])
def test_the_main_job_runs_on_official_layouts_with_real_text(bench_command, official, write, dim):
    layout = write(bench_command.folder, [name for names in official.values() for name in names])
    (bench_command.folder / "bench.yaml").write_text(CONFIG % layout)
    small = [part for text in ("hse.tau=0", "hidden=16", "word_dim=8", "epochs=1") for part in ("--set", text)]
    models = ("run", "-m", "hse", "-m", "fse", "-t", "anet-retrieval")

    records = json.loads(bench_command(*models, *small, "--limit", "30", "--json").stdout)

    for record in records:
        assert record["status"] == "partial"
        assert record["data"]["kind"] == "real"
        assert record["data"]["features"]["dim"] == dim
        assert (record["data"]["n_expected"], record["data"]["n_evaluated"]) == (TEST, 30)


def test_simulated_features_run_the_real_protocol_and_say_so(bench_command, official):
    text = "version: 1\ndatasets: {anet: {reader: activitynet, root: captions, features: simulated}}\n"
    (bench_command.folder / "bench.yaml").write_text(text)

    record = json.loads(bench_command("run", "-m", "count-only", "-t", "anet-retrieval", "--json").stdout)[0]

    assert record["data"]["kind"] == "simulated"
    assert record["data"]["label"] == "anet (simulated features)"
    assert "data=simulated" in record["signature"]

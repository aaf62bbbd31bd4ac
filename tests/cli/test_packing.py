"""`bench data pack` and `simulate`: killed, stopped, used in a run, refused; `verify` of what lies there."""

import json
import signal
import time

import h5py
import numpy as np
import pytest

N, DIM = 1200, 8

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: {features}
    splits: {{train: {{file: captions.json, take: [0, 16]}}, test: {{file: captions.json, take: [16, 24]}}}}{more}
features:
  c3d: {{reader: c3d-hdf5, path: c3d.hdf5, extractor: C3D, stride: 8 frames}}
  packed: {{pack: packs/c3d}}
"""


def declare(folder, features="c3d", more=""):
    (folder / "bench.yaml").write_text(CONFIG.format(features=features, more=more))


def write_captions(folder, count=24):
    entry = {"duration": 10.0, "timestamps": [[0, 4], [3, 9.5]]}
    captions = {f"v_{i:04}": {**entry, "sentences": [f"thing {i}", f"then {i + 1}"]} for i in range(count)}
    (folder / "captions.json").write_text(json.dumps(captions))


def write_features(folder, videos):
    rng = np.random.default_rng(7)
    with h5py.File(folder / "c3d.hdf5", "w") as file:
        for i in videos:
            rows = rng.standard_normal((12, DIM)).astype(np.float32)
            file.create_dataset(f"v_{i:04}/c3d_features", data=rows)


@pytest.fixture
def folder(bench_command):
    write_captions(bench_command.folder)
    write_features(bench_command.folder, range(24))
    declare(bench_command.folder)
    return bench_command.folder


def digest(folder):
    return json.loads((folder / "pack.json").read_text())["digest"]


def disturb(bench, number, at):
    """Starts packing, sends a signal once the journal holds `at` videos, and returns exit code and what was said."""
    journal = bench.folder / "packs" / "c3d.part" / "journal"
    process = bench.start("data", "pack", "c3d")
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= at:
            break
        time.sleep(0.001)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def test_three_kills_end_with_the_digest_of_an_undisturbed_run(bench_command):
    write_features(bench_command.folder, range(N))
    declare(bench_command.folder)
    moments = sorted(np.random.default_rng().integers(0, N // 2, size=3).tolist())

    for moment in moments:
        code, said = disturb(bench_command, signal.SIGKILL, moment)
        assert code == -signal.SIGKILL, f"{moments}: {said}"
        assert not (bench_command.folder / "packs" / "c3d").exists()

    bench_command("data", "pack", "c3d")
    bench_command("data", "pack", "c3d", "--output", "undisturbed")
    assert digest(bench_command.folder / "packs" / "c3d") == digest(bench_command.folder / "undisturbed"), moments


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_packer_says_what_to_do_next(bench_command, number):
    write_features(bench_command.folder, range(N))
    declare(bench_command.folder)

    code, said = disturb(bench_command, number, 64)

    assert code == 130
    assert "The same command goes on from there" in said
    assert "Traceback" not in said
    assert "going on after" in bench_command("data", "pack", "c3d").stderr


def test_the_size_is_said_first(bench_command, folder):
    done = bench_command("data", "pack", "c3d", "--dtype", "float16")

    assert done.stderr.startswith("c3d: 24 videos, 288 rows of 8 float16: 4.6 kB; ")
    assert "packs/c3d" in done.stdout


def test_a_pack_gives_the_numbers_of_its_source(bench_command, folder):
    run = ("run", "-m", "mean-pool", "-t", "mine-retrieval", "--set", "epochs=2", "--json")
    before = json.loads(bench_command(*run).stdout)[0]
    bench_command("data", "pack", "c3d")
    declare(folder, features="packed")

    after = json.loads(bench_command(*run).stdout)[0]

    assert after["measurements"] == before["measurements"]
    assert after["predictions"] == before["predictions"]
    features = after["data"]["features"]
    assert (features["extractor"], features["dim"], features["stride"]) == ("C3D", DIM, "8 frames")
    assert features["digest"] == digest(folder / "packs" / "c3d")
    assert after["data"]["kind"] == "real"


def test_a_dataset_is_packed_with_the_videos_of_its_splits(bench_command, folder):
    write_features(folder, range(40))

    bench_command("data", "pack", "mine", "--output", "p")

    assert json.loads((folder / "p" / "pack.json").read_text())["videos"] == 24


def test_simulated_features_stay_simulated_in_a_pack(bench_command, folder):
    (folder / "c3d.hdf5").unlink()
    bench_command("data", "simulate", "mine", "--output", "packs/c3d")
    declare(folder, features="packed")

    record = json.loads(bench_command("run", "-m", "random", "-t", "mine-retrieval", "--json").stdout)[0]

    assert record["data"]["kind"] == "simulated"
    assert record["data"]["label"] == "mine (simulated features)"
    assert "data=simulated" in record["signature"]


def test_a_simulated_pack_holds_what_is_simulated_on_the_fly(bench_command, folder):
    run = ("run", "-m", "mean-pool", "-t", "mine-retrieval", "--set", "epochs=1", "--json")
    declare(folder, features="simulated")
    before = json.loads(bench_command(*run).stdout)[0]
    bench_command("data", "simulate", "mine", "--output", "packs/c3d", "--dtype", "float32")
    declare(folder, features="packed")

    assert json.loads(bench_command(*run).stdout)[0]["predictions"] == before["predictions"]


def test_a_limited_simulation_is_enough_for_a_limited_run(bench_command, folder):
    bench_command("data", "simulate", "mine", "--output", "packs/c3d", "--limit", "5")
    declare(folder, features="packed", more="\n    missing: exclude")

    record = json.loads(bench_command("run", "-m", "random", "-t", "mine-retrieval", "--limit", "5", "--json").stdout)[
        0
    ]

    assert json.loads((folder / "packs" / "c3d" / "pack.json").read_text())["videos"] == 10
    assert record["data"]["n_evaluated"] == 5


def test_the_generated_sample_is_not_simulated(bench_command):
    assert "generated sample" in bench_command("data", "simulate", "anet", "--output", "p", exit_code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (("pack", "nothing"), 3, "unknown feature source or dataset 'nothing'"),
        (("pack", "c3d", "--dtype", "bfloat16"), 2, "bfloat16"),
        (("pack", "packed"), 4, "no such pack"),
        (("simulate", "mine"), 2, "--output"),
        (("simulate", "mine", "--output", "p", "--limit", "0"), 2, "--limit"),
    ],
)
def test_a_wrong_request_is_one_line(bench_command, folder, arguments, exit_code, says):
    done = bench_command("data", *arguments, exit_code=exit_code)

    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_compares_every_checksum_of_a_pack(bench_command, folder):
    bench_command("data", "pack", "c3d")
    declare(folder, features="packed")
    assert "every checksum right" in bench_command("data", "verify", "mine").stdout
    content = bytearray((folder / "packs" / "c3d" / "rows.bin").read_bytes())
    content[-3] ^= 4
    (folder / "packs" / "c3d" / "rows.bin").write_bytes(content)

    done = bench_command("data", "verify", "mine", exit_code=4)

    assert "'v_0023'" in done.stderr
    assert "mine: ok" not in done.stdout


def test_verify_lists_missing_videos(bench_command, folder):
    write_captions(folder, 60)
    (folder / "bench.yaml").write_text((folder / "bench.yaml").read_text().replace("[16, 24]", "[16, 60]"))

    done = bench_command("data", "verify", "mine", exit_code=4)
    everything = bench_command("data", "verify", "mine", "--all", exit_code=4).stdout
    report = json.loads(bench_command("data", "verify", "mine", "--json", exit_code=4).stdout)["mine"]

    assert done.stdout.count("no features: v_") == 20
    assert "and 16 more of 36" in done.stdout
    assert "36 of 44 videos have no features" in done.stderr
    assert everything.count("no features: v_") == 36
    assert report["missing"] == {"train": [], "test": [f"v_{i:04}" for i in range(24, 60)]}
    assert report["ok"] is False
    assert report["videos"] == {"train": 16, "test": 44}


def test_verify_compares_counts_with_the_official_ones(bench_command, folder):
    for split in ("train", "val_1", "val_2"):
        start = {"train": 0}.get(split, 10)
        entries = json.loads((folder / "captions.json").read_text())
        part = dict(list(entries.items())[start : start + 10])
        (folder / f"{split}.json").write_text(json.dumps(part))
    (folder / "bench.yaml").write_text(
        "version: 1\ndatasets: {anet: {reader: activitynet, root: ., features: simulated}}\n"
    )

    done = bench_command("data", "verify", "anet", exit_code=4)

    assert "train has 10 videos, the protocol expects 10,009" in done.stderr
    assert "val_1 has 10 videos, the protocol expects 4,917" in done.stderr
    assert "val_2 has 10 videos, the protocol expects 4,885" in done.stderr

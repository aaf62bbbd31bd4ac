"""What is damaged, foreign or without end is refused in one line, by every reader alike; nothing waits for ever."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import save

from bench.data.declared import FeatureDeclaration
from bench.data.features.opening import open_features
from bench.errors import DataError

VIDEOS = [f"v{i}" for i in range(4)]
CAPTIONS = {video: {"sentences": [f"a dog runs {i} times"]} for i, video in enumerate(VIDEOS)}
SPLITS = "{train: {file: captions.json, take: [0, 2]}, test: {file: captions.json, take: [2, 4]}}"
CONFIG = """
version: 1
datasets: {{mine: {{reader: activitynet, root: ., features: f, segments: none, splits: {splits}}}}}
features: {{f: {{reader: {reader}, path: {path}}}}}
"""


def declare(folder: Path, reader: str, path: str) -> None:
    (folder / "captions.json").write_text(json.dumps(CAPTIONS))
    (folder / "bench.yaml").write_text(CONFIG.format(reader=reader, path=path, splits=SPLITS))


def npy_folder(folder: Path, shape: tuple[int, ...] = (3, 4)) -> None:
    (folder / "npy").mkdir()
    for i, video in enumerate(VIDEOS):
        np.save(folder / "npy" / f"{video}.npy", np.full(shape, i + 1, np.float32))
    declare(folder, "npy-folder", "npy")


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def one_line(done: Any) -> str:
    """Returns the error that a command left with: one line of a moderate length, for each split where it says so."""
    lines = done.stderr.splitlines()
    assert len(lines) <= (2 if "mine: " in done.stderr else 1)
    assert all(len(line) < 1000 for line in lines)
    return str(done.stderr)


def test_a_zeroed_header_is_damage(bench_command: Any) -> None:
    npy_folder(bench_command.folder)
    path = bench_command.folder / "npy" / "v2.npy"
    path.write_bytes(path.read_bytes()[:30] + bytes(64) + path.read_bytes()[94:])
    said = one_line(bench_command("data", "verify", "mine", exit_code=4))
    assert "v2.npy is not a whole NumPy file" in said


@pytest.mark.parametrize("start", range(0, 2000, 97))
def test_zeroed_parts_of_an_hdf5_file_are_damage_or_harmless(tmp_path: Path, start: int) -> None:
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as file:
        for i, video in enumerate(VIDEOS):
            file[video] = np.full((3, 4), i + 1, np.float32)
    content = path.read_bytes()
    path.write_bytes(content[:start] + bytes(64) + content[start + 64 :])
    with suppress(DataError):
        source = open_features(FeatureDeclaration("f", "hdf5", path))
        assert source.missing(VIDEOS) or [source.read(video).shape for video in source.ids()]


def test_a_score_of_400_digits_is_no_number(bench_command: Any) -> None:
    (bench_command.folder / "said.json").write_text(f'{{"v0": {{"run": 1{"0" * 400}}}}}')
    (bench_command.folder / "labels.json").write_text('{"v0": ["run"], "v1": ["jump"]}')
    command = ("score", "classification", "--predictions", "said.json", "--labels", "labels.json")
    said = one_line(bench_command(*command, exit_code=4))
    assert "a whole number of 1,329 bits is no finite number" in said


ALIASES = "\n".join(
    ["a: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]", *(f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 6))]
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"version: 1\n{ALIASES}\n", "more than 50,000 values, aliases resolved"),
        ("version: 1\na: &a [*a]\n", "an alias stands for what it is part of"),
        (f"version: {'[' * 40}{']' * 40}\n", "nested deeper than 32 levels"),
        (f"version: 1{'0' * 5000}\n", "a number of 5,001 characters"),
        (f"version: {'1:' * 60}1\n", "a number of 121 characters"),
        ("version: 2020-99-99\n", "month must be in 1..12"),
        (f"version: 1\nruns: [{'x, ' * 5000}]\n", "runs"),
        ("version: 1\nruns: {a: {b: {c: {d: {e: {f: 1}}}}}}\n", "runs"),
    ],
)
def test_yaml_without_end_is_refused_in_one_line(bench_command: Any, text: str, says: str) -> None:
    (bench_command.folder / "bench.yaml").write_text(text)
    assert says in one_line(bench_command("list", "datasets", exit_code=2))


def test_an_npz_is_compared_with_its_header_before_it_is_unpacked(bench_command: Any, monkeypatch: Any) -> None:
    header = io.BytesIO()
    np.save(header, np.eye(3, dtype=np.float32))
    with zipfile.ZipFile(bench_command.folder / "sim.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sim.npy", header.getvalue() + bytes(1 << 20))
    monkeypatch.setattr("shutil.copyfileobj", lambda *files: pytest.fail("unpacked"))
    said = one_line(bench_command("score", "retrieval", "--similarity", "sim.npz", exit_code=4))
    assert "is shorter or longer than its header says" in said


def test_a_matrix_that_does_not_fit_the_disk_is_not_unpacked(bench_command: Any, monkeypatch: Any) -> None:
    np.savez(bench_command.folder / "sim.npz", sim=np.eye(600))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1 << 20})())
    said = one_line(bench_command("score", "retrieval", "--similarity", "sim.npz", exit_code=4))
    assert "is unpacked to 2 MB" in said
    assert "TMPDIR" in said


READERS = {
    "captions": ("score", "captions", "--no-java", "--protocol", "corpus", "--references", "X", "--predictions", "X"),
    "references": (
        "score",
        "captions",
        "--no-java",
        "--protocol",
        "corpus",
        "--references",
        "X",
        "--predictions",
        "a.json",
    ),
    "classes": ("score", "classification", "--predictions", "X", "--labels", "a.json"),
    "labels": ("score", "classification", "--predictions", "a.json", "--labels", "X"),
    "similarities": ("score", "retrieval", "--similarity", "X.npy"),
    "columns": ("score", "retrieval", "--similarity", "sim.npy", "--ids", "X"),
    "videos": ("score", "retrieval", "--similarity", "sim.npy", "--video-of", "X"),
    "run": ("score", "retrieval", "--run", "X", "--qrels", "a.json"),
}


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused_and_not_waited_for(bench_command: Any, reader: str, kind: str) -> None:
    folder = bench_command.folder
    (folder / "a.json").write_text('{"v0": "run"}')
    np.save(folder / "sim.npy", np.eye(2))
    name = next(word for word in READERS[reader] if word.startswith("X"))
    if kind == "pipe":
        os.mkfifo(folder / name)
    elif kind == "folder":
        (folder / name).mkdir()
    elif kind == "device":
        (folder / name).symlink_to("/dev/zero")
    else:
        before = Path.cwd()
        os.chdir(folder)  # the name of a socket must be short
        with socket.socket(socket.AF_UNIX) as endless:
            endless.bind(name)
        os.chdir(before)
    said = one_line(bench_command(*READERS[reader], exit_code=4))
    assert name in said


@pytest.mark.parametrize("reader", ["npz", "hdf5", "safetensors", "npy-folder", "activitynet", "bench.yaml"])
def test_a_pipe_in_place_of_data_is_refused(bench_command: Any, reader: str) -> None:
    folder = bench_command.folder
    npy_folder(folder)
    where = {"npy-folder": "npy/v0.npy", "activitynet": "captions.json", "bench.yaml": "named.yaml"}.get(reader, "rows")
    if reader in ("npz", "hdf5", "safetensors"):
        declare(folder, reader, "rows")
    (folder / where).unlink(missing_ok=True)
    os.mkfifo(folder / where)
    command = ("list", "datasets", "-C", "named.yaml") if reader == "bench.yaml" else ("data", "verify", "mine")
    said = one_line(bench_command(*command, exit_code=2 if reader == "bench.yaml" else 4))
    assert "is a named pipe, not a file" in said


def torch_file(rows: dict[str, np.ndarray]) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save({video: torch.from_numpy(own) for video, own in rows.items()}, file)
    return file.getvalue()


TAR = b"rows/".ljust(257, b"\x00") + b"ustar\x0000" + bytes(300)
FOREIGN = {
    "an npz file": npz(a=np.ones(3)),
    "a gzip file": gzip.compress(b"x" * 100, mtime=0),
    "a Parquet table": b"PAR1" + bytes(100),
    "an LMDB database": bytes(16) + b"\xde\xc0\xef\xbe" + bytes(100),
    "a tar archive": TAR,
    "a safetensors file": save({"v0": np.ones((3, 4), np.float32)}),
    "a pickle": b"\x80\x04}\x94.",
    "a web page (HTML)": b"<!DOCTYPE html>\n<html></html>",
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "JSON": b'{"v0": [[1, 2]]}',
}


@pytest.mark.parametrize("found", FOREIGN)
def test_a_whole_file_of_another_form_is_named(bench_command: Any, found: str) -> None:
    (bench_command.folder / "rows").write_bytes(FOREIGN[found])
    declare(bench_command.folder, "hdf5", "rows")
    said = one_line(bench_command("data", "verify", "mine", exit_code=4))
    assert f"rows is {found}" in said
    assert "not an HDF5 file" in said
    assert "Download or write it again" not in said


@pytest.mark.parametrize("reader", ["captions", "references", "classes", "labels", "columns", "videos", "run"])
def test_a_pickle_in_place_of_text_is_not_advised_to_become_an_array(bench_command: Any, reader: str) -> None:
    folder = bench_command.folder
    (folder / "a.json").write_text('{"v0": "run"}')
    np.save(folder / "sim.npy", np.eye(2))
    (folder / "X").write_bytes(b"\x80\x04\x95\xff\xfe.")
    said = one_line(bench_command(*READERS[reader], exit_code=4))
    assert "X is a pickle" in said
    assert "bench opens no pickle, which could run any code. " in said
    advice = (
        "Where you trust it, and it holds id -> scores: " if reader == "classes" else "Write it in the form that is"
    )
    assert advice in said


LIKE = {
    (4,): 1,
    (1, 4): 1,
    (1, 1, 4): 1,
    (1, 4, 1, 1): 1,
    (1, 3, 4): 3,
    (3, 1, 4): 3,
    (3, 4, 1, 1): 3,
    (3, 1, 4, 1, 1): 3,
}


@pytest.mark.parametrize("reader", ["npy-folder", "hdf5", "safetensors", "npz"])
@pytest.mark.parametrize("shape", LIKE)
def test_axes_of_length_one_are_taken_off_by_every_reader(
    bench_command: Any, reader: str, shape: tuple[int, ...]
) -> None:
    folder, numbers = bench_command.folder, np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    if reader == "npy-folder":
        np.save(folder / "v0.npy", numbers)
    elif reader == "hdf5":
        with h5py.File(folder / "rows", "w") as file:
            file["v0"] = numbers
    elif reader == "safetensors":
        (folder / "rows").write_bytes(save({"v0": numbers}))
    else:
        (folder / "rows").write_bytes(npz(video_id=np.array(["v0"]), features=numbers[None]))
    source = open_features(FeatureDeclaration("f", reader, folder if reader == "npy-folder" else folder / "rows"))
    assert source.lengths(["v0"]).tolist() == [LIKE[shape]]
    np.testing.assert_array_equal(source.read("v0"), numbers.reshape(LIKE[shape], 4))


@pytest.mark.parametrize(
    ("shape", "says"), [((3, 1, 1), "3 could be rows"), ((2, 3, 4), "3 axes"), ((), "a single number")]
)
def test_a_shape_that_does_not_say_is_refused_with_what_to_do(bench_command: Any, shape: Any, says: str) -> None:
    npy_folder(bench_command.folder, shape)
    said = one_line(bench_command("data", "verify", "mine", exit_code=4))
    assert says in said
    assert "(rows, dimension)" in said
    assert "Extract" not in said


def test_features_under_other_names_show_an_id_of_either_side(bench_command: Any) -> None:
    npy_folder(bench_command.folder)
    for path in (bench_command.folder / "npy").iterdir():
        path.rename(path.with_name(f"v_{path.stem}.mp4.npy"))
    said = one_line(bench_command("data", "verify", "mine", exit_code=4))
    assert "have no features: v" in said
    assert "'v_v0.mp4'" in said


def test_a_folder_of_pickles_is_named(bench_command: Any) -> None:
    npy_folder(bench_command.folder)
    for path in (bench_command.folder / "npy").iterdir():
        path.rename(path.with_suffix(".pkl"))
    said = one_line(bench_command("data", "verify", "mine", exit_code=4))
    assert "the folder holds 4 of .pkl. bench opens no pickle" in said


def test_a_file_in_place_of_a_folder_is_named(bench_command: Any) -> None:
    declare(bench_command.folder, "npy-folder", "rows")
    (bench_command.folder / "rows").write_bytes(TAR)
    said = one_line(bench_command("data", "verify", "mine", exit_code=4))
    assert "rows is a tar archive, not a folder of <video id>.npy files" in said

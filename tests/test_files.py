"""Files are whole or absent, and equal content gives equal bytes."""

import hashlib
import os
import signal
import socket
import time

import numpy as np
import pytest

from bench.errors import InvalidData, SaveError
from bench.files import (
    digest,
    read_tensors,
    remove_leftovers,
    sha256,
    slug,
    write_atomically,
    write_json,
    write_tensors,
)


def test_tensors_and_values_come_back(tmp_path):
    path = tmp_path / "deep" / "file.safetensors"
    write_tensors(path, {"a": np.arange(6.0).reshape(2, 3)[:, ::2], "n": np.array(3)}, {"ids": ["x", "ü"]})

    arrays, values = read_tensors(path)

    assert arrays["a"].tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert values == {"ids": ["x", "ü"]}


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in ("one", "two"):
        write_tensors(tmp_path / name, {"b": np.ones(3), "a": np.zeros(2)}, {"z": 1, "a": {"y": 2, "x": 3}})

    assert sha256(tmp_path / "one") == sha256(tmp_path / "two")


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\xff" * 64])
def test_a_broken_tensor_file_is_one_line(tmp_path, content):
    path = tmp_path / "broken"
    path.write_bytes(content)

    with pytest.raises(InvalidData, match="not a whole file written by bench"):
        read_tensors(path)


def test_a_truncated_tensor_file_is_refused(tmp_path):
    path = tmp_path / "whole"
    write_tensors(path, {"a": np.ones(1000)}, {})
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(InvalidData, match="not a whole file"):
        read_tensors(path)


def test_a_missing_tensor_file_is_named(tmp_path):
    with pytest.raises(InvalidData, match="does not exist"):
        read_tensors(tmp_path / "nothing")


def test_a_record_is_never_overwritten(tmp_path):
    path = tmp_path / "record.json"
    write_json(path, {"a": 1}, overwrite=False)

    with pytest.raises(SaveError, match="never overwritten"):
        write_json(path, {"a": 2}, overwrite=False)

    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left on device"):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_made_is_a_save_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SaveError, match="cannot write"):
        write_atomically(tmp_path / "file" / "below", b"")


def test_advice_for_what_cannot_be_written_is_such_that_it_helps(tmp_path):
    with pytest.raises(SaveError, match="It is a folder: name a file in it"):
        write_atomically(tmp_path, b"content")
    write_atomically(tmp_path / "file", b"content")
    with pytest.raises(SaveError, match=r"file is a file: choose another folder"):
        write_atomically(tmp_path / "file" / "deeper" / "a", b"content")
    with pytest.raises(SaveError, match="Choose a shorter name"):
        write_atomically(tmp_path / ("a" * 300), b"content")


def test_nan_never_reaches_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file", {"a": float("nan")})


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [1.5]}) == digest({"b": [1.5], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("anet-retrieval:segments=uniform-4", "anet-retrieval-segments-uniform-4"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a" * 200, "a" * 80),
        ("a\x00b\nc", "a-b-c"),
    ],
)
def test_a_slug_is_a_safe_part_of_a_file_name(name, safe):
    assert slug(name) == safe


def part(folder, host, process, age=0.0):
    path = folder / f".model.{host}-{process}.abc_12.part"
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_what_killed_writers_left_is_removed_and_nothing_of_the_living(tmp_path):
    here = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    day = 25 * 3600.0
    dead = [part(tmp_path, here, gone), part(tmp_path, "01234567", 1, day), part(tmp_path, "older", "release", day)]
    living = [part(tmp_path, here, os.getpid(), day), part(tmp_path, here, 1, day), part(tmp_path, "01234567", 2)]
    (tmp_path / "other.part").write_bytes(b"")

    remove_leftovers(tmp_path)

    assert not any(path.exists() for path in dead)
    assert all(path.exists() for path in living)
    assert (tmp_path / "other.part").exists()


def test_a_writer_that_is_killed_leaves_what_is_removed_later(tmp_path):
    process = os.fork()
    if not process:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(tmp_path / "record.json", b"{}", overwrite=False)
    os.waitpid(process, 0)
    [left] = tmp_path.iterdir()

    remove_leftovers(tmp_path)

    assert not left.exists()
    assert not remove_leftovers(tmp_path / "nothing")

"""Word vectors in the forms that people exchange, and what is no such file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.api import InvalidData, MissingData, read_word_vectors
from bench.reading import word_vectors

WANTED = frozenset({"dog", "cat"})
CONFIG = (
    "version: 1\ndatasets: {anet: {reader: activitynet, root: sample, features: sample}}\nword_vectors: vectors.txt\n"
)


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "vectors.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "zebra 9 9\ndog 1 2\n. . . 3 3\ncat 0.5 -1e-1\ndog 7 7\n",
        gzip.compress(b"dog 1 2\ncat .5 -0.1\n", mtime=0),
        "3 2\ndog 1 2\nzebra 1 1\ncat 0.5 -0.1\n",  # word2vec, fastText
        "3 2 \ndog 1 2 \ncat 0.5 -0.1 \n",  # older fastText
        "\ufeffdog 1 2\r\ncat 0.5 -0.1\r\n",  # Windows
        "dog 1 2\ncat 0.5 -0.1",
        "dog 1 2\n\x85 3 4\n\u2028 5 6\ncat 0.5 -0.1\n",  # GloVe has words that other readers take for ends of lines
    ],
)
def test_every_form_gives_the_same(tmp_path: Path, content: str | bytes) -> None:
    found = read_word_vectors(written(tmp_path, content), WANTED, 2)
    assert found.keys() == WANTED
    np.testing.assert_array_equal([found["dog"], found["cat"]], np.array([[1, 2], [0.5, -0.1]], dtype=np.float32))
    assert found["dog"].dtype == np.float32


def test_a_whole_number_is_a_word_where_vectors_have_one_number(tmp_path: Path) -> None:
    assert read_word_vectors(written(tmp_path, "12 5\ndog 1\n"), {"12", "dog"}, 1)["12"].tolist() == [5.0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("dog 1 2 3\n", "line 1: a word and 3 numbers, expected 2. Use --set word_dim=3"),
        ("400000 3\ndog 1 2 3\n", "line 1: vectors of 3 numbers, expected 2. Use --set word_dim=3"),
        ("2 2\ndog 1 2 3\n", "line 2: a word and 3 numbers, expected 2. Use --set word_dim=3"),
        ("dog\t1\t2\n", "line 1: a word and 0 numbers, expected 2. Name a text file"),
        ("dog 1 2\ncat 1\n", "line 2: a word and 1 numbers, expected 2. Get the file again"),
        ("dog 1 2\n\n", "line 2: a word and 0 numbers"),
        ("dog 1 2\ncat 1 x\n", "line 2: 'x' is no finite number"),
        ("dog 1 2\ncat 1 nan\n", "line 2: 'nan' is no finite number"),
        ("dog 1 2\ncat 1 1e999\n", "line 2: '1e999' is no finite number"),
        ("dog 1 2\ncat 1 1e39\n", "line 2: a number beyond float32"),
        ("dog 1 2\ncat 1 1_0\n", "line 2: '1_0' is no finite number"),
        ("dog 1 2\ncat 1 \N{FULLWIDTH DIGIT ONE}\n", "is no finite number"),
        ("dog 1 " + "9" * 50_000 + "\n", "line 1: '9999"),
        ("", "is empty. Name a text file"),
        (b"2 2\ndog \x00\x00\x80?\x00\x00\xff@\n", "vectors.txt is not word vectors in UTF-8 text"),
        (gzip.compress(b"dog 1 2\n" * 100, mtime=0)[:-9], "is not word vectors in UTF-8 text"),
        (b"PK\x03\x04" + b"\xff" * 100, "is a zip archive, not word vectors in UTF-8 text. Unpack it"),
        (b"\x80\x04}\x94\xff.", "opens no pickle, which could run any code. Write it in the form that is expected"),
        (b"\x93NUMPY\xff" + b"\xff" * 100, "is a NumPy array"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(InvalidData) as error:
        read_word_vectors(written(tmp_path, content), WANTED, 2)
    assert says in str(error.value)
    assert len(str(error.value)) < 600 + len(str(tmp_path))


@pytest.mark.parametrize("name", ["LONGEST", "LARGEST"])
def test_a_line_or_a_file_without_end_is_not_read_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(word_vectors, name, 100)
    line = b"dog 1 2\n" if name == "LARGEST" else b"dog 1 2 "
    with pytest.raises(InvalidData, match="is longer than any of word vectors"):
        read_word_vectors(written(tmp_path, gzip.compress(line * 50, mtime=0)), WANTED, 2)


@pytest.mark.parametrize("kind", ["pipe", "folder", "nothing"])
def test_a_run_says_before_its_fit_that_there_is_no_such_file(bench_command: Any, kind: str) -> None:
    path = bench_command.folder / "vectors.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    (bench_command.folder / "bench.yaml").write_text(CONFIG)
    done = bench_command("run", "-m", "fse", "-t", "anet-retrieval", exit_code=4)
    assert "vectors.txt" in done.stderr.splitlines()[-1]
    assert "fitting" not in done.stderr
    assert kind != "nothing" or "Fix word_vectors in bench.yaml, or set it to null." in done.stderr


def test_a_damaged_file_stops_a_run_in_one_line_and_no_model_is_blamed(bench_command: Any) -> None:
    written(bench_command.folder, b"the 1 2\n\xff\xfe")
    (bench_command.folder / "bench.yaml").write_text(CONFIG)
    small = ("--limit", "8", "--set", "hidden=4", "--set", "word_dim=2")
    last = bench_command("run", "-m", "fse", "-t", "anet-retrieval", *small, exit_code=4).stderr.splitlines()[-1]
    assert last.startswith("InvalidData:")
    assert "vectors.txt is not word vectors in UTF-8 text" in last


def test_a_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="no such file"):
        read_word_vectors(tmp_path / "absent.txt", WANTED, 2)

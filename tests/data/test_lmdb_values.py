"""Features in LMDB databases: a file or a folder, values that np.save and np.savez wrote, and what is refused."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data.declared import FeatureDeclaration, FeatureSource
from bench.data.features.opening import open_features
from bench.errors import InvalidData

pytestmark = pytest.mark.extra("lmdb")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "files.md"
ROWS = {f"v_{i}": np.random.default_rng(i).standard_normal((2 + i, 512)).astype(np.float32) for i in range(5)}


def npy(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def database(path: Path, values: dict[str, bytes], *, folder: bool = False, gone: str = "") -> Path:
    import lmdb

    with lmdb.open(str(path), subdir=folder, map_size=1 << 22) as made:
        with made.begin(write=True) as writing:
            for key, value in values.items():
                writing.put(key.encode(), value)
        if gone:
            with made.begin(write=True) as writing:
                writing.delete(gone.encode())
    return path


def opened(path: Path) -> FeatureSource:
    return open_features(FeatureDeclaration("toy", "lmdb", path))


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("form", ["npy", "npz"])
def test_values_of_a_file_or_a_folder_are_read(form: str, folder: bool, tmp_path: Path) -> None:
    values = {v: npy(rows) if form == "npy" else npz(features=rows, times=rows[0]) for v, rows in ROWS.items()}
    source = opened(database(tmp_path / "rows", {**values, "__len__": b"5"}, folder=folder))
    assert list(source.ids()) == list(ROWS)
    assert source.lengths(list(ROWS)).tolist() == [2, 3, 4, 5, 6]
    assert source.missing(["v_9", "v_0"]) == ("v_9",)
    with ThreadPoolExecutor(4) as pool:  # a run reads ahead in a thread of its own
        for rows, read in zip([*ROWS.values()] * 9, pool.map(source.read, [*ROWS] * 9), strict=True):
            assert np.array_equal(read, rows)
    assert opened(tmp_path / "rows").identity(list(ROWS)) == source.identity(list(ROWS))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"\x80\x04].", "is a pickle, not npy or npz. bench opens no pickle"),
        (ROWS["v_0"].tobytes(), "is of no form that is known, not npy or npz. Write each array by np.save; docs"),
        (npy(ROWS["v_0"])[:-1], "shorter or longer than its header says"),
        (npz(a=ROWS["v_0"], b=ROWS["v_0"]), "holds a, b: which are features"),
        (b"", "not npy or npz"),
    ],
)
def test_values_of_another_form_are_refused(value: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=f"v_0'.*{says}"):
        opened(database(tmp_path / "rows", {"v_0": value}))


def test_a_database_that_lacks_pages_is_refused(tmp_path: Path) -> None:
    # the last pages were those of a value that is gone: nothing that is read lies in what is cut off
    path = database(tmp_path / "rows", {"v_0": npy(ROWS["v_0"]), "v_9": bytes(1 << 17)}, gone="v_9")
    assert list(opened(path).ids()) == ["v_0"]
    content = path.read_bytes()
    path.write_bytes(content[:-4096])
    with pytest.raises(InvalidData, match="is cut off: it has fewer than its"):
        opened(path)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **ROWS)
    with pytest.raises(InvalidData, match=r"is an npz file, not an LMDB database\. As features, `reader: npz`"):
        opened(tmp_path / "x.npz")


def test_the_lines_that_convert_raw_numbers_write_what_is_read(bench_command: Any) -> None:
    folder = bench_command.folder
    database(folder / "features.lmdb", {video_id: rows.tobytes() for video_id, rows in ROWS.items()})
    (lines,) = (
        block for block in re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S) if "lmdb" in block
    )
    subprocess.run([sys.executable, "-c", lines], cwd=folder, check=True)
    (folder / "c.json").write_text(json.dumps({video_id: ["a dog"] for video_id in ROWS}))
    (folder / "bench.yaml").write_text(
        "version: 1\ndatasets:\n  d: {reader: captions, root: ., features: f, captions: each, splits: {test: {file: "
        "c.json}}}\nfeatures:\n  f: {reader: npy-folder, path: features}\n"
    )
    assert "d: ok" in bench_command("data", "verify", "d").stdout

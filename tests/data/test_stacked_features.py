"""Features of all videos in one array with their ids, and files whose layout is told by what they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from bench.data.declared import FeatureDeclaration, FeatureSource
from bench.data.features.opening import open_features
from bench.errors import DataError, InvalidData, MissingData

IDS = ["v_a", "v_b", "v_c"]
STACK = np.random.default_rng(0).standard_normal((3, 4, 6)).astype(np.float32)
LENGTHS = [1, 4, 2]
ROWS = [rows[:length] for rows, length in zip(STACK, LENGTHS, strict=True)]


def opened(reader: str, path: Path) -> FeatureSource:
    return open_features(FeatureDeclaration("toy", reader, path))


def h5(path: Path, **values: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            file[name] = value
    return path


def npz(path: Path, **values: object) -> Path:
    np.savez(path, **values)
    return path


def npy(path: Path, ids: str, array: np.ndarray = STACK) -> Path:
    np.save(path, array)
    path.with_suffix(ids).write_text(
        {".txt": "\n".join(IDS), ".json": json.dumps(IDS)}.get(ids, "video_id\nv_a\nv_b\nv_c")
    )
    return path


WHOLE: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "npy and .txt": ("npy", lambda at: npy(at / "clip.npy", ".txt")),
    "npy and .json": ("npy", lambda at: npy(at / "clip.npy", ".json")),
    "npy and .csv": ("npy", lambda at: npy(at / "clip.npy", ".csv")),
    "hdf5, ids of any length": ("hdf5", lambda at: h5(at / "x.h5", features=STACK, ids=IDS)),
    "hdf5, ids of one length": ("hdf5", lambda at: h5(at / "x.h5", features=STACK, video_id=np.array(IDS, "S"))),
    "npz, ids as bytes": ("npz", lambda at: npz(at / "x.npz", features=STACK, ids=np.array(IDS, "S"))),
    "npz, named by ids": ("npz", lambda at: npz(at / "x.npz", **dict(zip(IDS, STACK, strict=True)))),
}


@pytest.mark.parametrize("form", list(WHOLE))
def test_all_videos_in_one_array(form: str, tmp_path: Path) -> None:
    reader, write = WHOLE[form]
    source = opened(reader, write(tmp_path))
    assert sorted(source.ids()) == IDS
    assert source.lengths(IDS).tolist() == [4, 4, 4]
    for video_id, rows in zip(IDS, STACK, strict=True):
        assert np.array_equal(source.read(video_id), rows)
    assert source.missing(["v_x", "v_a"]) == ("v_x",)


def test_an_array_of_one_row_a_video(tmp_path: Path) -> None:
    for reader, path in (
        ("npy", npy(tmp_path / "one.npy", ".txt", STACK[:, 0])),
        ("hdf5", h5(tmp_path / "one.h5", features=STACK[:, 0], ids=IDS)),
    ):
        source = opened(reader, path)
        assert source.lengths(IDS).tolist() == [1, 1, 1]
        assert np.array_equal(source.read("v_b"), STACK[1, :1])


def test_rows_of_all_videos_one_after_the_other_in_hdf5(tmp_path: Path) -> None:
    source = opened("hdf5", h5(tmp_path / "x.h5", features=np.concatenate(ROWS), ids=IDS, lengths=LENGTHS))
    assert source.lengths(IDS).tolist() == LENGTHS
    for video_id, rows in zip(IDS, ROWS, strict=True):
        assert np.array_equal(source.read(video_id), rows)


def test_a_group_of_each_video_in_hdf5(tmp_path: Path) -> None:
    groups = {
        f"{video_id}/{name}": rows for video_id, rows in zip(IDS, ROWS, strict=True) for name in ("features", "x")
    }
    alone = {f"{video_id}/clip": rows for video_id, rows in zip(IDS, ROWS, strict=True)}
    for number, values in enumerate((groups, alone, {**alone, "v_a/fps": 2.0})):
        source = opened("hdf5", h5(tmp_path / f"{number}.h5", **values))
        assert source.lengths(IDS).tolist() == LENGTHS
        assert np.array_equal(source.read("v_c"), ROWS[2])


def test_the_digest_follows_every_row(tmp_path: Path) -> None:
    digest = opened("npy", npy(tmp_path / "a.npy", ".txt")).identity(IDS).digest
    other = STACK.copy()
    other[1, 2, 3] += 1
    assert opened("npy", npy(tmp_path / "b.npy", ".json")).identity(IDS).digest == digest
    assert opened("npy", npy(tmp_path / "c.npy", ".txt", other)).identity(IDS).digest != digest


def written(path: Path, text: str) -> Path:
    np.save(path.with_suffix(".npy"), STACK)
    path.write_text(text)
    return path.with_suffix(".npy")


REFUSED: dict[str, tuple[str, Callable[[Path], Path], type[DataError], str]] = {
    "npz as npy": ("npy", lambda at: npz(at / "x.npz", a=1), InvalidData, "is an npz file, not an npy file"),
    "no ids": ("npy", lambda at: npy(at / "x.npy", ".tsv"), MissingData, r"Put the ids beside it.* x\.txt"),
    "fewer ids": ("npy", lambda at: written(at / "x.txt", "v_a\n"), InvalidData, "do not fit 1 id"),
    "ids twice": ("npy", lambda at: written(at / "x.txt", "v_a\nv_a\nv_b"), InvalidData, "1 id occurs more than once"),
    "no list": ("npy", lambda at: written(at / "x.json", "[[1], 2, {}]"), InvalidData, "x.json holds no list of video"),
    "npz reader": ("npz", lambda at: npy(at / "x.npy", ".txt"), InvalidData, r"a NumPy array \(npy\), not an npz file"),
    "two arrays": (
        "hdf5",
        lambda at: h5(at / "x.h5", **{"v_a/rgb": STACK[0], "v_a/flow": STACK[0]}),
        InvalidData,
        "'v_a' is a group of 'flow', 'rgb': which are the features",
    ),
    "two arrays in npz": (
        "npz-folder",
        lambda at: npz(at / "v_a.npz", rgb=STACK[0], flow=STACK[0]).parent,
        InvalidData,
        "v_a.npz holds flow, rgb: which are features",
    ),
    "never written": (
        "hdf5",
        lambda at: never_written(at / "x.h5"),
        InvalidData,
        "was made and never written",
    ),
    "another folder": (
        "npy-folder",
        lambda at: npz(at / "v_a.npz", features=STACK[0]).parent,
        MissingData,
        "holds 1 of .npz; reader: npz-folder reads them",
    ),
}


def never_written(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["ids"] = IDS
        file.create_dataset("features", shape=STACK.shape, dtype="f4")
    return path


@pytest.mark.parametrize("fault", list(REFUSED))
def test_what_does_not_say_whose_it_is_is_refused(fault: str, tmp_path: Path) -> None:
    reader, write, kind, says = REFUSED[fault]
    path = write(tmp_path)
    with pytest.raises(kind, match=says) as caught:
        opened(reader, path).lengths(["v_a"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", ["v_a.mp4", "a", "V_A", "v-a", "v_a.avi.npy", "video_a", "V_a.MP4"])
def test_ids_that_are_written_otherwise_stand_side_by_side(other: str, tmp_path: Path) -> None:
    source = opened("hdf5", h5(tmp_path / "x.h5", **{other: STACK[0], "zebra": STACK[1]}))
    with pytest.raises(
        MissingData, match=rf"1 seems to be there under another name: 'v_a' is '{other}' there"
    ) as caught:
        source.lengths(["v_a", "zebra"])
    assert "Rename" in str(caught.value)


def test_other_ids_are_named_by_the_nearest(tmp_path: Path) -> None:
    source = opened("hdf5", h5(tmp_path / "x.h5", apple=STACK[0], v_a_feat=STACK[1]))
    with pytest.raises(MissingData, match=r"\(there are some of 'v_a_feat': are the ids the same\?\)"):
        source.lengths(["v_a"])

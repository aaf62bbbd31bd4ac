"""Feature files in the official layouts, and every way in which such a file can be broken."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.numpy import save

from bench.data.declared import FeatureDeclaration, FeatureSource
from bench.data.features.opening import READERS, open_features
from bench.errors import ConfigError, DataError, InvalidData, MissingData

DIM = 6
IDS = ("v_a", "v_b", "v_c.")
ROWS = {
    video_id: np.random.default_rng(i).standard_normal((3 + 2 * i, DIM)).astype(np.float32)
    for i, video_id in enumerate(IDS)
}
Rows = dict[str, np.ndarray]


def write_c3d(folder: Path, rows: Rows) -> Path:
    path = folder / "c3d.hdf5"
    with h5py.File(path, "w") as file:
        for video_id, values in rows.items():
            file.create_dataset(f"{video_id}/c3d_features", data=values)
    return path


def write_didemo(folder: Path, rows: Rows) -> Path:
    path = folder / "didemo_incep_v3.h5"
    with h5py.File(path, "w") as file:
        for video_id, values in rows.items():
            file.create_dataset(f"{video_id}.npz", data=values)
    return path


def write_plain(folder: Path, rows: Rows) -> Path:
    path = folder / "features.h5"
    with h5py.File(path, "w") as file:
        for video_id, values in rows.items():
            file.create_dataset(video_id, data=values)
    return path


def write_icep(folder: Path, rows: Rows) -> Path:
    path = folder / "ICEP_V3_global_pool_skip_8_direct_resize"
    path.mkdir(exist_ok=True)
    for video_id, values in rows.items():
        shaped = values.reshape(len(values), 1, values.shape[1], 1, 1) if values.ndim == 2 else values
        np.savez(path / f"{video_id}.npz", frame_scores=shaped)
    return path


def write_npy(folder: Path, rows: Rows) -> Path:
    path = folder / "frames"
    path.mkdir(exist_ok=True)
    for video_id, values in rows.items():
        np.save(path / f"{video_id}.npy", values)
    return path


def write_npz(folder: Path, rows: Rows) -> Path:
    path = folder / "all.npz"
    lengths = np.array([len(values) for values in rows.values()])
    np.savez(path, ids=np.array(list(rows)), features=np.concatenate(list(rows.values())), lengths=lengths)
    return path


def write_npz_folder(folder: Path, rows: Rows) -> Path:
    path = folder / "clips"
    path.mkdir(exist_ok=True)
    for video_id, values in rows.items():
        np.savez(path / f"{video_id}.npz", features=values, times=np.arange(3))
    return path


def write_tensors(folder: Path, rows: Rows) -> Path:
    path = folder / "rows.safetensors"
    path.write_bytes(save({video_id: np.ascontiguousarray(values) for video_id, values in rows.items()}))
    return path


def write_tensors_folder(folder: Path, rows: Rows) -> Path:
    path = folder / "tensors"
    path.mkdir(exist_ok=True)
    for video_id, values in rows.items():
        (path / f"{video_id}.safetensors").write_bytes(save({"features": np.ascontiguousarray(values)}))
    return path


def write_torch(folder: Path, rows: Rows) -> Path:
    path = folder / "rows.pt"
    torch.save({video_id: torch.tensor(values) for video_id, values in rows.items()}, path)
    return path


def write_torch_folder(folder: Path, rows: Rows) -> Path:
    path = folder / "saved"
    path.mkdir(exist_ok=True)
    for video_id, values in rows.items():
        torch.save(torch.tensor(values), path / f"{video_id}.pt")
    return path


WRITERS: dict[str, Callable[[Path, Rows], Path]] = {
    "c3d-hdf5": write_c3d,
    "didemo-icep-hdf5": write_didemo,
    "hdf5": write_plain,
    "icep-npz": write_icep,
    "npy-folder": write_npy,
    "npz": write_npz,
    "npz-folder": write_npz_folder,
    "safetensors": write_tensors,
    "safetensors-folder": write_tensors_folder,
    "torch": write_torch,
    "torch-folder": write_torch_folder,
}
layouts = pytest.mark.parametrize("layout", list(WRITERS))


def opened(layout: str, path: Path, dim: int | None = None) -> FeatureSource:
    return open_features(FeatureDeclaration("toy", layout, path, extractor="TOY", stride="8 frames", dim=dim))


def written(layout: str, folder: Path, rows: Rows | None = None) -> FeatureSource:
    return opened(layout, WRITERS[layout](folder, ROWS if rows is None else rows))


def read_all(layout: str, path: Path) -> None:
    source = opened(layout, path)
    source.lengths(IDS)
    for video_id in IDS:
        source.read(video_id)


def refused(path: Path, layout: str, says: str, kind: type[DataError] = InvalidData) -> None:
    """Opens features and reads all videos; expects one line that names what is wrong."""
    with pytest.raises(kind, match=says) as caught:
        read_all(layout, path)
    assert "\n" not in str(caught.value)


def test_every_file_layout_is_tried_here():
    assert set(WRITERS) == set(READERS) - {"pack", "npy", "webdataset", "lmdb"}  # which have tests of their own


@layouts
def test_a_layout_gives_back_the_rows_written_in_it(layout, tmp_path):
    source = written(layout, tmp_path)
    assert (source.dim, source.kind) == (DIM, "real")
    assert source.lengths(IDS[::-1]).tolist() == [7, 5, 3]
    for video_id in IDS:
        assert np.array_equal(source.read(video_id), ROWS[video_id])


@layouts
def test_a_video_of_one_row_keeps_both_its_dimensions(layout, tmp_path):
    source = written(layout, tmp_path, {"v_a": ROWS["v_a"][:1]})
    assert source.read("v_a").shape == (1, DIM)


@layouts
@pytest.mark.parametrize(("stored", "read"), [("float16", "float16"), ("float64", "float32")])
def test_numbers_are_read_as_half_or_single_precision(layout, stored, read, tmp_path):
    source = written(layout, tmp_path, {video_id: rows.astype(stored) for video_id, rows in ROWS.items()})
    rows = source.read("v_b")
    assert rows.dtype == read
    assert np.array_equal(rows, ROWS["v_b"].astype(stored).astype(read))


def test_one_npz_may_hold_equally_long_videos(tmp_path):
    features = np.arange(3 * 4 * DIM, dtype=np.float16).reshape(3, 4, DIM)
    np.savez(tmp_path / "all.npz", video_id=np.array(IDS), features=features)
    source = opened("npz", tmp_path / "all.npz")
    assert source.lengths(IDS).tolist() == [4, 4, 4]
    assert np.array_equal(source.read("v_b"), features[1])


def test_the_real_msvd_features_are_read(shared):
    path = shared("data/msvd_vgg16/msvd_test50_vgg16_fc_20x4096.npz")
    ids = list(json.loads(shared("data/msvd_vgg16/msvd_test50_captions.json").read_text()))
    source = opened("npz", path)
    assert source.dim == 4096
    assert source.lengths(ids).tolist() == [20] * 50
    assert source.read(ids[0]).dtype == np.float16


@layouts
def test_the_identity_says_what_the_features_are(layout, tmp_path):
    identity = written(layout, tmp_path).identity(IDS)
    assert (identity.extractor, identity.dim, identity.stride, identity.kind) == ("TOY", DIM, "8 frames", "real")
    assert len(identity.digest) == 64


@layouts
def test_the_digest_is_the_same_for_the_same_videos_in_any_order(layout, tmp_path):
    path = WRITERS[layout](tmp_path, ROWS)
    assert opened(layout, path).identity(IDS).digest == opened(layout, path).identity(IDS[::-1]).digest


@layouts
@pytest.mark.parametrize("change", ["first", "middle", "last", "length", "type", "fewer"])
def test_the_digest_changes_with_the_features(layout, change, tmp_path):
    before = written(layout, tmp_path).identity(IDS).digest
    other = tmp_path / "other"
    other.mkdir()
    rows = {video_id: values.copy() for video_id, values in ROWS.items()}
    if change in {"first", "middle", "last"}:
        rows["v_b"][{"first": 0, "middle": 2, "last": -1}[change], 0] += 1
    elif change == "length":
        rows["v_b"] = rows["v_b"][[0, 1, 2, 4]]
    elif change == "type":
        rows = {video_id: values.astype(np.float64) for video_id, values in rows.items()}
    after = written(layout, other, rows)
    assert after.identity(IDS[:2] if change == "fewer" else IDS).digest != before


@layouts
def test_a_missing_path_is_named(layout, tmp_path):
    refused(tmp_path / "nowhere", layout, "nowhere: no such (file|folder)", MissingData)


@layouts
def test_videos_without_features_are_counted_and_named(layout, tmp_path):
    source = written(layout, tmp_path)
    with pytest.raises(MissingData, match=r"3 of 4 videos have no features: v_x, v_y, v_z"):
        source.lengths(["v_x", "v_a", "v_y", "v_z"])
    with pytest.raises(MissingData, match="v_x"):
        source.read("v_x")
    assert tuple(source.missing(["v_x", "v_a", "v_y"])) == ("v_x", "v_y")


@layouts
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_name_their_video(layout, value, tmp_path):
    rows = {video_id: values.copy() for video_id, values in ROWS.items()}
    rows["v_b"][1, 1] = value
    refused(WRITERS[layout](tmp_path, rows), layout, "'v_b' holds NaN or infinity")


@layouts
def test_numbers_too_large_for_single_precision_count_as_infinite(layout, tmp_path):
    rows = {video_id: np.full((2, DIM), 1e300) for video_id in IDS}
    refused(WRITERS[layout](tmp_path, rows), layout, "'v_a' holds NaN or infinity")


@pytest.mark.parametrize("layout", [name for name in WRITERS if name != "npz"])
def test_a_video_of_another_dimension_is_named(layout, tmp_path):
    rows = {**ROWS, "v_b": np.ones((4, DIM + 1), np.float32)}
    refused(WRITERS[layout](tmp_path, rows), layout, f"'v_b' has dimension {DIM + 1}, expected {DIM}")


@layouts
def test_a_declared_dimension_must_be_the_one_in_the_file(layout, tmp_path):
    source = opened(layout, WRITERS[layout](tmp_path, ROWS), dim=500)
    with pytest.raises(InvalidData, match=f"'v_a' has dimension {DIM}, expected 500"):
        source.lengths(IDS)


@layouts
def test_a_video_without_rows_is_named(layout, tmp_path):
    rows = {**ROWS, "v_b": np.ones((0, DIM), np.float32)}
    refused(WRITERS[layout](tmp_path, rows), layout, "'v_b' has no rows")


@layouts
def test_whole_numbers_are_no_features(layout, tmp_path):
    rows = {video_id: np.ones((3, DIM), np.int32) for video_id in IDS}
    refused(WRITERS[layout](tmp_path, rows), layout, "holds int32, not floating-point")


@pytest.mark.parametrize("layout", [name for name in WRITERS if name != "npz"])
def test_an_array_of_another_shape_is_refused(layout, tmp_path):
    rows = {video_id: np.ones((3, DIM, 2), np.float32) for video_id in IDS}
    refused(WRITERS[layout](tmp_path, rows), layout, r"has shape \(3, 6, 2\), expected \(rows")


@pytest.mark.parametrize("layout", list(WRITERS))
@pytest.mark.parametrize("content", [b"", b"nonsense that is no such file at all", None])
def test_an_empty_foreign_or_truncated_file_is_named(layout, content, tmp_path):
    rows = {video_id: np.ones((200, DIM), np.float32) for video_id in IDS}
    path = WRITERS[layout](tmp_path, rows)
    broken = sorted(path.iterdir())[0] if path.is_dir() else path
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2] if content is None else content)
    refused(
        path, layout, rf"{broken.name}.* is (not a whole (HDF5|NumPy|safetensors|PyTorch) file|plain text, not an?)"
    )


@pytest.mark.parametrize("layout", ["icep-npz", "npz", "npz-folder"])
def test_a_flipped_bit_in_an_npz_is_noticed(layout, tmp_path):
    path = WRITERS[layout](tmp_path, {video_id: np.ones((200, DIM), np.float32) for video_id in IDS})
    broken = sorted(path.iterdir())[0] if path.is_dir() else path
    content = bytearray(broken.read_bytes())
    at = content.index(np.ones(DIM, np.float32).tobytes()) + 64
    content[at] ^= 1
    broken.write_bytes(bytes(content))
    refused(path, layout, r"is not a whole NumPy file \(Bad CRC-32")


def pickled(value: int) -> np.ndarray:
    return np.array([{"a": value}], dtype=object)


def test_pickled_arrays_are_never_loaded(tmp_path):
    path = write_npy(tmp_path, ROWS)
    np.save(path / "v_b.npy", pickled(1), allow_pickle=True)
    refused(path, "npy-folder", r"v_b\.npy is not a whole NumPy file")
    path = write_icep(tmp_path, ROWS)
    np.savez(path / "v_b.npz", frame_scores=pickled(1))
    refused(
        path,
        "icep-npz",
        r"v_b\.npz is not a whole NumPy file \(it holds pickled objects; where you trust it, open it by np",
    )
    np.savez(tmp_path / "all.npz", ids=pickled(1), features=np.ones((1, 2, DIM), np.float32))
    refused(tmp_path / "all.npz", "npz", r"it holds pickled objects")


def test_a_header_that_promises_more_than_the_file_holds_allocates_nothing(tmp_path):
    path = write_icep(tmp_path, ROWS)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1, 2048, 1, 1)}\n"
    with zipfile.ZipFile(path / "v_b.npz", "w") as archive:
        archive.writestr(
            "frame_scores.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
        )
    refused(path, "icep-npz", "frame_scores is shorter or longer than its header says")


def test_an_npz_without_the_array_says_what_it_holds(tmp_path):
    path = write_icep(tmp_path, ROWS)
    np.savez(path / "v_b.npz", scores=ROWS["v_b"])
    refused(path, "icep-npz", r"v_b\.npz holds scores, not 'frame_scores'")


@pytest.mark.parametrize("number", [0x110000, 0xD800])
@pytest.mark.parametrize("order", "<>")
def test_ids_with_numbers_that_are_no_characters_are_refused(number, order, tmp_path):
    ids = np.array([ord("a"), number], dtype=f"{order}u4").view(f"{order}U1")
    np.savez(tmp_path / "all.npz", ids=ids, features=np.ones((2, 3, DIM)))
    refused(tmp_path / "all.npz", "npz", "numbers that are no characters of Unicode")


def test_a_group_without_the_dataset_is_another_layout(tmp_path):
    path = write_c3d(tmp_path, ROWS)
    with h5py.File(path, "a") as file:
        del file["v_b/c3d_features"]
        file["v_b/other"] = ROWS["v_b"]
    refused(path, "c3d-hdf5", "'v_b' holds no 'c3d_features'")


@pytest.mark.parametrize(("layout", "write"), [("c3d-hdf5", write_c3d), ("hdf5", write_plain)])
def test_a_name_that_is_no_utf8_is_no_video(layout, write, tmp_path):
    path = write(tmp_path, ROWS)
    with h5py.File(path, "a") as file:
        file.create_group(b"caf\xe9")

    assert sorted(opened(layout, path).ids()) == sorted(ROWS)


def test_an_array_whose_name_is_no_utf8_is_told_among_others(tmp_path):
    path = tmp_path / "features.h5"
    with h5py.File(path, "w") as file:
        file["v_1/fc7"] = file["v_1/pool5"] = np.ones((2, 3), dtype=np.float32)
        file["v_1"].create_group(b"caf\xe9")

    refused(path, "hdf5", "which are the features of a video")


def test_an_hdf5_of_the_other_layout_is_refused(tmp_path):
    refused(write_didemo(tmp_path, ROWS), "c3d-hdf5", "has another layout|no features in the layout", DataError)
    refused(write_c3d(tmp_path, ROWS), "didemo-icep-hdf5", "no features in the layout", MissingData)


def test_a_plain_hdf5_may_hold_one_row_for_each_video(tmp_path):
    path = write_plain(tmp_path, {video_id: rows[0] for video_id, rows in ROWS.items()})
    source = opened("hdf5", path)
    assert source.lengths(IDS).tolist() == [1, 1, 1]
    for video_id in IDS:
        assert np.array_equal(source.read(video_id), ROWS[video_id][:1])
    (tmp_path / "other").mkdir()
    other = write_plain(tmp_path / "other", {video_id: rows[0] + 1 for video_id, rows in ROWS.items()})
    assert opened("hdf5", other).identity(IDS).digest != source.identity(IDS).digest


def test_a_group_where_a_dataset_should_be_is_another_layout(tmp_path):
    path = write_didemo(tmp_path, ROWS)
    with h5py.File(path, "a") as file:
        del file["v_b.npz"]
        file["v_b.npz/deeper"] = ROWS["v_b"]
    refused(path, "didemo-icep-hdf5", r"'v_b\.npz' is a group, not a dataset")


@pytest.mark.parametrize("layout", list(WRITERS))
def test_no_features_at_all_are_missing_data(layout, tmp_path):
    if layout == "npz":
        path = tmp_path / "all.npz"
        np.savez(path, ids=np.array([], dtype="U4"), features=np.zeros((0, 2, DIM), np.float32))
    else:
        path = WRITERS[layout](tmp_path, {})
    refused(path, layout, f"no features in the layout {layout!r}", MissingData)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"features": np.ones((2, 3, DIM))}, "holds features, expected `video_id`"),
        ({"ids": np.array(["a", "b"])}, "holds ids, expected `video_id`"),
        ({"ids": np.array([1, 2]), "features": np.ones((2, 3, DIM))}, r"ids are int64 of shape \(2,\), expected"),
        ({"ids": np.array(["a"]), "features": np.ones((2, 3, DIM))}, "do not fit 1 id:"),
        ({"ids": np.array(["a", "b"]), "features": np.ones((6, DIM))}, "do not fit 2 ids"),
        ({"ids": np.array(["a", "a"]), "features": np.ones((2, 3, DIM))}, "1 id occurs more than once"),
        (
            {"ids": np.array(["a", "b"]), "features": np.ones((6, DIM)), "lengths": np.array([3, 4])},
            r"lengths of shape \(2,\) do not fit",
        ),
        (
            {"ids": np.array(["a", "b"]), "features": np.ones((6, DIM)), "lengths": np.array([7, -1])},
            "do not fit 2 ids",
        ),
        (
            {"ids": np.array(["a", "b"]), "features": np.ones((6, DIM)), "lengths": np.array([3.0, 3.0])},
            "do not fit 2 ids",
        ),
    ],
)
def test_arrays_of_one_npz_that_do_not_fit_together_are_refused(arrays, says, tmp_path):
    np.savez(tmp_path / "all.npz", **arrays)
    refused(tmp_path / "all.npz", "npz", says)


@layouts
@pytest.mark.parametrize("video_id", ["../v_a", "/etc/passwd", "a/b", "a\0", ".", ""])
def test_unsafe_ids_never_reach_a_path(layout, video_id, tmp_path):
    source = written(layout, tmp_path)
    with pytest.raises(InvalidData, match="ids become file names"):
        source.lengths([video_id])
    with pytest.raises(InvalidData, match="ids become file names"):
        source.read(video_id)


def test_an_unknown_reader_names_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"features\.toy\.reader: 'csv' is unknown. Known: c3d-hdf5, "):
        opened("csv", tmp_path)


def test_features_without_a_path_are_a_configuration_error():
    with pytest.raises(ConfigError, match=r"features\.toy: no `path`"):
        open_features(FeatureDeclaration("toy", "npy-folder"))

"""Every layout of features that bench reads itself, from a small file of each; what is close to one is told how."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from bench.data.declared import FeatureDeclaration, FeatureSource
from bench.data.features.opening import ONE_FILE, READERS, open_features
from bench.errors import DataError, InvalidData, MissingData

IDS = ["v_a", "v_b", "v_c"]
ROWS = {
    video_id: np.random.default_rng(i).standard_normal((2 + i, 4)).astype(np.float32) for i, video_id in enumerate(IDS)
}
STACK = np.stack([rows[:2] for rows in ROWS.values()])
TENSORS = {video_id: torch.tensor(rows) for video_id, rows in ROWS.items()}
LENGTHS = [2, 3, 4]
Write = Callable[[Path], Path]


def opened(reader: str, path: Path) -> FeatureSource:
    return open_features(FeatureDeclaration("toy", reader, path))


def h5(path: Path, **arrays: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path


def folder(at: Path, ending: str, write: Callable[[Path, np.ndarray], object]) -> Path:
    (at / "rows").mkdir()
    for video_id, rows in ROWS.items():
        write(at / "rows" / f"{video_id}{ending}", rows)
    return at / "rows"


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def with_ids(path: Path, ids: str = "\n".join(IDS)) -> Path:
    path.with_suffix(".txt").write_text(ids)
    return path


def saved(path: Path, value: Any, **how: Any) -> Path:
    torch.save(value, path, **how)
    return path


def npy_bytes(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def npz_bytes(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def tar(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def shards(at: Path, *held: Mapping[str, bytes]) -> Path:
    for i, members in enumerate(held, 1):
        tar(at / "shards" / f"{i}.tar", members)
    return at / "shards"


def tensors(path: Path, **held: np.ndarray) -> Path:
    save_file(held, path)
    return path


def packed(at: Path) -> Path:
    """Writes a pack by `bench data pack`."""
    folder(at, ".npy", np.save)
    (at / "c.json").write_text(json.dumps({video_id: ["a dog"] for video_id in IDS}))
    (at / "bench.yaml").write_text(
        "version: 1\ndatasets:\n  d: {reader: captions, root: ., features: f, captions: each, splits: {test: {file: "
        "c.json}}}\nfeatures:\n  f: {reader: npy-folder, path: rows}\n"
    )
    command = [sys.executable, "-m", "bench", "data", "pack", "d", "--output", "pack"]
    subprocess.run(command, cwd=at, check=True, capture_output=True)
    return at / "pack"


SHARDS = {f"{video_id}.npy": npy_bytes(rows) for video_id, rows in ROWS.items()}
LAYOUTS: dict[str, dict[str, Write]] = {
    "c3d-hdf5": {"groups": lambda at: h5(at / "x.h5", **{f"{v}/c3d_features": rows for v, rows in ROWS.items()})},
    "didemo-icep-hdf5": {"ids": lambda at: h5(at / "x.h5", **{f"{v}.npz": rows for v, rows in ROWS.items()})},
    "hdf5": {
        "ids": lambda at: h5(at / "x.h5", **ROWS),
        "groups": lambda at: h5(at / "x.h5", **{f"{v}/features": rows for v, rows in ROWS.items()}),
        "one array": lambda at: h5(at / "x.h5", features=STACK, ids=IDS),
    },
    "icep-npz": {"files": lambda at: folder(at, ".npz", lambda p, rows: np.savez(p, frame_scores=rows[:, None, :]))},
    "npy": {"ids beside": lambda at: with_ids(npy(at / "x.npy", STACK))},
    "npy-folder": {
        "files": lambda at: folder(at, ".npy", np.save),
        "axes of length 1": lambda at: folder(at, ".npy", lambda p, rows: np.save(p, rows[None, :, :, None])),
    },
    "npz": {
        "named by ids": lambda at: npz(at / "x.npz", **ROWS),
        "lengths": lambda at: npz(
            at / "x.npz", video_id=IDS, features=np.concatenate(list(ROWS.values())), lengths=LENGTHS
        ),
    },
    "npz-folder": {"any name": lambda at: folder(at, ".npz", lambda p, rows: np.savez(p, clip=rows))},
    "pack": {"pack": packed},
    "safetensors": {
        "named by ids": lambda at: tensors(at / "x.safetensors", **ROWS),
        "ids beside": lambda at: with_ids(tensors(at / "x.safetensors", features=STACK)),
        "lengths": lambda at: with_ids(
            tensors(at / "x.safetensors", features=np.concatenate([*ROWS.values()]), lengths=np.array(LENGTHS))
        ),
    },
    "safetensors-folder": {"files": lambda at: folder(at, ".safetensors", lambda p, rows: save_file({"x": rows}, p))},
    "torch": {
        "named by ids": lambda at: saved(at / "x.pt", TENSORS),
        "as before 1.6": lambda at: saved(at / "x.pt", TENSORS, _use_new_zipfile_serialization=False),
        "ids and lengths": lambda at: saved(
            at / "x.pt", {"ids": IDS, "features": torch.cat([*TENSORS.values()]), "lengths": torch.tensor(LENGTHS)}
        ),
        "ids beside": lambda at: with_ids(saved(at / "x.pt", torch.tensor(STACK))),
    },
    "torch-folder": {
        "tensors": lambda at: folder(at, ".pt", lambda p, rows: torch.save(torch.tensor(rows), p)),
        "features": lambda at: folder(
            at, ".pth", lambda p, rows: torch.save({"features": torch.tensor(rows), "fps": 25.0}, p)
        ),
    },
    "webdataset": {
        "a shard": lambda at: tar(at / "x.tar", {**SHARDS, "v_a.txt": b"a dog", "__meta__": b"x"}),
        "shards": lambda at: shards(at, *({f"clips/{name}": content} for name, content in SHARDS.items())),
        "several arrays": lambda at: tar(
            at / "x.tar",
            {
                f"{v}.{name}": content
                for v, rows in ROWS.items()
                for name, content in (("flow.npy", npy_bytes(rows * 0)), ("Features.NPZ", npz_bytes(clip=rows)))
            },
        ),
    },
}


def npy(path: Path, rows: np.ndarray) -> Path:
    np.save(path, rows)
    return path


@pytest.mark.parametrize(("reader", "form"), [(reader, form) for reader, forms in LAYOUTS.items() for form in forms])
def test_every_layout_is_read(reader: str, form: str, tmp_path: Path) -> None:
    source = opened(reader, LAYOUTS[reader][form](tmp_path))
    assert sorted(source.ids()) == IDS
    lengths = source.lengths(IDS).tolist()
    assert lengths in (LENGTHS, [2, 2, 2])
    for video_id, length in zip(IDS, lengths, strict=True):
        assert np.array_equal(source.read(video_id), ROWS[video_id][:length])
    assert source.missing(["v_x", "v_a"]) == ("v_x",)
    assert len(source.identity(IDS).digest) == 64


def test_all_layouts_are_tried_here_but_the_one_of_an_extra() -> None:
    assert set(READERS) - set(LAYOUTS) == {"lmdb"}


def test_layouts_are_listed_where_one_looks_for_them(bench_command: Any) -> None:
    said = bench_command("info", "features").stdout
    assert "provides: VideoEncoder" in said  # a model of the same name
    assert all(f"  {name}: {reader.summary}" in said for name, reader in READERS.items())
    assert json.loads(bench_command("info", "features", "--json").stdout)["layouts"] == json.loads(
        bench_command("features", "layouts", "--json").stdout
    )


@pytest.mark.parametrize("reader", ["safetensors", "torch"])
def test_bfloat16_is_read_as_float32(reader: str, tmp_path: Path) -> None:
    narrow = {video_id: tensor.bfloat16() for video_id, tensor in TENSORS.items()}
    path = tmp_path / "x"
    save_tensors(narrow, path) if reader == "safetensors" else torch.save(narrow, path)
    source = opened(reader, path)
    for video_id, tensor in narrow.items():
        rows = source.read(video_id)
        assert rows.dtype == np.float32
        assert np.array_equal(rows, tensor.float().numpy())


def test_ids_that_end_in_times_with_dots_are_whole_in_shards(tmp_path: Path) -> None:
    """webdataset takes two clips of one hour for one sample; `v_a.features.npy` stays an array of v_a."""
    clips = ["0001_A_Film_00.00.32.022-00.00.33.000", "0001_A_Film_00.51.02.000-00.51.04.500"]
    rows = {clip: np.full((2, 3), place, "f4") for place, clip in enumerate([*clips, "v_a"])}
    names = [f"{clips[0]}.npy", f"films/{clips[1]}.npy", "v_a.features.npy"]
    tar(tmp_path / "x.tar", {name: npy_bytes(own) for name, own in zip(names, rows.values(), strict=True)})
    source = open_features(FeatureDeclaration("f", "webdataset", tmp_path))
    assert list(source.ids()) == [*clips, "v_a"]
    for video_id, own in rows.items():
        assert np.array_equal(source.read(video_id), own)


@pytest.mark.parametrize("reader", ["safetensors", "torch", "webdataset"])
def test_a_file_that_changes_while_it_is_read_is_refused(reader: str, tmp_path: Path) -> None:
    form = next(iter(LAYOUTS[reader].values()))
    path = form(tmp_path)
    source = opened(reader, path)
    path.touch()
    with pytest.raises(InvalidData, match="was changed after it was opened"):
        source.identity(IDS)


def test_of_torch_nothing_but_tensors_is_opened(tmp_path: Path) -> None:
    class Touch:
        """Leaves a file where it is unpickled."""

        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "unpickled",)

    path = saved(tmp_path / "x.pt", {"v_a": TENSORS["v_a"], "more": Touch()})
    with pytest.raises(InvalidData, match="holds objects that are no tensors, which could run any code"):
        opened("torch", path)
    assert not (tmp_path / "unpickled").exists()


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


REFUSED: dict[str, tuple[str, Write, type[DataError], str]] = {
    "arrays in torch": ("torch", lambda at: saved(at / "x.pt", ROWS), InvalidData, "torch.from_numpy makes one"),
    "a list": ("torch", lambda at: saved(at / "x.pt", [*TENSORS.values()]), InvalidData, "holds a list, not tensors"),
    "dictionaries": ("torch", lambda at: saved(at / "x.pt", {"v_a": {"x": 1}}), InvalidData, "'v_a' is a dict, not a"),
    "sparse": (
        "torch",
        lambda at: saved(at / "x.pt", {"v_a": TENSORS["v_a"].to_sparse()}),
        InvalidData,
        r"no plain tensor of numbers. Write it by .to_dense",
    ),
    "repeated numbers": (
        "torch",
        lambda at: saved(at / "x.pt", {"v_a": torch.zeros(1).expand(9, 4)}),
        InvalidData,
        r"'v_a' repeats fewer numbers. Write all, by tensor.contiguous",
    ),
    "no ids beside torch": ("torch", lambda at: saved(at / "x.pt", torch.tensor(STACK)), MissingData, "Put the ids be"),
    "ids that are numbers": (
        "torch",
        lambda at: saved(at / "x.pt", {"ids": [1, 2, 3], "features": torch.tensor(STACK)}),
        InvalidData,
        "'ids' is no list of texts",
    ),
    "half of torch": (
        "torch",
        lambda at: cut(saved(at / "x.pt", TENSORS), 900),
        InvalidData,
        "no.* whole PyTorch file",
    ),
    "npz as torch": ("torch", lambda at: npz(at / "x.pt.npz", **ROWS), InvalidData, "an npz file, not a PyTorch file"),
    "torch as npz": ("npz", lambda at: saved(at / "x.pt", TENSORS), InvalidData, "`reader: torch` reads it"),
    "no ids beside safetensors": (
        "safetensors",
        lambda at: tensors(at / "x.safetensors", features=STACK),
        MissingData,
        "x.safetensors does not say whose its rows are",
    ),
    "safetensors of another type": (
        "safetensors",
        lambda at: (save_tensors({"v_a": torch.zeros(2, 2, dtype=torch.float8_e4m3fn)}, at / "x"), at / "x")[1],
        InvalidData,
        "'v_a' is F8_E4M3. Write it as float16",
    ),
    "several tensors": (
        "safetensors-folder",
        lambda at: folder(at, ".safetensors", lambda p, rows: save_file({"rgb": rows, "flow": rows}, p)),
        InvalidData,
        "v_a.safetensors holds flow, rgb: which are features",
    ),
    "half a shard": ("webdataset", lambda at: cut(tar(at / "x.tar", SHARDS), 1500), InvalidData, "x.tar is damaged or"),
    "a shard without its end": (
        "webdataset",
        lambda at: cut(tar(at / "x.tar", SHARDS), 2048),
        InvalidData,
        "x.tar is damaged or cut off at byte 2,048",
    ),
    "a video in two shards": (
        "webdataset",
        lambda at: shards(at, SHARDS, SHARDS),
        InvalidData,
        "v_a.npy is video 'v_a', as v_a.npy of 1.tar is. Leave one",
    ),
    "arrays that do not say": (
        "webdataset",
        lambda at: tar(at / "x.tar", {"v_a.rgb.npy": SHARDS["v_a.npy"], "v_a.flow.npy": SHARDS["v_a.npy"]}),
        InvalidData,
        "which are features. Name them <video id>.features.npy",
    ),
    "pickles in a shard": (
        "webdataset",
        lambda at: tar(at / "x.tar", {"v_a.pth": b"1", "v_b.pyd": b"1"}),
        InvalidData,
        "holds 2 pickles such as v_a.pth; bench opens no pickle",
    ),
    "a pickle called npy": (
        "webdataset",
        lambda at: tar(at / "x.tar", {"v_a.npy": b"\x80\x04]."}),
        InvalidData,
        "v_a.npy is a pickle, not npy or npz. bench opens no pickle",
    ),
    "objects in a shard": (
        "webdataset",
        lambda at: tar(at / "x.tar", {"v_a.npy": npy_bytes(np.array([None]))}),
        InvalidData,
        "v_a.npy is no whole npy or npz .it holds pickled objects",
    ),
    "half an npy in a shard": (
        "webdataset",
        lambda at: tar(at / "x.tar", {"v_a.npy": SHARDS["v_a.npy"][:-4]}),
        InvalidData,
        "shorter or longer than its header says",
    ),
    "no shards": ("webdataset", lambda at: at, MissingData, "holds no .tar"),
    "a gzip shard": (
        "webdataset",
        lambda at: text(at / "x.tar", b"\x1f\x8b\x08"),
        InvalidData,
        "a gzip file.*Unpack it",
    ),
    "whole numbers": (
        "npy-folder",
        lambda at: folder(at, ".npy", lambda p, rows: np.save(p, rows.astype(int))),
        InvalidData,
        r"holds int64, not floating-point numbers. Write array.astype",
    ),
}


def text(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("fault", list(REFUSED))
def test_what_cannot_be_read_is_refused_by_what_it_is(fault: str, tmp_path: Path) -> None:
    reader, write, kind, says = REFUSED[fault]
    path = write(tmp_path)
    with pytest.raises(kind, match=says) as caught:
        opened(reader, path).lengths(["v_a"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", sorted(ONE_FILE))
def test_a_folder_in_place_of_a_file_says_which_reader_reads_it(reader: str, tmp_path: Path) -> None:
    path = folder(tmp_path, ".safetensors", lambda p, rows: save_file({"x": rows}, p))
    with pytest.raises(InvalidData, match=f"reader: {reader} reads a file; .*reader: safetensors-folder reads them"):
        opened(reader, path)


CONVERTED: dict[str, tuple[Write, str]] = {
    "csv": (lambda at: text(at / "x.csv", csv_of({v: rows[:1] for v, rows in ROWS.items()})), "npz"),
    "json": (lambda at: text(at / "x.json", json.dumps({v: r.tolist() for v, r in ROWS.items()}).encode()), "npz"),
    "pickle": (lambda at: text(at / "x.pkl", pickle.dumps(ROWS)), "npz"),
    "matlab": (lambda at: matlab(at / "x.mat"), "npz"),
}


def csv_of(rows: Mapping[str, np.ndarray]) -> bytes:
    lines = [",".join([video_id, *map(repr, row.tolist())]) for video_id, own in rows.items() for row in own]
    return "\n".join(["video_id,f0,f1,f2,f3", *lines]).encode()


def matlab(path: Path) -> Path:
    from scipy.io import savemat

    savemat(path, ROWS)
    return path


@pytest.mark.parametrize("form", list(CONVERTED))
def test_the_advice_of_the_error_writes_what_is_read(form: str, tmp_path: Path) -> None:
    write, reader = CONVERTED[form]
    with pytest.raises(InvalidData) as caught:
        opened(reader, write(tmp_path))
    code = str(caught.value).partition(" npz by: ")[2] or str(caught.value).partition(" as npz: ")[2]
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    source = opened(reader, tmp_path / "x.npz")
    for video_id, rows in ROWS.items():
        assert np.array_equal(source.read(video_id), rows if form != "csv" else rows[:1])


@pytest.mark.parametrize("ending", [".csv", ".txt", ".pkl"])
def test_the_advice_for_a_folder_writes_what_is_read(ending: str, tmp_path: Path) -> None:
    write = {
        ".csv": lambda path, rows: np.savetxt(path, rows, delimiter=","),
        ".txt": np.savetxt,
        ".pkl": lambda path, rows: path.write_bytes(pickle.dumps(rows)),
    }[ending]
    path = folder(tmp_path, ending, write)
    with pytest.raises(MissingData, match=f"the folder holds 3 of {ending}") as caught:
        opened("npy-folder", path)
    code = str(caught.value).partition("npy-folder: ")[2].partition("). Check")[0]
    subprocess.run([sys.executable, "-c", code], cwd=path, check=True)
    source = opened("npy-folder", path)
    for video_id, rows in ROWS.items():
        assert np.allclose(source.read(video_id), rows)

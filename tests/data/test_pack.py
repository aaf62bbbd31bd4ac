"""Feature packs: equal to their source, checked at opening and at every first read, and what cannot be packed."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from bench.data.declared import FeatureDeclaration
from bench.data.features import growing, packing
from bench.data.features.opening import open_features
from bench.data.features.pack import PackedFeatures
from bench.data.features.pack_format import HEADER, INDEX, ROWS, Index
from bench.data.features.pack_sources import Contents, all_of
from bench.data.features.packing import PackWatcher, pack
from bench.errors import Interrupted, InvalidData, MissingData, SaveError
from bench.files import write_tensors
from bench.locks import held

N, DIM = 200, 6
IDS = [f"v{i:03d}" for i in range(N)]
WHOLE = {HEADER, INDEX, ROWS}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def rows_of(i: int) -> np.ndarray:
    return np.random.default_rng(i).standard_normal((1 + i % 17, DIM)).astype(np.float32)


def write_source(path: Path) -> FeatureDeclaration:
    with h5py.File(path, "w") as file:
        for i in reversed(range(N)):
            file.create_dataset(f"{IDS[i]}/c3d_features", data=rows_of(i))
    return FeatureDeclaration("toy", "c3d-hdf5", path, "C3D", "8 frames")


@pytest.fixture
def source(tmp_path: Path) -> FeatureDeclaration:
    return write_source(tmp_path / "c3d.hdf5")


def packed(declaration: FeatureDeclaration, folder: Path, dtype: str = "float32") -> PackedFeatures:
    pack(all_of(declaration), folder, dtype, PackWatcher())
    return opened(folder)


def opened(folder: Path) -> PackedFeatures:
    features = open_features(FeatureDeclaration("toy", "pack", folder))
    assert isinstance(features, PackedFeatures)
    return features


def test_a_float32_pack_equals_its_source(source, tmp_path):
    features = packed(source, tmp_path / "p")
    assert features.lengths(IDS).tolist() == [1 + i % 17 for i in range(N)]
    for i in (0, 1, 77, N - 1):
        assert features.read(IDS[i]).dtype == np.float32
        np.testing.assert_array_equal(features.read(IDS[i]), rows_of(i))


def test_a_float16_pack_equals_its_source_to_rounding(source, tmp_path):
    features = packed(source, tmp_path / "p", "float16")
    assert features.header.rows * DIM * 2 == (tmp_path / "p" / ROWS).stat().st_size
    for i in (3, 150):
        np.testing.assert_array_equal(features.read(IDS[i]), rows_of(i).astype(np.float16))
        np.testing.assert_allclose(features.read(IDS[i]), rows_of(i), rtol=2**-11)


def test_a_pack_says_what_its_features_are(source, tmp_path):
    features = packed(source, tmp_path / "p")
    identity = features.identity(IDS[:3])
    assert (identity.extractor, identity.dim, identity.stride, identity.kind) == ("C3D", DIM, "8 frames", "real")
    assert identity.digest == features.header.digest == features.identity(()).digest
    assert json.loads((tmp_path / "p" / HEADER).read_text())["source"] == "c3d.hdf5"


def test_reading_copies_nothing(source, tmp_path):
    rows = packed(source, tmp_path / "p").read(IDS[5])
    assert not rows.flags.writeable
    assert not rows.flags.owndata


def test_nothing_but_the_pack_is_left(source, tmp_path):
    packed(source, tmp_path / "p")
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == sorted([ROWS, INDEX, HEADER])
    assert not (tmp_path / "p.part").exists()


def test_the_digest_is_of_the_content(source, tmp_path):
    first = packed(source, tmp_path / "p").header.digest
    assert packed(source, tmp_path / "again").header.digest == first
    assert packed(source, tmp_path / "half", "float16").header.digest != first
    other = FeatureDeclaration("else", "c3d-hdf5", source.path, "I3D", "8 frames")
    assert packed(other, tmp_path / "other").header.digest != first


def test_a_pack_is_packed_again_as_float16(source, tmp_path):
    packed(source, tmp_path / "p")
    again = packed(FeatureDeclaration("toy", "pack", tmp_path / "p"), tmp_path / "half", "float16")
    assert again.header.digest == packed(source, tmp_path / "direct", "float16").header.digest


def test_videos_that_are_not_in_the_pack_are_named(source, tmp_path):
    features = packed(source, tmp_path / "p")
    assert features.missing(["v001", "x", "v002", "y"]) == ("x", "y")
    for ask in (features.lengths, features.identity):
        with pytest.raises(MissingData, match=r"1 of 2 videos has no features: x"):
            ask(["v001", "x"])
    with pytest.raises(MissingData, match="x"):
        features.read("x")


def test_a_flipped_byte_is_found_at_the_first_read_and_named(source, tmp_path):
    features = packed(source, tmp_path / "p")
    place = int(features.lengths(IDS[:60]).sum()) * DIM * 4 + 5
    with (tmp_path / "p" / ROWS).open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))
    features = opened(tmp_path / "p")
    features.read("v059")
    with pytest.raises(InvalidData, match="video 'v060' have changed"):
        features.read("v060")
    with pytest.raises(InvalidData, match="'v060'"):
        features.check_all(lambda done, total: None)


def truncated(folder):
    os.truncate(folder / ROWS, (folder / ROWS).stat().st_size - 1)


def another_version(folder):
    text = (folder / HEADER).read_text()
    (folder / HEADER).write_text(text.replace("bench-pack/1", "bench-pack/3"))


def version_of_extracted_features(folder):
    text = (folder / HEADER).read_text()
    (folder / HEADER).write_text(text.replace("bench-pack/1", "bench-pack/2"))


def made_real(folder):
    text = (folder / HEADER).read_text()
    (folder / HEADER).write_text(text.replace('"kind": "real"', '"kind": "simulated"'))


def unknown_field(folder):
    text = (folder / HEADER).read_text()
    (folder / HEADER).write_text(text.replace("{", '{"more": 1,', 1))


def foreign_extractor(folder):
    text = (folder / HEADER).read_text()
    (folder / HEADER).write_text(text.replace('"C3D"', '"C3D|x=y"'))


def no_index(folder):
    (folder / INDEX).unlink()


def half_an_index(folder):
    os.truncate(folder / INDEX, 1000)


def another_index(folder):
    index = Index.load(folder / INDEX)
    Index(index.ids, index.lengths, (*index.sha256[:-1], "0" * 64)).save(folder / INDEX)


def unsafe_ids(folder):
    index = Index.load(folder / INDEX)
    Index(("../../etc", *index.ids[1:]), index.lengths, index.sha256).save(folder / INDEX)


def ids_of_another_type(folder):
    index = Index.load(folder / INDEX)
    write_tensors(folder / INDEX, {"lengths": index.lengths}, {"kind": "pack-index", "ids": [1, 2]})


def broken_header(folder):
    (folder / HEADER).write_text("{")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (truncated, "bytes, expected"),
        (another_version, "bench-pack/3"),
        (version_of_extracted_features, "bench-pack/2 lacks 'made'"),
        (made_real, "do not belong together"),
        (unknown_field, "more"),
        (foreign_extractor, "extractor"),
        (no_index, INDEX),
        (half_an_index, INDEX),
        (another_index, "do not belong together"),
        (unsafe_ids, "../../etc"),
        (ids_of_another_type, "not the index of a pack"),
        (broken_header, HEADER),
    ],
)
def test_a_broken_pack_is_refused_on_opening(source, tmp_path, fault, says):
    packed(source, tmp_path / "p")
    fault(tmp_path / "p")
    with pytest.raises(InvalidData) as raised:
        opened(tmp_path / "p")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unfinished_pack_is_no_pack(source, tmp_path):
    (tmp_path / "p.part").mkdir()
    with pytest.raises(MissingData, match="unfinished"):
        opened(tmp_path / "p")


class After:
    """Asks to stop after a number of videos."""

    def __init__(self, videos: int) -> None:
        self.left = videos

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def stop_after(declaration: FeatureDeclaration, folder: Path, videos: int) -> None:
    with pytest.raises(Interrupted, match="The same command goes on"):
        pack(all_of(declaration), folder, "float32", PackWatcher(stop_requested=After(videos)))


@pytest.mark.parametrize("videos", [0, 1, 63, 64, 65, 150, N - 1])
def test_a_stopped_pack_goes_on_and_has_the_same_digest(source, tmp_path, videos):
    stop_after(source, tmp_path / "p", videos)
    assert not (tmp_path / "p").exists()
    lines: list[str] = []
    header = pack(all_of(source), tmp_path / "p", "float32", PackWatcher(say=lines.append))
    assert any(f"after {videos} packed" in line for line in lines) == (videos > 0)
    assert header.digest == packed(source, tmp_path / "undisturbed").header.digest
    opened(tmp_path / "p").check_all(lambda done, total: None)


def test_what_lies_beyond_the_journal_is_written_again(source, tmp_path):
    stop_after(source, tmp_path / "p", 100)
    with (tmp_path / "p.part" / ROWS).open("ab") as file:
        file.write(b"half a video")
    with (tmp_path / "p.part" / "journal").open("ab") as file:
        file.write(b"0123abc")
    header = pack(all_of(source), tmp_path / "p", "float32", PackWatcher())
    assert header.digest == packed(source, tmp_path / "undisturbed").header.digest
    opened(tmp_path / "p").check_all(lambda done, total: None)


def test_a_changed_last_video_is_not_gone_on_with(source, tmp_path):
    stop_after(source, tmp_path / "p", 100)
    rows = tmp_path / "p.part" / ROWS
    content = bytearray(rows.read_bytes())
    content[-1] ^= 1
    rows.write_bytes(content)
    with pytest.raises(InvalidData, match="damaged"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher())


def test_rows_shorter_than_the_journal_says_are_damaged(source, tmp_path):
    stop_after(source, tmp_path / "p", 100)
    os.truncate(tmp_path / "p.part" / ROWS, 50)
    with pytest.raises(InvalidData, match="damaged"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher())


def test_another_number_type_is_another_pack(source, tmp_path):
    stop_after(source, tmp_path / "p", 100)
    with pytest.raises(InvalidData, match="begun as float32, not float16"):
        pack(all_of(source), tmp_path / "p", "float16", PackWatcher())


def test_a_file_that_changes_before_packing_goes_on_is_noticed(source, tmp_path):
    stop_after(source, tmp_path / "p", 100)
    write_source(source.path)
    with pytest.raises(InvalidData, match="has changed since packing began"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher())


def test_a_file_that_changes_while_packing_is_noticed(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for i in range(5):
        np.save(folder / f"{IDS[i]}.npy", rows_of(i))

    def change(done: int, total: int) -> None:
        if done == total:
            np.save(folder / f"{IDS[0]}.npy", rows_of(0) + 1)

    with pytest.raises(InvalidData, match="has changed since packing began"):
        pack(
            all_of(FeatureDeclaration("toy", "npy-folder", folder, "toy")),
            tmp_path / "p",
            "float32",
            PackWatcher(progress=change),
        )
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_who_waits_for_another_packer_reuses_its_pack_where_it_is_the_same(source, tmp_path, dtype):
    begun, goes_on, lines = threading.Event(), threading.Event(), []

    def hold(done: int, total: int) -> None:
        if done == total:
            begun.set()
            assert goes_on.wait(60)

    def let_it_go_on() -> bool:
        goes_on.set()
        return False

    second = PackWatcher(say=lines.append, stop_requested=let_it_go_on)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(pack, all_of(source), tmp_path / "p", "float32", PackWatcher(progress=hold))
        assert begun.wait(60)
        if dtype == "float32":
            assert pack(all_of(source), tmp_path / "p", dtype, second) == first.result()
            assert lines[-1] == f"{tmp_path / 'p'}: completed by another process, reusing it"
        else:
            with pytest.raises(SaveError, match="never overwritten"):
                pack(all_of(source), tmp_path / "p", dtype, second)
    assert any(f"waiting for process {os.getpid()} on " in line for line in lines)
    assert names(tmp_path / "p") == WHOLE


def test_who_waits_for_another_packer_can_stop(source, tmp_path):
    with held(tmp_path / ".p.lock"), pytest.raises(Interrupted, match="while waiting"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher(stop_requested=lambda: True))


def test_a_packer_that_another_machine_took_over_from_writes_nothing_more_until_it_is_done(source, tmp_path):
    claim, lines = tmp_path / ".p.lock.99", []

    def take_over(done: int, total: int) -> None:
        if done > total // 2 and not any("took over" in line for line in lines):
            claim.write_text("4711\nnode7\nanother-machine\n99\ntoken\n")

    def say(line: str) -> None:
        lines.append(line)
        if "waiting for process 4711 on node7" in line:
            claim.rename(tmp_path / ".p.lock.100.free")

    pack(all_of(source), tmp_path / "p", "float32", PackWatcher(say=say, progress=take_over))

    assert [line for line in lines if "another process took over" in line]
    assert any("waiting for process 4711 on node7" in line for line in lines)
    assert names(tmp_path / "p") == WHOLE
    for i in range(N):
        np.testing.assert_array_equal(opened(tmp_path / "p").read(IDS[i]), rows_of(i))


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_a_pack_whose_process_was_killed_while_clearing_away_is_whole(source, tmp_path, monkeypatch, removed):
    def killed(output: Path) -> None:
        (output / "lock").touch()  # earlier versions had one
        for name in packing.UNFINISHED[:removed]:
            (output / name).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(packing, "_clear", killed)
        with pytest.raises(KeyboardInterrupt):
            packed(source, tmp_path / "p")
    header = pack(all_of(source), tmp_path / "p", "float32", PackWatcher())

    assert header.digest == packed(source, tmp_path / "undisturbed").header.digest
    assert names(tmp_path / "p") == WHOLE


def test_another_pack_does_not_take_the_place_of_one_that_was_not_cleared(source, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(packing, "_clear", lambda output: None)
        packed(source, tmp_path / "p")
    with pytest.raises(SaveError, match="never overwritten"):
        pack(all_of(source), tmp_path / "p", "float16", PackWatcher())
    assert names(tmp_path / "p") == WHOLE


def test_what_a_killed_packer_was_writing_is_removed(source, tmp_path):
    stop_after(source, tmp_path / "p", 100)
    left = tmp_path / "p.part" / ".index.safetensors.01234567-1.abc.part"
    left.touch()
    os.utime(left, (0, 0))
    packed(source, tmp_path / "p")
    assert names(tmp_path / "p") == WHOLE


def test_a_pack_is_never_overwritten(source, tmp_path):
    packed(source, tmp_path / "p")
    with pytest.raises(SaveError, match="never overwritten"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher())


@pytest.mark.parametrize("output", [".", "/", ".."])
def test_a_folder_that_is_there_is_no_place_for_a_pack(source, output):
    with pytest.raises(SaveError, match="never overwritten"):
        pack(all_of(source), Path(output), "float32", PackWatcher())


def test_a_source_that_is_gone_is_noticed_when_packing_ends(source, tmp_path):
    def remove(done: int, total: int) -> None:
        if done == total:
            source.path.unlink()

    with pytest.raises(InvalidData, match=r"c3d\.hdf5 cannot be looked at any more"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher(progress=remove))


def test_a_disk_too_small_is_noticed_before_anything_is_written(source, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 40_000))
    lines: list[str] = []
    with pytest.raises(SaveError, match=r"needs 42\.\d kB, of which .* more than"):
        pack(all_of(source), tmp_path / "p", "float32", PackWatcher(say=lines.append))
    assert "200 videos" in lines[0]
    assert not (tmp_path / "p.part").exists()


def test_a_disk_that_fills_up_leaves_what_is_packed(source, tmp_path, monkeypatch):
    written = []

    def full(descriptor: int, content: memoryview) -> None:
        written.append(len(content))
        if len(written) > 100:
            raise OSError(28, "No space left on device")
        os.write(descriptor, content)

    with monkeypatch.context() as patch:
        patch.setattr(growing, "write_all", full)
        with pytest.raises(SaveError, match=r"No space left on device.*same command goes on"):
            pack(all_of(source), tmp_path / "p", "float32", PackWatcher())
    header = pack(all_of(source), tmp_path / "p", "float32", PackWatcher())
    assert header.digest == packed(source, tmp_path / "undisturbed").header.digest


class Held:
    """Features in memory that are read unchecked."""

    kind = "real"
    dim = 3

    def __init__(self, value: float, ids: tuple[str, ...] = ("a", "b")) -> None:
        self._rows = {video_id: np.ones((4, 3), dtype=np.float32) for video_id in ids}
        self._rows[ids[-1]][2, 1] = value

    def lengths(self, ids):
        return np.array([len(self._rows[video_id]) for video_id in ids], dtype=np.int64)

    def read(self, video_id):
        return self._rows[video_id]

    def identity(self, ids):
        from bench.data.declared import FeatureIdentity

        return FeatureIdentity("toy", 3, "unknown", "0" * 64, "real")


@pytest.mark.parametrize(
    ("value", "dtype", "says"),
    [
        (70000.0, "float16", "holds 70000, and float16 ends at 65504"),
        (-65520.0, "float16", "holds -65520"),
        (float("nan"), "float16", "NaN"),
        (float("nan"), "float32", "NaN"),
        (float("-inf"), "float32", "infinity"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_with_the_video(tmp_path, value, dtype, says):
    with pytest.raises(InvalidData, match="video 'b'") as raised:
        pack(Contents("toy", Held(value), ("a", "b"), None), tmp_path / "p", dtype, PackWatcher())
    assert says in str(raised.value)


@pytest.mark.parametrize(("value", "dtype"), [(65519.0, "float16"), (70000.0, "float32")])
def test_numbers_that_just_fit_are_packed(tmp_path, value, dtype):
    pack(Contents("toy", Held(value), ("a", "b"), None), tmp_path / "p", dtype, PackWatcher())
    assert np.isfinite(opened(tmp_path / "p").read("b")).all()


def test_unsafe_ids_are_not_packed(tmp_path):
    with h5py.File(tmp_path / "c.hdf5", "w") as file:
        file.create_dataset("a b\\c/c3d_features", data=rows_of(0))
    with pytest.raises(InvalidData, match="video id"):
        packed(FeatureDeclaration("toy", "c3d-hdf5", tmp_path / "c.hdf5", "C3D"), tmp_path / "p")

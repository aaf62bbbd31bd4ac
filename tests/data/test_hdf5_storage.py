"""HDF5 answers with zeros, without an error, where nothing is stored: such features are refused by name."""

import h5py
import numpy as np
import pytest

from bench.data.declared import FeatureDeclaration
from bench.data.features.opening import open_features
from bench.errors import InvalidData

ROWS = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)


def virtual(file, parts):
    layout = h5py.VirtualLayout((8, 3), "f4")
    for place, source, name in parts:
        layout[place] = h5py.VirtualSource(source, name, shape=ROWS[place].shape)
    file.create_virtual_dataset("bad", layout)


def never_written(file):
    file.create_dataset("bad", (8, 3), "f4")


def never_written_in_chunks(file):
    file.create_dataset("bad", (8, 3), "f4", chunks=(2, 3), compression="gzip")


def written_in_part(file):
    file.create_dataset("bad", (8, 3), "f4", chunks=(2, 3))[:4] = ROWS[:4]


def source_is_not_there(file):
    virtual(file, [(slice(0, 4), "source.h5", "half"), (slice(4, 8), "gone.h5", "half")])


def source_is_named_otherwise(file):
    virtual(file, [(slice(0, 4), "source.h5", "half"), (slice(4, 8), "source.h5", "Half")])


def source_was_never_written(file):
    virtual(file, [(slice(0, 4), "source.h5", "half"), (slice(4, 8), "source.h5", "unwritten")])


def sources_cover_half(file):
    virtual(file, [(slice(0, 4), "source.h5", "half")])


def raw_file_is_too_short(file):
    file.create_dataset("bad", (8, 3), "f4", external=[("rows.raw", 0, ROWS.nbytes)])


def link_leads_nowhere(file):
    file["bad"] = h5py.ExternalLink("gone.h5", "/x")


SAYS = {
    never_written: "was made and never written",
    never_written_in_chunks: "was made and never written",
    written_in_part: "was written in part: 2 of 4 chunks",
    source_is_not_there: "its source gone.h5 is not there",
    source_is_named_otherwise: "its source 'Half' of source.h5 is not there",
    source_was_never_written: "was made and never written",
    sources_cover_half: "whose sources do not cover it",
    raw_file_is_too_short: "a raw file rows.raw that is too short",
    link_leads_nowhere: "'bad' is a link that leads nowhere",
}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Returns a function that makes features.h5 with the video `good`, beside its sources, and opens it elsewhere."""

    def write(make):
        with h5py.File(tmp_path / "source.h5", "w") as file:
            file["half"] = ROWS[:4]
            file["rest"] = ROWS[4:]
            file.create_dataset("unwritten", (4, 3), "f4")
        (tmp_path / "rows.raw").write_bytes(ROWS[:5].tobytes())
        monkeypatch.chdir(tmp_path)
        with h5py.File("features.h5", "w") as file:
            file["good"] = ROWS
            make(file)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        return open_features(FeatureDeclaration("toy", "hdf5", tmp_path / "features.h5", extractor="TOY", dim=3))

    return write


@pytest.mark.parametrize("make", list(SAYS), ids=lambda make: make.__name__)
def test_rows_that_are_not_stored_are_refused_by_name(written, make):
    source = written(make)
    with pytest.raises(InvalidData, match=SAYS[make]) as caught:
        source.identity(["good", "bad"])
    assert "bad" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidData, match=SAYS[make]):
        source.read("bad")
    assert np.array_equal(source.read("good"), ROWS)


def whole_virtual(file):
    virtual(file, [(slice(0, 4), "source.h5", "half"), (slice(4, 8), "source.h5", "rest")])


def chunked(file):
    file.create_dataset("bad", data=ROWS, chunks=(3, 2), compression="gzip")


def compact(file):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(ROWS.shape)
    h5py.Dataset(h5py.h5d.create(file.id, b"bad", h5py.h5t.IEEE_F32LE, space, plist))[...] = ROWS


def linked(file):
    file["bad"] = h5py.SoftLink("/good")


@pytest.mark.parametrize("make", [whole_virtual, chunked, compact, linked], ids=lambda make: make.__name__)
def test_rows_that_are_stored_in_another_way_are_read(written, make):
    source = written(make)
    assert np.array_equal(source.read("bad"), ROWS)
    assert source.identity(["bad"]).digest


def test_a_source_of_a_virtual_dataset_counts_as_a_file_of_the_features(written, tmp_path):
    before = written(whole_virtual).identity(["bad"]).digest
    with h5py.File(tmp_path / "source.h5", "r+") as file:
        file["rest"][1, 1] = 7
    again = open_features(FeatureDeclaration("toy", "hdf5", tmp_path / "features.h5", extractor="TOY"))
    assert again.identity(["bad"]).digest != before


def test_features_that_change_after_they_were_opened_are_refused(written, tmp_path):
    source = written(chunked)
    source.identity(["good"])
    (tmp_path / "features.h5").touch()
    with pytest.raises(InvalidData, match="was changed"):
        source.identity(["bad"])

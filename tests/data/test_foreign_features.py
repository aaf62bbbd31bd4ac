"""Features of a plugin's reader get a digest of all rows too, whatever digest the reader itself gives."""

import numpy as np
import pytest

from bench.data.declared import FeatureDeclaration, FeatureIdentity
from bench.data.features.opening import open_features
from bench.errors import InvalidData


class TextFeatures:
    """A folder of <video id>.txt; its own digest says nothing of the rows."""

    kind = "real"
    dim = 2

    def __init__(self, declaration, path):
        self.path = path

    def ids(self):
        return sorted(file.stem for file in self.path.glob("*.txt"))

    def missing(self, ids):
        return tuple(video_id for video_id in ids if video_id not in self.ids())

    def lengths(self, ids):
        return np.array([len(self.read(video_id)) for video_id in ids])

    def read(self, video_id):
        return np.loadtxt(self.path / f"{video_id}.txt", dtype=np.float32, ndmin=2)

    def identity(self, ids):
        return FeatureIdentity("TEXT", 2, "unknown", "0" * 64, "real")


class WholeNumbers(TextFeatures):
    """Breaks its promise: rows are no floating-point numbers."""

    def read(self, video_id):
        return super().read(video_id).astype(np.int64)


class MadeUp(TextFeatures):
    """Known by its recipe."""

    kind = "simulated"


def opened(folder, kind="TextFeatures"):
    return open_features(FeatureDeclaration("toy", "text", folder, loader=f"{__name__}:{kind}"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_text("1 2\n3 4\n5 6\n7 8\n")
    (tmp_path / "b.txt").write_text("0 0\n0 0\n")
    return tmp_path


def test_any_row_changes_the_digest(folder):
    before = opened(folder).identity(["a", "b"])
    assert before.digest == opened(folder).identity(["b", "a"]).digest != "0" * 64
    (folder / "a.txt").write_text("1 2\n3 5\n5 6\n7 8\n")
    after = opened(folder).identity(["a", "b"])
    assert after.digest != before.digest
    assert after.extractor == "TEXT"


def test_zeros_and_what_cannot_be_used_are_found(folder):
    assert [content.zero for content in opened(folder).examine(["a", "b"]).values()] == [False, True]
    (folder / "a.txt").write_text("1 2\n3 nan\n")
    with pytest.raises(InvalidData, match=r"1 of 2 videos holds NaN or infinity: a \(row 1\)"):
        opened(folder).identity(["a", "b"])


def test_a_reader_that_gives_something_else_is_told(folder):
    with pytest.raises(InvalidData, match=r"features of video 'a' are int64 of shape \(4, 2\)"):
        opened(folder, "WholeNumbers").identity(["a"])


def test_what_a_plugin_makes_up_is_known_by_its_recipe(folder):
    assert opened(folder, "MadeUp").identity(["a"]).digest == "0" * 64

"""The reader of ActivityNet Captions form: the official files pinned, its policy case by case, every fault one line."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from pathlib import Path

import pytest

from bench.data.declared import DatasetDeclaration, FeatureDeclaration, SplitDeclaration
from bench.data.digests import check_id
from bench.data.readers.activitynet import official_files, open_dataset, read_split
from bench.data.readers.entries import BEYOND, FOREIGN, REVERSED, SPACES, UNCOMPOSED, UNSORTED
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, MissingData
from bench.inputs import View

CAPTIONS = "data/activitynet_captions"
GOOD = {"duration": 10.0, "timestamps": [[0, 4], [3, 9.5]], "sentences": ["a first thing", "a second thing"]}


def written(folder: Path, value: object) -> SplitDeclaration:
    path = folder / "captions.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return SplitDeclaration(path)


def read_one(folder: Path, **changes: object):
    return read_split(written(folder, {"v_1": {**GOOD, **changes}}))


def short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


PINNED: dict[str, tuple[int, int, list[tuple[str, str]]]] = {
    "train": (
        10009,
        37421,
        [
            ("v_QOlSCBRmfWY", "2f3d9d60a7d95dc1"),
            ("v_fzp5ooc727c", "28d8668ae2d42918"),
            ("v_nlkmPF8TBdQ", "f99cb0f6e0e1813d"),
        ],
    ),
    "val_1": (
        4917,
        17505,
        [
            ("v_uqiMw7tQ1Cc", "be7a7354cc5688f1"),
            ("v_gOniW-yEZ0k", "e308105a231c8e3f"),
            ("v_5nOc03oiFvk", "0d931fa0238cf06c"),
        ],
    ),
    "val_2": (
        4885,
        17031,
        [
            ("v_uqiMw7tQ1Cc", "b2fb34bb59c4eb6c"),
            ("v_gOniW-yEZ0k", "38509d9aecbe658c"),
            ("v_xabaKyhx7cg", "0c1a370a19873538"),
        ],
    ),
}
"""Videos, sentences, and the first, tenth and last video with the digest of its first sentence as it is read."""


@pytest.mark.parametrize("split", ["train", "val_1", "val_2"])
def test_the_official_files_are_pinned(shared, split):
    """Counts, and the first, tenth and last video by id and digest of its first sentence."""
    videos = read_split(SplitDeclaration(shared(f"{CAPTIONS}/{split}.json.gz")))
    items = [(videos.ids[i], short(videos.sentences[i][0])) for i in (0, 9, -1)]
    assert (len(videos.ids), sum(map(len, videos.sentences)), items) == PINNED[split]


HALF: dict[str, tuple[int, int, list[tuple[str, str]]]] = {
    "ae-val": (
        2460,
        8774,
        [
            ("v_uqiMw7tQ1Cc", "be7a7354cc5688f1"),
            ("v_D0pVkTEYQg8", "ac4410e4295a6cfa"),
            ("v_PKYg6_rs3LQ", "c86b4216bb04abee"),
        ],
    ),
    "ae-test": (
        2457,
        8731,
        [
            ("v_bXdq2zI1Ms0", "542babcb40d791b9"),
            ("v_ng14GLT_hHQ", "fe02f4bd8baf2f58"),
            ("v_5nOc03oiFvk", "0d931fa0238cf06c"),
        ],
    ),
}
"""The same of the halves of val_1."""


@pytest.mark.parametrize("split", ["ae-val", "ae-test"])
def test_the_halves_of_val_1_are_pinned(shared, split):
    """Counts, and the first, tenth and last video by id and digest of its first sentence."""
    shared(f"{CAPTIONS}/split_ids_anet_entities.json")
    videos = read_split(official_files(shared(CAPTIONS))[split])
    items = [(videos.ids[i], short(videos.sentences[i][0])) for i in (0, 9, -1)]
    assert (len(videos.ids), sum(map(len, videos.sentences)), items) == HALF[split]


ODD: dict[str, dict[str, int]] = {
    "train": {SPACES: 25840, FOREIGN: 24, UNSORTED: 545, BEYOND: 261, REVERSED: 2},
    "val_1": {SPACES: 11695, FOREIGN: 24, UNSORTED: 293, BEYOND: 134},
    "val_2": {SPACES: 11511, FOREIGN: 8, UNSORTED: 383, BEYOND: 111},
}
"""Train counts 545 videos out of order where the file has 546: swapping a reversed segment puts one in order."""


@pytest.mark.parametrize("split", ["train", "val_1", "val_2"])
def test_the_oddities_of_the_official_files_are_counted(shared, split):
    videos = read_split(SplitDeclaration(shared(f"{CAPTIONS}/{split}.json.gz")))
    assert videos.oddities == ODD[split]


def test_the_official_id_lists_name_videos_without_captions(shared):
    folder = shared(CAPTIONS)
    videos = read_split(SplitDeclaration(folder / "train.json.gz", ids=folder / "train_ids.json"))
    assert len(videos.ids) == 10009
    assert 15 in videos.oddities.values()


def test_segments_of_the_official_files_lie_inside_their_videos(shared):
    videos = read_split(SplitDeclaration(shared(f"{CAPTIONS}/train.json.gz")))
    for duration, times in zip(videos.durations, videos.timestamps, strict=True):
        assert all(0 <= start <= end <= duration for start, end in times)


def test_official_files_are_taken_plain_or_gzip(tmp_path):
    (tmp_path / "train.json").write_text(json.dumps({"v_1": GOOD}))
    (tmp_path / "val_1.json.gz").write_bytes(gzip.compress(json.dumps({"v_2": GOOD}).encode()))
    files = official_files(tmp_path)
    assert read_split(files["train"]).ids == ("v_1",)
    assert read_split(files["val_1"]).ids == ("v_2",)


def test_a_missing_split_stops_nobody_from_the_others(tmp_path):
    (tmp_path / "val_1.json").write_text(json.dumps({"v_2": GOOD}))
    declaration = DatasetDeclaration("anet", "activitynet", tmp_path, FeatureDeclaration("simulated", "simulated"))
    dataset = open_dataset(declaration)
    assert dataset.count("val_1") == 1
    with pytest.raises(MissingData, match=r"val_2\.json: no such file. Expected .*train, val_1 or val_2"):
        dataset.count("val_2")


def test_spaces_are_normalised_and_characters_composed(tmp_path):
    videos = read_one(tmp_path, sentences=["  a\n b\t c ", "caf\u0065\u0301 \u4f60"])
    assert videos.sentences == (["a b c", "caf\u00e9 \u4f60"],)
    assert videos.oddities == {SPACES: 1, UNCOMPOSED: 1, FOREIGN: 1}


def test_reversed_segments_are_swapped_and_late_ends_clipped(tmp_path):
    videos = read_one(tmp_path, timestamps=[[4, 0], [3, 900.0]])
    assert videos.timestamps == ([[0.0, 4.0], [3.0, 10.0]],)
    assert sorted(videos.oddities.values()) == [1, 1]


def test_early_starts_are_clipped(tmp_path):
    assert read_one(tmp_path, timestamps=[[-1, 4], [3, 9]]).timestamps[0][0] == [0.0, 4.0]


def test_the_order_of_annotation_is_kept(tmp_path):
    videos = read_one(tmp_path, timestamps=[[5, 6], [1, 2]])
    assert videos.timestamps == ([[5.0, 6.0], [1.0, 2.0]],)
    assert list(videos.oddities.values()) == [1]


def test_captions_without_segments_are_sentences(tmp_path):
    videos = read_split(written(tmp_path, {"v_1": ["one", "two"], "v_2": {"sentences": ["three"]}}))
    assert videos.sentences == (["one", "two"], ["three"])
    assert videos.timestamps == ([], [])
    assert videos.durations == (None, None)


def test_a_table_holds_unknown_durations_as_none(tmp_path):
    split = written(tmp_path, {f"v_{i}": ["one", "two"] for i in range(4)})
    declaration = DatasetDeclaration(
        name="mine",
        reader="activitynet",
        root=tmp_path,
        features=FeatureDeclaration("simulated", "simulated"),
        splits={"train": split},
        test="train",
    )
    dataset = open_dataset(declaration)
    assert dataset.columns("train")["duration"][0] is None
    inputs = dataset.inputs("train", View("none"), max_rows=80)
    assert inputs.videos.batch([0]).durations.tolist() == [20.0]


def test_ids_and_positions_choose_the_split_in_file_order(tmp_path):
    split = written(tmp_path, {f"v_{i}": GOOD for i in range(10)})
    ids = tmp_path / "ids.json"
    ids.write_text(json.dumps([f"v_{i}" for i in (9, 7, 5, 3, 1, 77)]))
    assert read_split(SplitDeclaration(split.file, ids=ids)).ids == ("v_1", "v_3", "v_5", "v_7", "v_9")
    assert read_split(SplitDeclaration(split.file, take=(2, 4))).ids == ("v_2", "v_3")
    assert read_split(SplitDeclaration(split.file, ids=ids, take=(1, 3))).ids == ("v_3", "v_5")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"timestamps": [["0", 4], [3, 9]]}, r"timestamp \['0', 4\]"),
        ({"timestamps": [[float("nan"), 4], [3, 9]]}, r"timestamp \[nan, 4\]"),
        ({"timestamps": [[0, float("inf")], [3, 9]]}, r"timestamp \[0, inf\]"),
        ({"timestamps": [[True, 4], [3, 9]]}, "timestamp"),
        ({"timestamps": [[0, 4, 5], [3, 9]]}, "timestamp"),
        ({"timestamps": [[0, 10**400], [3, 9]]}, "timestamp"),
        ({"timestamps": [4, [3, 9]]}, "timestamp 4"),
        ({"timestamps": "0-4"}, "2 sentences but str timestamps"),
        ({"timestamps": [[0, 4]]}, "2 sentences but 1 timestamp"),
        ({"timestamps": [[0, 4], [10.0, 12]]}, "outside its duration of 10 s"),
        ({"timestamps": [[0, 4], [-5, -1]]}, "outside its duration of 10 s"),
        ({"duration": None}, "timestamps but no duration"),
        ({"duration": 0}, "has duration 0"),
        ({"duration": -3.0}, "has duration -3.0"),
        ({"duration": "10"}, "has duration '10'"),
        ({"duration": float("nan")}, "has duration nan"),
        ({"sentences": []}, "no list of sentences"),
        ({"sentences": "a thing"}, "no list of sentences"),
        ({"sentences": ["a thing", " \n "]}, "sentence 1 is empty"),
        ({"sentences": ["a thing", 5]}, "sentence 1 is int"),
        ({"sentences": ["a thing", "\ud800"]}, "sentence 1 holds broken Unicode"),
    ],
)
def test_a_broken_entry_is_refused_with_file_and_video(tmp_path, changes, says):
    with pytest.raises(InvalidData, match=rf"^captions\.json: video 'v_1' .*{says}") as caught:
        read_one(tmp_path, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [5, "a sentence", None])
def test_an_entry_of_another_kind_is_refused(tmp_path, raw):
    with pytest.raises(InvalidData, match="video 'v_1' is"):
        read_split(written(tmp_path, {"v_1": raw}))


@pytest.mark.parametrize(
    "video_id", ["", ".", "..", "../../etc/passwd", "a/b", "a\\b", "a\0b", "a\nb", "a\x7fb", " a", "x" * 300, "\ud800"]
)
def test_ids_that_are_no_file_names_are_refused(video_id):
    with pytest.raises(InvalidData, match=r"video id .*Rename the video"):
        check_id(video_id, "captions.json")


@pytest.mark.parametrize("video_id", ["v_abc", "12345@N00_77.mov", "ends-in-a-dot.", "ünï", "a b"])
def test_usual_ids_pass(video_id):
    assert check_id(video_id, "captions.json") == video_id


def test_a_bad_id_is_refused_also_outside_the_part_that_is_asked_for(tmp_path):
    split = written(tmp_path, {"v_1": GOOD, "../v_2": GOOD})
    with pytest.raises(InvalidData, match=r"'\.\./v_2'"):
        read_split(SplitDeclaration(split.file, take=(0, 1)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not whole JSON"),
        (b'{"v_1": [', "not whole JSON"),
        (b"\xff\xfe\x00", "not whole JSON"),
        (b"[" * 100_000, "not whole JSON"),
        (b"[]", "no JSON object of videos"),
        (b"{}", "no JSON object of videos"),
        (b'{"v_1": ["a"], "v_2": ["b"], "v_1": ["c"]}', "'v_1' occurs twice"),
        (b'{"v_1": {"sentences": ["a"], "sentences": ["b"]}}', "'sentences' occurs twice"),
        (gzip.compress(b'{"v_1": ["a"]}', mtime=0)[:-4], "not a whole gzip file"),
        (gzip.compress(json.dumps(list(range(999))).encode(), mtime=0)[:300], "not a whole gzip file"),
        (b"\x1f\x8bnonsense", "not a whole gzip file"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, content, says):
    path = tmp_path / "captions.json"
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=says) as caught:
        read_split(SplitDeclaration(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_file_that_unpacks_to_more_than_any_annotations_is_refused_before_it_is_unpacked_whole(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("bench.reading.outside.LARGEST", 1 << 20)
    path = tmp_path / "captions.json"
    path.write_bytes(gzip.compress(b" " * (1 << 21)))
    assert path.stat().st_size < 1 << 12
    with pytest.raises(InvalidData, match="holds more than 1 MB"):
        read_split(SplitDeclaration(path))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_small_file_takes_little_memory(tmp_path, pack):
    path = tmp_path / "captions.json"
    path.write_bytes(pack(json.dumps({"v_1": GOOD}).encode()))
    tracemalloc.start()
    try:
        read_json(path, "anything")
        assert tracemalloc.get_traced_memory()[1] < 1 << 26
    finally:
        tracemalloc.stop()


def test_a_missing_file_is_named_with_the_layout(tmp_path):
    with pytest.raises(MissingData, match=r"captions\.json: no such file. Expected annotations in ActivityNet"):
        read_split(SplitDeclaration(tmp_path / "captions.json"))


@pytest.mark.parametrize("take", [(0, 4), (2, 2), (3, 1)])
def test_positions_beyond_the_file_are_refused(tmp_path, take):
    split = written(tmp_path, {f"v_{i}": GOOD for i in range(3)})
    with pytest.raises(InvalidData, match="does not fit 3 videos"):
        read_split(SplitDeclaration(split.file, take=take))


def test_one_of_several_lists_of_ids_chooses_the_split(tmp_path):
    split = written(tmp_path, {f"v_{i}": GOOD for i in range(4)})
    ids = tmp_path / "ids.json"
    ids.write_text(json.dumps({"validation": ["v_1", "v_2"], "testing": ["v_3", "v_0"]}))
    assert read_split(SplitDeclaration(split.file, ids, part="testing")).ids == ("v_0", "v_3")


@pytest.mark.parametrize("ids", [["v_1"], {"testing": ["v_1"]}])
def test_a_list_of_ids_that_is_not_there_is_refused(tmp_path, ids):
    split = written(tmp_path, {"v_1": GOOD})
    path = tmp_path / "ids.json"
    path.write_text(json.dumps(ids))
    with pytest.raises(InvalidData, match=r"ids\.json holds no list 'validation'"):
        read_split(SplitDeclaration(split.file, path, part="validation"))


def test_the_halves_of_val_1_are_there_with_their_ids_and_asked_for_without(tmp_path):
    for stem in ("train", "val_1", "val_2"):
        (tmp_path / f"{stem}.json").write_text(json.dumps({"v_1": GOOD, "v_2": GOOD}))
    simulated = FeatureDeclaration(name="simulated", reader="simulated")
    declared = DatasetDeclaration(name="anet", reader="activitynet", root=tmp_path, features=simulated)
    with pytest.raises(MissingData, match=r"no split 'ae-test'.*needs split_ids_anet_entities\.json"):
        open_dataset(declared).columns("ae-test")

    halves = {"validation": ["v_1"], "testing": ["v_2"], "training": []}
    (tmp_path / "split_ids_anet_entities.json").write_text(json.dumps(halves))
    assert open_dataset(declared).columns("ae-test")["video_id"] == ["v_2"]


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ({"v_1": 1}, "no JSON list"),
        ([1], "no JSON list"),
        (["v_1", "v_1"], "occurs twice"),
        (["v_9"], "none of the ids"),
    ],
)
def test_a_broken_list_of_ids_is_refused(tmp_path, ids, says):
    split = written(tmp_path, {"v_1": GOOD})
    path = tmp_path / "ids.json"
    path.write_text(json.dumps(ids))
    with pytest.raises(InvalidData, match=says):
        read_split(SplitDeclaration(split.file, ids=path))

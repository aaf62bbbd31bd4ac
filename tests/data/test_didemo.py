"""DiDeMo in both forms: the official files pinned, the conversion, the row rule, the policy, every fault one line."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter

import numpy as np
import pytest

from bench.data.cutting import UncutVideos, cut
from bench.data.declared import DatasetDeclaration, FeatureDeclaration, SplitDeclaration
from bench.data.readers.didemo import BEYOND, COUNTS, LONG, REPEATED, official_files, open_dataset, read_split
from bench.data.readers.didemo_moments import (
    BARE_DOTS,
    TWO_NAMES,
    UNKNOWN_LENGTHS,
    VideoLength,
    frame_moment,
    group,
    voted_chunks,
)
from bench.data.readers.entries import SPACES
from bench.data.segments import frame_rows
from bench.data.verify import verify
from bench.errors import InvalidData
from bench.inputs import View

FOLDER = "data/didemo"
SIMULATED = FeatureDeclaration("simulated", "simulated", extractor="simulated")
GROUPED = {
    "a@N0_1": {
        "duration": 30.0,
        "feature_leng": 300,
        "num_segments": 6,
        "times": [[0, 50], [0, 50], [100, 300]],
        "description": ["first thing", "the same moment", "the end"],
    }
}


def official(video="a@N0_1.mov", text="a thing", times=((0, 0), (0, 0), (0, 1)), chunks=6):
    return {
        "annotation_id": 1,
        "description": text,
        "video": video,
        "dl_link": "",
        "num_segments": chunks,
        "times": [list(pair) for pair in times],
    }


def written(folder, value, name="val_data.json"):
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return SplitDeclaration(path)


def short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


PINNED = {
    "train": (
        8395,
        33005,
        [
            ("48001787@N06_4999236488_1f7ff5f552", "4c6464642d8380d5"),
            ("44052773@N00_2765717476_5b4768fc91", "505d149dac918690"),
            ("52900873@N07_11523979614_aee68ae5f9", "a88cb0cacd268ec7"),
        ],
        {BEYOND: 7, REPEATED: 12492, SPACES: 123},
    ),
    "val": (
        1065,
        4180,
        [
            ("28683534@N00_5213337084_7f0ed30c2a", "bac4ce78bf2bd7db"),
            ("8386966@N03_2592602734_3fc5c1dc57", "12216f5112203714"),
            ("25566432@N00_3272676924_8babb18763", "1b1aeee0b9752cb5"),
        ],
        {BEYOND: 0, REPEATED: 1588, SPACES: 13},
    ),
    "test": (
        1004,
        4021,
        [
            ("26292851@N04_4411828833_9519d9c238", "abb4c4aaca494220"),
            ("31491083@N00_4233088456_3a9d80ff92", "5f7ab4bcdb9a4d22"),
            ("67211380@N00_2420895475_8bd30b7db4", "66e10f03e652575c"),
        ],
        {BEYOND: 0, REPEATED: 1516, SPACES: 12},
    ),
}
"""Videos, descriptions, the first, tenth and last video with the digest of its first description, oddities."""


@pytest.mark.parametrize("split", PINNED)
def test_the_grouped_files_are_pinned(shared, split):
    videos = read_split(SplitDeclaration(shared(f"{FOLDER}/{split}_data_bwzhang.json.gz")))
    items = [(videos.ids[i], short(videos.sentences[i][0])) for i in (0, 9, -1)]
    oddities = {name: videos.oddities.get(name, 0) for name in (BEYOND, REPEATED, SPACES)}
    assert (len(videos.ids), sum(map(len, videos.sentences)), items, oddities) == PINNED[split]
    assert len(videos.ids) == COUNTS[split]


@pytest.mark.parametrize(("split", "moments", "endings"), [("val", 4180, 29), ("test", 4021, 33)])
def test_official_entries_become_the_grouped_ones_exactly(shared, split, moments, endings):
    ours, theirs = (
        json.loads(gzip.decompress(shared(f"{FOLDER}/{split}_data{form}.json.gz").read_bytes()))
        for form in ("", "_bwzhang")
    )
    lengths = {video: VideoLength(entry["duration"], entry["feature_leng"]) for video, entry in theirs.items()}
    oddities: Counter[str] = Counter()
    grouped = group(ours, lengths, "official", oddities)
    assert grouped.keys() == theirs.keys()
    assert sum(len(entry["times"]) for entry in grouped.values()) == moments
    for video, entry in theirs.items():
        assert grouped[video]["times"] == entry["times"]
        assert grouped[video]["description"] == entry["description"]
        assert grouped[video]["feature_leng"] == entry["feature_leng"]
    assert oddities[TWO_NAMES] == endings


def test_the_official_file_beside_the_grouped_one_reads_the_same(shared):
    one, other = (read_split(SplitDeclaration(shared(f"{FOLDER}/val_data{form}.json.gz"))) for form in ("", "_bwzhang"))
    by_id = {video: i for i, video in enumerate(one.ids)}
    assert sorted(one.ids) == sorted(other.ids)
    for i, video in enumerate(other.ids):
        k = by_id[video]
        found = (one.durations[k], one.timestamps[k], one.sentences[k], one.frames[k])
        assert found == (other.durations[i], other.timestamps[i], other.sentences[i], other.frames[i])


def test_the_chunks_most_annotators_cover_decide():
    assert voted_chunks([[0, 0], [0, 0], [1, 1], [1, 1]]) == (0, 1)
    assert voted_chunks([[0, 5], [2, 3], [3, 3]]) == (3, 3)
    assert voted_chunks([[0, 0], [0, 0], [4, 4], [4, 4], [2, 2]]) == (0, 4)


def test_a_moment_ends_with_the_video():
    assert frame_moment([[1, 1]], VideoLength(27.79, 832)) == [149, 299]
    assert frame_moment([[5, 5]], VideoLength(27.79, 832)) == [748, 832]


def test_descriptions_come_in_order_of_time_and_ties_in_order_of_the_file(tmp_path):
    entries = [
        official(text="late", times=[(4, 4)]),
        official(text="early, short", times=[(0, 0)]),
        official(text="early, long", times=[(0, 2)]),
        official(text="early, short again", times=[(0, 0)]),
    ]
    videos = read_split(written(tmp_path, entries))
    assert videos.sentences == (["early, short", "early, short again", "early, long", "late"],)
    assert videos.timestamps == ([[0, 5], [0, 5], [0, 15], [20, 25]],)


def test_file_endings_make_one_video(tmp_path):
    entries = [official("x_1.mov"), official("x_1.mp4", "b"), official("y_2.", "c")]
    videos = read_split(written(tmp_path, entries))
    assert videos.ids == ("x_1", "y_2")
    assert (videos.oddities[TWO_NAMES], videos.oddities[BARE_DOTS]) == (1, 1)


def test_without_a_grouped_file_a_video_lasts_five_seconds_a_chunk(tmp_path):
    videos = read_split(written(tmp_path, [official(times=[(4, 5)]), official("b.mov", times=[(4, 4)], chunks=5)]))
    assert videos.durations == (30.0, 25.0)
    assert videos.timestamps == ([[20, 30]], [[20, 25]])
    assert videos.frames == (0, 0)
    assert videos.oddities[UNKNOWN_LENGTHS] == 2


def test_lengths_come_from_the_grouped_file_beside(tmp_path):
    written(tmp_path, GROUPED, "val_data_bwzhang.json")
    videos = read_split(written(tmp_path, [official(times=[(1, 1)])]))
    assert (videos.durations, videos.frames, videos.timestamps) == ((30.0,), (300,), ([[5.0, 10.0]],))
    assert UNKNOWN_LENGTHS not in videos.oddities


def test_moments_are_seconds_and_equal_ones_stay(tmp_path):
    videos = read_split(written(tmp_path, GROUPED))
    assert videos.timestamps == ([[0.0, 5.0], [0.0, 5.0], [10.0, 30.0]],)
    assert videos.frames == (300,)
    assert videos.oddities == {REPEATED: 1}


def test_a_moment_beyond_the_last_frame_is_the_whole_video(tmp_path):
    entry = {**GROUPED["a@N0_1"], "times": [[0, 50], [100, 150], [400, 300]]}
    videos = read_split(written(tmp_path, {"a": entry}))
    assert videos.timestamps == ([[0.0, 5.0], [10.0, 15.0], [0.0, 30.0]],)
    assert videos.oddities[BEYOND] == 1


def test_long_videos_are_counted_and_kept_whole(tmp_path):
    videos = read_split(written(tmp_path, {"a": {**GROUPED["a@N0_1"], "duration": 90.0}}))
    assert videos.durations == (90.0,)
    assert videos.oddities[LONG] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"times": [[0, 50]]}, "3 sentences but 1 timestamp"),
        ({"times": [[0, 50], [0, 50], [0.5, 1]]}, "times"),
        ({"times": [[0, 50], [0, 50], [-1, 1]]}, "times"),
        ({"times": "0-50"}, "times"),
        ({"duration": 0}, "duration"),
        ({"duration": "30"}, "duration"),
        ({"feature_leng": 3.5}, "feature_leng"),
        ({"description": ["a", "b", " "]}, "sentence 2 is empty"),
        ({"description": None}, "sentences"),
    ],
)
def test_a_broken_grouped_entry_names_file_and_video(tmp_path, change, says):
    with pytest.raises(InvalidData, match=rf"val_data\.json: video 'a' .*{says}"):
        read_split(written(tmp_path, {"a": {**GROUPED["a@N0_1"], **change}}))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("text", "not an object"),
        (official(video=""), "no video name"),
        (official(video=None), "no video name"),
        (official(text=None), "no description"),
        (official(times=[]), "times"),
        (official(times=[(0, 6)]), "chunk of 6"),
        (official(times=[(2, 1)]), "chunk of 6"),
        (official(chunks="6"), "num_segments"),
    ],
)
def test_a_broken_official_entry_names_file_and_entry(tmp_path, entry, says):
    with pytest.raises(InvalidData, match=rf"val_data\.json: entry 1 .*{says}"):
        read_split(written(tmp_path, [official(), entry]))


@pytest.mark.parametrize("value", ["[]", "{}", "3", '{"../x": {}}', '{"a": [1]}'])
def test_another_file_is_refused(tmp_path, value):
    with pytest.raises(InvalidData, match="val_data"):
        read_split(written(tmp_path, value))


def test_an_id_that_is_no_file_name_is_refused(tmp_path):
    with pytest.raises(InvalidData, match="ids become file names"):
        read_split(written(tmp_path, [official("../x.mov")]))


def test_a_folder_is_read_from_the_grouped_form(tmp_path):
    written(tmp_path, [official()], "val_data.json")
    assert official_files(tmp_path)["val"].file.name == "val_data.json"
    (tmp_path / "val_data_bwzhang.json.gz").write_bytes(gzip.compress(json.dumps(GROUPED).encode()))
    assert official_files(tmp_path)["val"].file.name == "val_data_bwzhang.json.gz"
    assert official_files(tmp_path)["test"].file.name == "test_data.json"


def rows(moments, frames, length):
    first, last = frame_rows(np.array(moments), np.full(len(moments), frames), np.full(len(moments), length))
    return list(zip(first.tolist(), last.tolist(), strict=True))


def test_a_row_for_each_frame_is_cut_from_start_to_end_inclusive():
    assert rows([[0, 50], [100, 300], [299, 300]], 300, 300) == [(0, 50), (100, 299), (299, 299)]


def test_numbers_beyond_the_rows_mean_the_whole_video():
    assert rows([[0, 280], [281, 290], [10, 281]], 300, 280) == [(0, 279), (0, 279), (0, 279)]


def test_other_strides_scale_the_numbers():
    assert rows([[0, 50], [100, 300], [299, 299]], 300, 75) == [(0, 12), (25, 74), (74, 74)]


def test_official_moments_give_back_their_frame_numbers(shared):
    path = shared(f"{FOLDER}/test_data_bwzhang.json.gz")
    videos = read_split(SplitDeclaration(path))
    raw = json.loads(gzip.decompress(path.read_bytes()))
    lengths = np.array(videos.frames)
    uncut = UncutVideos(videos.ids, videos.ids, np.array(videos.durations), videos.timestamps, lengths)
    found = cut(uncut, lengths, View())
    wanted = np.array([moment for video in videos.ids for moment in raw[video]["times"]])
    most = np.repeat(lengths, found.counts) - 1
    assert (found.first == np.minimum(wanted[:, 0], most)).all()
    assert (found.first + found.lengths - 1 == np.minimum(wanted[:, 1], most)).all()


def declared(root):
    return DatasetDeclaration("didemo", "didemo", root, SIMULATED, test="test")


def test_the_official_folder_verifies(shared):
    report = verify(open_dataset(declared(shared(f"{FOLDER}/val_data_bwzhang.json.gz").parent)))
    assert not report.problems
    assert report.videos == report.expected == {"train": 8395, "val": 1065, "test": 1004}
    facts = "\n".join(report.facts)
    assert "train: 8,395 videos, 33,005 sentences, 33,005 segments" in facts
    assert f"train: 7 {BEYOND}" in facts
    assert f"test: 1,516 {REPEATED}" in facts


def test_count_only_is_what_counting_gives_on_the_official_test_split(shared):
    """R@1 / R@5 / R@50 = 0.70 / 3.09 / 20.9, from the numbers of descriptions alone and from a run."""
    from bench.execution import Execution
    from bench.tasks.retrieval import ParagraphVideoRetrieval
    from bench_controls.count_only import CountOnly

    dataset = open_dataset(declared(shared(f"{FOLDER}/test_data_bwzhang.json.gz").parent))
    counts = np.array([len(sentences) for sentences in dataset.columns("test")["sentences"]])
    alike = np.bincount(counts)[counts]
    exact = {k: 100 * np.minimum(1, k / alike).mean() for k in (1, 5, 50)}
    assert [round(exact[1], 2), round(exact[5], 2), round(exact[50], 1)] == [0.70, 3.09, 20.9]

    task = ParagraphVideoRetrieval("didemo-retrieval", "didemo", "test")
    inputs = dataset.inputs("test", task.view, max_rows=1)
    predictions = task.predict(CountOnly({}, Execution()), inputs, Execution(), lambda *_: None)
    scored = task.score(predictions, dataset.annotations("test"), "cpu")
    values = {measurement.name: measurement.value for measurement in scored.measurements}
    for k, expected in exact.items():
        assert values[f"t2v/R@{k}"] == pytest.approx(expected)
        assert values[f"v2t/R@{k}"] == pytest.approx(expected)

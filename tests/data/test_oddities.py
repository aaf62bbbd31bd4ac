"""What docs/lists.md says of official files is counted again in the files, where they are there."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.data.sets.oddities import Oddity, all_oddities, page

PROJECT = Path(__file__).resolve().parents[2]
ODDITIES: dict[str, Oddity] = {name: one for found in all_oddities().values() for name, one in found.items()}
TRAIN, VAL_1, VAL_2 = (f"activitynet_captions/{name}.json.gz" for name in ("train", "val_1", "val_2"))
TRAIN_IDS, VAL_IDS = (f"activitynet_captions/{name}_ids.json" for name in ("train", "val"))
TEST, VAL = "didemo/test_data.json.gz", "didemo/val_data.json.gz"
GROUPED = "didemo/{}_data_bwzhang.json.gz"
MSRVTT = "msrvtt_lists/MSRVTT_{}.csv"
MSVD = ("msvd_captions/training_label.json.gz", "msvd_captions/testing_id.txt")
THUMOS14 = tuple(f"thumos14_r2plus1d/thumos14_{part}_tsp_groundtruth.csv.gz" for part in ("valid", "test"))
Counted = Callable[..., Iterable[int]]


def sentences(videos: dict[str, Any]) -> list[str]:
    return [said for video in videos.values() for said in video["sentences"]]


def segments(videos: dict[str, Any]) -> Iterator[tuple[float, float, float]]:
    """Yields start, end and the duration of its video for each segment."""
    for video in videos.values():
        for start, end in video["timestamps"]:
            yield start, end, video["duration"]


def in_words(said: str) -> str:
    return " ".join(said.split())


def repeated(texts: Iterable[str]) -> list[int]:
    """Returns how often each text stands there that does so more than once."""
    return [count for count in Counter(map(in_words, texts)).values() if count > 1]


def stem(name: str) -> str:
    return name.rpartition(".")[0]


def by_video(entries: list[dict[str, Any]]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for one in entries:
        found[stem(one["video"])].append(one["description"])
    return found


def without_captions(train_ids: list[str], val_ids: list[str], train: Any, val_1: Any) -> Iterable[int]:
    pairs = ((train_ids, train), (val_ids, val_1))
    return [count for ids, videos in pairs for count in (len(set(ids) - videos.keys()), len(ids))]


def only_in_val_1(val_1: Any, val_2: Any) -> Iterable[int]:
    assert val_2.keys() <= val_1.keys()
    return len(val_1.keys() - val_2.keys()), len(val_1)


def doubled_paragraph(val_2: Any) -> Iterable[int]:
    (times,) = repeated(" ".join(video["sentences"]) for video in val_2.values())
    return 1, times


def past_the_end(*splits: Any) -> Iterable[int]:
    over = [[end - duration for _, end, duration in segments(videos) if end > duration] for videos in splits]
    assert max(map(max, over)) == pytest.approx(0.01)
    return map(len, over)


def out_of_order(*splits: Any) -> Iterable[int]:
    for videos in splits:
        starts = [[start for start, _ in video["timestamps"]] for video in videos.values()]
        yield sum(one != sorted(one) for one in starts)


def leading_blanks(*splits: Any) -> Iterable[int]:
    for said in map(sentences, splits):
        yield sum(one[:1].isspace() for one in said)
        yield len(said)


def entities_halves(split: Any, val_1: Any, val_2: Any) -> Iterable[int]:
    halves = [set(split[name]) for name in ("validation", "testing")]
    assert halves[0] | halves[1] == val_1.keys()
    return [len(half & videos.keys()) for videos in (val_1, val_2) for half in halves]


def class_spelling(frames: list[dict[str, str]], mapping: list[str]) -> Iterable[int]:
    names = [row["action"] for row in frames]
    assert names != mapping
    assert {"Mooping floor", "Polishing forniture"} <= set(mapping)
    return [len(set(names) & set(mapping))]


def two_extensions(*splits: Any) -> Iterable[int]:
    for entries in splits:
        names = {one["video"] for one in entries}
        times = Counter(map(stem, names))
        yield from (len(names), len(times), sum(count == 2 for count in times.values()))


def absent_from_ce(lines: list[str], train: Any) -> Iterable[int]:
    assert set(map(stem, lines)) < train.keys()
    return len(lines), len(train)


def other_order(test: Any, val: Any, grouped_test: Any, grouped_val: Any) -> Iterable[int]:
    for entries, grouped in ((test, grouped_test), (val, grouped_val)):
        own = by_video(entries)
        assert all(sorted(own[one]) == sorted(video["description"]) for one, video in grouped.items())
        yield sum(own[one] != video["description"] for one, video in grouped.items())
        yield len(grouped)


def annotators(test: Any, val: Any) -> Iterable[int]:
    assert {len(one["times"]) for one in test} == {4, 5, 7}
    assert {len(one["times"]) for one in val} == {4, 7}
    return [sum(len(one["times"]) != 4 for one in entries) for entries in (test, val)]


def doubled_captions(rows: list[dict[str, str]]) -> Iterable[int]:
    times = repeated(row["sentence"] for row in rows)
    return len(times), sum(times), len({in_words(row["sentence"]) for row in rows})


def source(clip: str) -> str:
    """Returns the YouTube video of a clip, which its name begins with."""
    return clip.removesuffix(".avi").rsplit("_", 2)[0]


def shared_source(train: Any, test: list[str]) -> Iterable[int]:
    behind = set(map(source, test))
    return len(behind & {source(video["id"]) for video in train}), len(behind)


def repeated_in_a_video(train: Any) -> Iterable[int]:
    yield sum(len(video["caption"]) - len(set(map(in_words, video["caption"]))) for video in train)
    yield sum(len(video["caption"]) for video in train)


def classes_of(*parts: list[dict[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in (row for rows in parts for row in rows if row["action-label"]):
        found[row["video-name"]].add(row["action-label"])
    return found


def several_classes(*parts: list[dict[str, str]]) -> Iterable[int]:
    found = classes_of(*parts)
    several = [video for video, classes in found.items() if len(classes) > 1]
    three = sum(len(classes) == 3 for classes in found.values())
    return len(several), len(found), three, sum(video.startswith("video_test") for video in several)


def no_ground_truth(features: list[str], *parts: list[dict[str, str]]) -> Iterable[int]:
    return len(set(features) - classes_of(*parts).keys()), len(features)


def background(*parts: list[dict[str, str]]) -> Iterable[int]:
    return sum(not row["action-label"] for rows in parts for row in rows), sum(map(len, parts))


COUNTED: dict[str, tuple[tuple[str, ...], Counted]] = {
    "ids-without-captions": ((TRAIN_IDS, VAL_IDS, TRAIN, VAL_1), without_captions),
    "only-in-val-1": ((VAL_1, VAL_2), only_in_val_1),
    "doubled-paragraph": ((VAL_2,), doubled_paragraph),
    "reversed-segments": (
        (TRAIN,),
        lambda train: (sum(e < s for s, e, _ in segments(train)), sum(e == s for s, e, _ in segments(train))),
    ),
    "past-the-end": ((TRAIN, VAL_1, VAL_2), past_the_end),
    "out-of-order": ((TRAIN, VAL_1, VAL_2), out_of_order),
    "leading-blanks": ((TRAIN, VAL_1, VAL_2), leading_blanks),
    "line-breaks": (
        (TRAIN, VAL_1, VAL_2),
        lambda *splits: [sum("\n" in said for said in sentences(videos)) for videos in splits],
    ),
    "repeated-sentences": (
        (TRAIN, VAL_1, VAL_2),
        lambda *splits: [sum(times - 1 for times in repeated(sentences(videos))) for videos in splits],
    ),
    "entities-halves": (("activitynet_captions/split_ids_anet_entities.json", VAL_1, VAL_2), entities_halves),
    "two-classes": (
        tuple(f"activitynet_v1-3/anet1.3_{part}.json.gz" for part in ("train", "val")),
        lambda *splits: [sum(len(set(v["action_labels"])) == 2 for v in videos.values()) for videos in splits],
    ),
    "fewer-frames": (
        ("activitynet_v1-3/video_info_new.csv.gz",),
        lambda rows: [sum(row["subset"] == part for row in rows) for part in ("training", "validation")],
    ),
    "class-spelling": (
        ("activitynet_v1-3/action_name.csv", "activitynet_v1-3/tsp_action_label_mapping.json"),
        class_spelling,
    ),
    "two-extensions": ((TEST, VAL), two_extensions),
    "bare-dot": (
        (TEST, VAL),
        lambda *splits: [len({one["video"] for one in found if one["video"].endswith(".")}) for found in splits],
    ),
    "absent-from-ce": (("didemo/train_list_ce.txt", GROUPED.format("train")), absent_from_ce),
    "other-order": ((TEST, VAL, GROUPED.format("test"), GROUPED.format("val")), other_order),
    "single-description": (
        (TEST, VAL),
        lambda *splits: [sum(len(said) == 1 for said in by_video(found).values()) for found in splits],
    ),
    "annotators": ((TEST, VAL), annotators),
    "empty-moments": (
        (GROUPED.format("train"),),
        lambda train: [sum(start >= end for video in train.values() for start, end in video["times"])],
    ),
    "longer-than-described": (
        tuple(GROUPED.format(part) for part in ("train", "val", "test")),
        lambda *splits: [
            n for videos in splits for n in (sum(v["duration"] > 31 for v in videos.values()), len(videos))
        ],
    ),
    "doubled-captions": ((MSRVTT.format("JSFUSION_test"),), doubled_captions),
    "nine-thousand-in-full": (
        (MSRVTT.format("train.9k"), MSRVTT.format("train.7k")),
        lambda nine, seven: (len({r["video_id"] for r in nine} - {r["video_id"] for r in seven}), len(nine)),
    ),
    "other-division": (
        MSVD,
        lambda train, test: (len(train), len(test), sum(len(video["caption"]) for video in train)),
    ),
    "shared-source": (MSVD, shared_source),
    "captions-repeated-in-a-video": (MSVD[:1], repeated_in_a_video),
    "thumos14-without-classes": (("thumos14_r2plus1d/r2plus1d_34-max_gvf.h5", *THUMOS14), no_ground_truth),
    "thumos14-several-classes": (THUMOS14, several_classes),
    "thumos14-background": (THUMOS14, background),
}
"""What is counted by a test: the files, in the order of their digests, and what counts in them."""


def content_of(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def read(path: Path) -> Any:
    """Returns JSON, the rows of a CSV, the lines of a text or the names in an HDF5 file."""
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "h5":
        import h5py

        with h5py.File(path) as file:
            return list(file)
    text = content_of(path).decode("utf-8")
    if kind == "csv":
        return list(csv.DictReader(text.splitlines()))
    return json.loads(text) if kind == "json" else text.split()


def test_the_document_is_up_to_date() -> None:
    committed = (PROJECT / "docs" / "lists.md").read_text(encoding="utf-8")
    assert committed == page(), "run: python -m bench.data.sets.oddities docs/lists.md"


def test_what_is_said_to_be_counted_by_a_test_is_and_what_is_not_names_a_commit() -> None:
    assert {name for name, one in ODDITIES.items() if one.counted == "test"} == COUNTED.keys()
    assert all(one.digest for one in ODDITIES.values() if one.counted == "test")
    assert all(" @ " in one.where for one in ODDITIES.values() if one.counted == "once")


def test_every_number_stands_in_its_sentence() -> None:
    for name, one in ODDITIES.items():
        used = [f"{{{i}" for i in range(len(one.counts))]
        assert all(place in one.what for place in used), name


@pytest.mark.parametrize("name", COUNTED)
def test_the_official_files_hold_what_the_document_says(name: str, shared: Callable[[str], Path]) -> None:
    files, counted = COUNTED[name]
    paths = [shared(f"data/{file}") for file in files]
    assert [hashlib.sha256(content_of(path)).hexdigest()[:8] for path in paths] == ODDITIES[name].digest.split()
    assert tuple(counted(*map(read, paths))) == ODDITIES[name].counts

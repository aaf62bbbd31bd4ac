"""The named sets are whole, their lists are the official ones, and what is said to be counted was counted."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.data.sets.named import FOLDER, all_sets, caption_digest, caption_lines, digest, named_set
from bench.data.sets.page import page
from bench.errors import UnknownName

PROJECT = Path(__file__).resolve().parents[2]
SHIPPED = [name for name, one in all_sets().items() if one.list_ships]
Shared = Callable[[str], Path]


def test_the_document_is_up_to_date() -> None:
    committed = (PROJECT / "docs" / "sets.md").read_text(encoding="utf-8")
    assert committed == page(), "run: python -m bench.data.sets.page docs/sets.md"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_list_that_ships_has_the_number_and_the_digest_that_its_set_says(name: str) -> None:
    one = named_set(name)
    assert len(one.ids()) == len(set(one.ids())) == one.videos
    assert digest(one.ids()) == one.ids_sha256
    assert not any(character.isspace() for video_id in one.ids() for character in video_id), "a sentence, not an id"


def test_no_list_lies_about_that_no_set_names() -> None:
    own = {name.replace(":", "-") for name in SHIPPED if not named_set(name).ids_of}
    assert {path.stem for path in (FOLDER / "ids").iterdir()} == own
    assert {path.stem for path in (FOLDER / "captions").iterdir()} <= own


def test_digests_of_captions_are_one_for_each_video_and_no_sentence() -> None:
    held = [one for one in all_sets().values() if one.caption_digests()]
    assert [one.name for one in held] == ["msrvtt:1k-A"]
    for one in held:
        assert len(one.caption_digests()) == one.videos
        assert all(re.fullmatch("[0-9a-f]{16}", line) for line in one.caption_digests())


def test_a_set_without_a_list_has_no_digest_and_says_what_is_unknown() -> None:
    for name, one in all_sets().items():
        if not one.list_ships:
            assert (one.ids(), one.captions_sha256, one.counted) == ((), "", ""), name
            assert one.unknown, name


def test_the_digest_depends_on_no_order_and_on_every_line() -> None:
    assert digest(["b", "a"]) == digest(["a", "b"]) != digest(["a", "b", "b"])
    printed = "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"  # printf "a\nb\n" | sha256sum
    assert digest(["a", "b"]) == printed
    assert list(caption_lines([("v", ["  two \n words", "one"])])) == ["v\ttwo words", "v\tone"]


@pytest.mark.parametrize("name", ["msrvtt:1k", "msrvtt", "../sets/msrvtt:1k-A", "", ":", "*:full"])
def test_a_name_that_no_set_has_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(UnknownName, match="msrvtt:1k-A"):
        named_set(name)


def test_the_sets_of_msrvtt_hold_what_they_say_of_one_another() -> None:
    one_ka, seven, nine = (set(named_set(f"msrvtt:{name}").ids()) for name in ("1k-A", "7k", "9k"))
    assert seven == {f"video{i}" for i in range(7010)}
    assert not one_ka & (seven | nine)
    assert one_ka | nine == {f"video{i}" for i in range(10_000)}
    assert (len(nine & seven), len(nine - seven)) == (7010, 1990)
    assert len((one_ka | nine) - seven) == named_set("msrvtt:full").videos


def test_the_sets_of_activitynet_lie_in_one_another() -> None:
    val_1, val_2, labelled = (set(named_set(f"activitynet:{name}").ids()) for name in ("val_1", "val_2", "v1.3-val"))
    assert val_2 < val_1 < labelled


def test_1k_a_is_the_official_list_and_four_of_its_captions_occur_more_than_once(shared: Shared) -> None:
    with shared("data/msrvtt_lists/MSRVTT_JSFUSION_test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    one = named_set("msrvtt:1k-A")
    assert [row["video_id"] for row in rows] == list(one.ids())
    lines = list(caption_lines((row["video_id"], [row["sentence"]]) for row in rows))
    assert digest(lines) == one.captions_sha256
    assert [caption_digest(line) for line in lines] == list(one.caption_digests())
    times = Counter(row["sentence"] for row in rows)
    repeated = sorted((n for n in times.values() if n > 1), reverse=True)
    assert (len(times), repeated) == (995, [3, 2, 2, 2])
    assert (
        "995 of them different: 4 captions stand there more than once, 9 queries in all (3, 2, 2 and 2)" in one.counted
    )


@pytest.mark.parametrize("name", ["7k", "9k"])
def test_the_training_lists_of_msrvtt_are_the_official_ones(shared: Shared, name: str) -> None:
    lines = shared(f"data/msrvtt_lists/MSRVTT_train.{name}.csv").read_text(encoding="utf-8").split()
    assert lines[1:] == list(named_set(f"msrvtt:{name}").ids())


@pytest.mark.parametrize("name", ["val_1", "val_2"])
def test_the_captioned_sets_of_activitynet_are_the_official_ones(shared: Shared, name: str) -> None:
    videos = unpacked(shared(f"data/activitynet_captions/{name}.json.gz"))
    one = named_set(f"activitynet:{name}")
    assert list(videos) == list(one.ids())
    pairs = [(video_id, video["sentences"]) for video_id, video in videos.items()]
    assert digest(caption_lines(pairs)) == one.captions_sha256
    assert f"{sum(len(own) for _, own in pairs):,} sentences" in one.counted
    paragraphs = Counter(" ".join(" ".join(own).split()) for _, own in pairs)
    assert sorted(paragraphs.values())[-2:] == ([1, 1] if name == "val_1" else [1, 2])
    assert ("no paragraph occurs twice" if name == "val_1" else "one paragraph occurs twice") in one.counted


@pytest.mark.parametrize(
    ("name", "files"), [("val_1", ("val_1",)), ("val_2", ("val_2",)), ("both", ("val_1", "val_2"))]
)
def test_the_moments_of_activitynet_are_counted_in_the_official_files(
    shared: Shared, name: str, files: tuple[str, ...]
) -> None:
    read = [unpacked(shared(f"data/activitynet_captions/{file}.json.gz")) for file in files]
    one = named_set(f"activitynet:moments-{name}")
    assert set(one.ids()) == {video_id for videos in read for video_id in videos}
    lines = list(caption_lines((video_id, told["sentences"]) for videos in read for video_id, told in videos.items()))
    assert (digest(lines), len(lines)) == (one.captions_sha256, one.queries)
    repeated = len(lines) - len(set(lines))
    if name == "both":
        assert f"{repeated - 2} of which stand in both files for the same video" in one.counted
        return
    moments = [(times, told["duration"]) for told in read[0].values() for times in told["timestamps"]]
    assert not any(start >= end for (start, end), _ in moments)
    assert f"{sum(end > duration for (_, end), duration in moments)} end after their video" in one.counted
    assert f"{repeated or 'None'} stand" in one.counted
    times = [n for n in Counter(line.partition("\t")[2] for line in lines).values() if n > 1]
    assert f"{len(times)} sentences stand there more than once, {sum(times)} times in all" in one.counted


def test_the_labelled_set_of_activitynet_is_the_official_one(shared: Shared) -> None:
    ids = json.loads(shared("data/activitynet_captions/val_ids.json").read_text(encoding="utf-8"))
    assert ids == list(named_set("activitynet:v1.3-val").ids())


def test_the_test_set_of_didemo_is_the_official_one(shared: Shared) -> None:
    own: dict[str, list[str]] = {}
    names = set()
    for one in unpacked(shared("data/didemo/test_data.json.gz")):
        names.add(one["video"])
        own.setdefault(one["video"].rpartition(".")[0], []).append(one["description"])
    didemo = named_set("didemo:1004")
    assert list(own) == list(didemo.ids())
    assert digest(caption_lines(own.items())) == didemo.captions_sha256
    assert (len(names), sum(map(len, own.values()))) == (1037, 4021)
    assert "1,037 file names" in didemo.counted
    assert "4,021 descriptions" in didemo.counted
    times = [n for n in Counter(" ".join(one.split()) for said in own.values() for one in said).values() if n > 1]
    assert (len(times), sum(times)) == (18, 47)
    assert "18 descriptions occur more than once, 47 times in all; no paragraph does" in didemo.counted
    assert len({tuple(said) for said in own.values()}) == 1004


def unpacked(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))

"""`set:` under a dataset: its split beside the set, by ids where the list ships and by number where it does not.

Captions are of our own making; ids are those of the lists that ship.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bench.data.sets.named import all_sets, named_set

ONE_KA = named_set("msrvtt:1k-A").ids()
Shared = Callable[[str], Path]


def declare(bench: Any, named: str, **entries: Any) -> None:
    """Writes a bench.yaml with one dataset, `mine`."""
    entry = {"reader": "captions", "root": ".", "features": "simulated", "captions": "each", "set": named}
    entry["splits"] = {"test": {"file": "captions.json"}}
    declared = {"version": 1, "datasets": {"mine": entry | entries}}
    (bench.folder / "bench.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")


def write(bench: Any, ids: Iterable[str], captions: int = 1) -> None:
    told = {video_id: [f"caption {k} of {video_id}" for k in range(captions)] for video_id in ids}
    (bench.folder / "captions.json").write_text(json.dumps(told), encoding="utf-8")


def report(bench: Any, exit_code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bench("data", "verify", "mine", "--json", exit_code=exit_code).stdout)["mine"]
    return found


def test_every_set_is_listed_and_can_be_shown(bench_command: Any) -> None:
    listed = json.loads(bench_command("list", "sets", "--json").stdout)
    assert [row["set"] for row in listed] == list(all_sets())
    for row in listed:
        facts = json.loads(bench_command("info", row["set"], "--json").stdout)
        assert facts["list"].startswith("ships: " if row["list"] == "ids ship" else "does not ship")
        assert f"{facts['videos']:,}" == row["videos"]


def test_a_set_that_nobody_knows_is_told_with_the_nearest(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:1kA")
    said = bench_command("data", "verify", "mine", exit_code=2).stderr
    assert "bench.yaml: datasets.mine.set: unknown set 'msrvtt:1kA'. Did you mean 'msrvtt:1k-A'" in said


def test_what_differs_from_a_list_is_named(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:1k-A")
    write(bench_command, [*ONE_KA[30:], "video1", "video2"])
    done = bench_command("data", "verify", "mine", exit_code=4)
    assert "msrvtt:1k-A, by its list: 970 of 1,000 videos are there" in done.stdout
    assert "the set shrank by 3.0 %; 2 videos are not in it" in done.stdout
    assert [line for line in done.stdout.splitlines() if "not in msrvtt" in line] == [
        "mine: test: not in msrvtt:1k-A: video1",
        "mine: test: not in msrvtt:1k-A: video2",
    ]
    assert done.stdout.count("not in the files: video") == 20
    assert "not in the files: … and 10 more of 30 (--all lists them)" in done.stdout
    assert bench_command("data", "verify", "mine", "--all", exit_code=4).stdout.count("not in the files: video") == 30
    assert "test is not msrvtt:1k-A: 30 of its 1,000 videos are absent; 2 videos are not in it." in done.stderr
    found = report(bench_command, exit_code=4)["sets"]["test"]
    assert (found["absent"], found["foreign"]) == (list(ONE_KA[:30]), ["video1", "video2"])


def test_official_ids_that_the_files_write_differently_stand_beside_theirs(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:1k-A")
    write(bench_command, [f"{one}.mp4" for one in ONE_KA[:2]] + list(ONE_KA[2:]))
    said = bench_command("data", "verify", "mine", exit_code=4).stderr
    assert "2 seem to be there under another name, and would have to be renamed" in said
    assert f"({ONE_KA[0]} is '{ONE_KA[0]}.mp4', {ONE_KA[1]} is '{ONE_KA[1]}.mp4')" in said


def test_other_captions_for_the_same_videos_are_another_test(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:1k-A")
    write(bench_command, reversed(ONE_KA))
    said = bench_command("data", "verify", "mine", exit_code=4).stderr
    assert "test is not msrvtt:1k-A: its captions are others, by their digest." in said


def test_twenty_captions_for_each_video_are_another_test(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:1k-A")
    write(bench_command, ONE_KA, captions=20)
    said = bench_command("data", "verify", "mine", exit_code=4).stderr
    assert "test is not msrvtt:1k-A: it has 1,000 captions, the files 20,000." in said


def test_the_official_list_is_the_set(bench_command: Any, shared: Shared) -> None:
    official = shared("data/msrvtt_lists/MSRVTT_JSFUSION_test.csv")
    declare(bench_command, "msrvtt:1k-A", splits={"test": {"file": str(official)}})
    said = bench_command("data", "verify", "mine").stdout
    assert (
        "test: msrvtt:1k-A, by its list: 1,000 of 1,000 videos are there, 1,000 of them with features; captions" in said
    )
    assert "captions as in the official files" in said
    assert "shrank" not in said


@pytest.mark.parametrize(
    ("reader", "folder", "test", "named"),
    [
        ("activitynet", "activitynet_captions", "val_1", "activitynet:val_1"),
        ("didemo", "didemo", "test", "didemo:1004"),
    ],
)
def test_the_official_files_as_their_reader_reads_them_are_the_set(
    bench_command: Any, shared: Shared, reader: str, folder: str, test: str, named: str
) -> None:
    entry = {"reader": reader, "root": str(shared(f"data/{folder}")), "features": "simulated", "set": named}
    declared = {"version": 1, "datasets": {"mine": entry | {"test": test}}}
    (bench_command.folder / "bench.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    found = report(bench_command)["sets"][test]
    assert (found["absent"], found["foreign"], found["same_captions"]) == ([], [], True)


def test_a_set_of_classes_is_compared_with_the_videos_that_have_some(bench_command: Any, shared: Shared) -> None:
    entry = {"reader": "activitynet", "root": str(shared("data/activitynet_captions")), "features": "simulated"}
    entry |= {"labels": str(shared("data/activitynet_v1-3/labels.csv")), "set": "activitynet:v1.3-val"}
    declared = {"version": 1, "datasets": {"mine": entry}}
    (bench_command.folder / "bench.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    said = bench_command("data", "verify", "mine").stdout
    assert "labelled_val: activitynet:v1.3-val, by its list: 4,926 of 4,926 videos" in said


def test_a_file_that_cannot_be_read_is_told_once(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:1k-A")
    (bench_command.folder / "captions.json").write_text("{", encoding="utf-8")
    said = bench_command("data", "verify", "mine", exit_code=4).stderr
    assert said.count("InvalidData") == 1


def test_dead_videos_shrink_a_set_without_being_another_one(bench_command: Any, shared: Shared) -> None:
    official = shared("data/msrvtt_lists/MSRVTT_JSFUSION_test.csv")
    features(bench_command, ONE_KA[121:])
    declare(bench_command, "msrvtt:1k-A", splits={"test": {"file": str(official)}}, features="few", missing="exclude")
    with (bench_command.folder / "bench.yaml").open("a", encoding="utf-8") as file:
        file.write("features: {few: {reader: npz, path: few.npz, extractor: toy}}\n")
    said = bench_command("data", "verify", "mine").stdout
    assert "1,000 of 1,000 videos are there, 879 of them with features; the set shrank by 12.1 %" in said


def test_of_a_set_without_a_list_numbers_are_compared(bench_command: Any) -> None:
    declare(bench_command, "youcook2:videos", captions="together")
    write(bench_command, [f"v{i}" for i in range(450)], captions=3)
    done = bench_command("data", "verify", "mine", exit_code=4)
    assert "youcook2:videos, of which we know the number only: 450 videos for 457" in done.stdout
    assert "the set shrank by 1.5 %" in done.stdout
    assert "test is not youcook2:videos: it has 457 videos, the files 450." in done.stderr
    write(bench_command, [f"v{i}" for i in range(457)], captions=3)
    assert "shrank" not in bench_command("data", "verify", "mine").stdout


def test_of_a_set_without_a_list_captions_are_counted(bench_command: Any) -> None:
    declare(bench_command, "msvd:first")
    write(bench_command, [f"v{i}" for i in range(670)], captions=2)
    said = bench_command("data", "verify", "mine", exit_code=4).stderr
    assert "test is not msvd:first: it has 670 captions, the files 1,340." in said


def test_a_set_for_training_is_compared_with_train(bench_command: Any) -> None:
    declare(bench_command, "msrvtt:9k")
    write(bench_command, ["video9"])
    said = bench_command("data", "verify", "mine", exit_code=4).stderr
    assert "datasets.mine.set: msrvtt:9k would be split 'train', and there are test." in said
    with (bench_command.folder / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("video_id", "caption"), *((one, f"of {one}") for one in named_set("msrvtt:9k").ids())]
        )
    write(bench_command, ONE_KA[:5])
    declare(bench_command, "msrvtt:9k", splits={"train": {"file": "train.csv"}, "test": {"file": "captions.json"}})
    assert "train: msrvtt:9k, by its list: 9,000 of 9,000" in bench_command("data", "verify", "mine").stdout


def features(bench: Any, ids: Sequence[str]) -> None:
    rows = np.random.default_rng(0).standard_normal((len(ids), 2, 3)).astype(np.float32)
    np.savez(bench.folder / "few.npz", video_id=np.array(ids), features=rows)


def test_a_name_in_another_case_is_the_one_that_is_suggested(bench_command: Any) -> None:
    said = bench_command("info", "msrvtt:1k-a", exit_code=3).stderr
    assert "Did you mean 'msrvtt:1k-A'?" in said

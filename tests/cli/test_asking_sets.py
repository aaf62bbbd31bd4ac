"""`-t NAME-retrieval:set=SET`: a named set is asked where the files hold it, and else one line says why it is not.

The field here is `toys`, of our own making, in a folder that stands for `bench/data/sets`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import bench
from bench.data.sets import named
from bench.data.sets.named import caption_digest, caption_lines, digest

Shared = Callable[[str], Path]
VIDEOS = [f"toy{i}" for i in range(8)]
LIST = ["toy5", "toy0", "toy3"]
SAID = {video: [f"{word} of {video}" for word in ("sight", "sound", "smell")] for video in VIDEOS}
CHOSEN = [(video, [SAID[video][i % 3]]) for i, video in enumerate(LIST, 1)]


def written(folder: Path, kind: str, name: str, lines: Sequence[str]) -> None:
    (folder / kind).mkdir(exist_ok=True)
    (folder / kind / f"toys-{name}.txt").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture(autouse=True)
def field(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes `toys` the one dataset of the field; returns the folder of its sets."""
    folder: Path = tmp_path_factory.mktemp("field")
    usual = {"unit": "caption", "captions": "some", "right": "its own", "rule": "some", "source": "us"}
    listed = usual | {"ids_sha256": digest(LIST)}
    lines = list(caption_lines(CHOSEN))
    sets = {
        "chosen": listed | {"videos": 3, "queries": 3, "captions_sha256": digest(lines)},
        "all": listed
        | {"videos": 3, "queries": 9, "captions_sha256": digest(caption_lines((v, SAID[v]) for v in LIST))},
        "unlisted": usual | {"videos": 8, "queries": 24, "unknown": "which videos"},
        "told": usual | {"videos": 8, "queries": 8, "unit": "paragraph", "unknown": "which videos"},
        "fit": listed | {"videos": 3, "part": "train"},
        "seen": usual | {"videos": 8, "unit": "video", "unknown": "which videos"},
    }
    (folder / "toys.yaml").write_text(yaml.safe_dump({"dataset": "Toys", "sets": sets}))
    (folder / "tales.yaml").write_text(yaml.safe_dump({"dataset": "Tales", "sets": {"all": sets["told"]}}))
    for name in ("chosen", "all", "fit"):
        written(folder, "ids", name, LIST)
    written(folder, "captions", "chosen", [caption_digest(line) for line in lines])
    monkeypatch.setattr(named, "FOLDER", folder)
    return folder


def declare(
    bench_command: Any, name: str = "toys", said: Any = SAID, there: Sequence[str] | None = None, **entries: Any
) -> None:
    """Writes a bench.yaml with one dataset whose test split is captions.json."""
    (bench_command.folder / "captions.json").write_text(json.dumps(said))
    entry = {"reader": "captions", "root": ".", "features": "rows", "splits": {"test": {"file": "captions.json"}}}
    features(bench_command, {"datasets": {name: entry | entries}}, VIDEOS if there is None else there)


def features(bench_command: Any, declared: dict[str, Any], videos: Sequence[str]) -> None:
    """Writes a bench.yaml, and the features of some videos, which depend on the video alone."""
    rows = [np.random.default_rng(sum(map(ord, video))).normal(size=(2, 4)) for video in videos]
    np.savez(bench_command.folder / "rows.npz", video_id=np.array(videos), features=np.array(rows, np.float32))
    declared |= {"version": 1, "features": {"rows": {"reader": "npz", "path": "rows.npz", "extractor": "toy"}}}
    (bench_command.folder / "bench.yaml").write_text(yaml.safe_dump(declared))


def run(bench_command: Any, task: str, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bench_command("run", "-m", "random", "-t", task, "--json", *more).stdout)[0]
    return found


def refused(bench_command: Any, task: str, exit_code: int = 2) -> str:
    said: str = bench_command("run", "-m", "random", "-t", task, exit_code=exit_code).stderr
    return said.strip().splitlines()[-1]


def test_a_set_of_chosen_captions_is_found_among_all_captions_of_the_test_split(bench_command: Any) -> None:
    declare(bench_command, captions="each")
    record = run(bench_command, "toys-retrieval:set=chosen")
    assert record["task"]["name"] == "toys-retrieval:set=chosen"
    assert record["task"]["split"] == "toys:chosen"
    assert "|split=toys:chosen|pool=3:" in record["signature"]
    assert "|text=caption|" in record["signature"]
    assert (record["data"]["n_evaluated"], record["status"]) == (3, "complete")
    assert {measured["n"] for measured in record["measurements"]} == {3}
    bench_command("rescore", f"runs/{record['run']}")


def test_the_official_file_as_a_split_of_that_name_is_the_same_test(bench_command: Any) -> None:
    declare(bench_command, captions="each")
    found = run(bench_command, "toys-retrieval:set=chosen")
    declare(
        bench_command, splits={"test": {"file": "captions.json"}, "chosen": {"file": "chosen.csv"}}, captions="each"
    )
    with (bench_command.folder / "chosen.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("video_id", "sentence"), *((video, said[0]) for video, said in reversed(CHOSEN))])
    again = run(bench_command, "toys-retrieval:set=chosen", "--no-resume")
    assert again["signature"] == found["signature"]
    assert again["measurements"] == found["measurements"]


def test_a_set_says_how_its_captions_are_asked(bench_command: Any) -> None:
    declare(bench_command)
    assert "captions: each" in refused(bench_command, "toys-retrieval", 4)
    record = run(bench_command, "toys-retrieval:set=all")
    assert (record["task"]["name"], "|text=caption|" in record["signature"]) == ("toys-retrieval:set=all", True)
    assert next(one["n"] for one in record["measurements"] if one["name"] == "t2v/R@1") == 9
    assert "has no parameter 'captions'" in refused(bench_command, "toys-retrieval:set=all,captions=together")
    declare(bench_command, set="toys:told")
    assert "|text=captions-together|" in run(bench_command, "toys-retrieval:set=told")["signature"]


def test_from_python_it_is_asked_alike(bench_command: Any) -> None:
    declare(bench_command, "mine", set="toys:all")
    where = {"config": bench_command.folder / "bench.yaml", "output": bench_command.folder / "runs"}
    result = bench.run("random", "mine-retrieval:set=chosen", **where)
    assert (result.task.split, result.data.n_evaluated) == ("toys:chosen", 3)
    assert result.signature == run(bench_command, "mine-retrieval:set=toys:chosen", "--no-resume").get("signature")


def test_none_is_the_whole_split(bench_command: Any) -> None:
    declare(bench_command, captions="each")
    record = run(bench_command, "toys-retrieval:set=none")
    assert (record["task"]["name"], record["data"]["n_evaluated"]) == ("toys-retrieval", 8)


def test_a_set_without_a_list_is_asked_where_the_files_are_said_to_be_it(bench_command: Any) -> None:
    declare(bench_command, captions="each")
    said = refused(bench_command, "toys-retrieval:set=unlisted", 4)
    assert "datasets.toys.splits.unlisted; or, where test is that set, say so: datasets.toys.set: toys:unlisted" in said
    declare(bench_command, captions="each", set="toys:unlisted")
    assert "|split=toys:unlisted|pool=8:" in run(bench_command, "toys-retrieval:set=unlisted")["signature"]
    declare(bench_command, captions="each", splits={"test": {"file": "a.json"}, "unlisted": {"file": "captions.json"}})
    (bench_command.folder / "a.json").write_text(json.dumps({"other": ["a caption"]}))
    assert run(bench_command, "toys-retrieval:set=unlisted", "--no-resume")["data"]["n_evaluated"] == 8


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (dict(list(SAID.items())[:7]), "toys:unlisted has 8 videos, split test 7"),
        ({video: own[:1] for video, own in SAID.items()}, "toys:unlisted has 24 captions, split test 8"),
    ],
)
def test_other_numbers_are_another_test(bench_command: Any, said: Any, what: str) -> None:
    declare(bench_command, captions="each", set="toys:unlisted", said=said)
    assert what in refused(bench_command, "toys-retrieval:set=unlisted", 4)


def test_ids_that_are_not_there_are_told_with_where_they_are(bench_command: Any) -> None:
    said = {video: own for video, own in SAID.items() if video not in ("toy5", "toy3")}
    splits = {"test": {"file": "captions.json"}, "rest": {"file": "rest.json"}}
    declare(bench_command, captions="each", said=said | {"toy3.mp4": ["under another name"]}, splits=splits)
    (bench_command.folder / "rest.json").write_text(json.dumps({"toy5": SAID["toy5"]}))
    told = refused(bench_command, "toys-retrieval:set=chosen", 4)
    assert "2 of the 3 videos of toys:chosen are not in test, such as toy5; 1 of them are in rest" in told
    assert "1 seem to be there under another name, such as 'toy3.mp4'" in told
    assert "datasets.toys.splits.chosen" in told


def test_other_captions_are_another_test(bench_command: Any) -> None:
    declare(bench_command, captions="each", said=SAID | {"toy0": ["somebody else's words"]})
    told = refused(bench_command, "toys-retrieval:set=chosen", 4)
    assert "the captions of test are not those of toys:chosen, by their digest, 2 of its 3 are there" in told
    assert "are not those of toys:all, by their digest. Declare" in refused(bench_command, "toys-retrieval:set=all", 4)


@pytest.mark.parametrize(
    ("name", "entries", "chosen", "what"),
    [
        ("toys", {}, "tales:all", "a set of tales, and 'toys' is toys"),
        ("toys", {}, "fit", "toys:fit is for training. Declare it as the split train"),
        ("toys", {}, "seen", "a query of toys:seen is a video, which 'toys-retrieval' does not ask"),
        ("toys", {"segments": "gt"}, "all", "is a caption, which 'toys-retrieval' does not ask where segments are: gt"),
        ("mine", {}, "all", "nothing says which dataset of the field 'mine' is. Write set=DATASET:all, or"),
    ],
)
def test_a_set_that_cannot_be_asked_is_refused(
    bench_command: Any, name: str, entries: dict[str, str], chosen: str, what: str
) -> None:
    declare(bench_command, name, **entries)
    assert what in refused(bench_command, f"{name}-retrieval:set={chosen}")


def test_a_set_that_nobody_knows_is_told_with_the_nearest(bench_command: Any) -> None:
    declare(bench_command)
    said = refused(bench_command, "toys-retrieval:set=chosne", 3)
    assert "unknown set 'toys:chosne'. Did you mean 'toys:chosen'" in said


def test_what_the_advice_says_works(bench_command: Any) -> None:
    declare(bench_command, "mine")
    assert run(bench_command, "mine-retrieval:set=toys:all")["task"]["name"] == "mine-retrieval:set=toys:all"
    declare(bench_command, "mine", set="toys:unlisted")
    assert run(bench_command, "mine-retrieval:set=all")["task"]["name"] == "mine-retrieval:set=all"


def test_queries_of_ones_own_are_no_set(bench_command: Any) -> None:
    (bench_command.folder / "queries.json").write_text(json.dumps({"q": "a query"}))
    (bench_command.folder / "qrels.txt").write_text("q 0 toy1 1\n")
    declare(bench_command, captions="each", queries="queries.json", relevance="qrels.txt")
    assert "Leave out set=toys:all, or queries and relevance" in refused(bench_command, "toys-retrieval:set=all", 4)


def test_a_model_may_train_on_the_rest_of_the_declared_test_split_but_not_on_the_set(bench_command: Any) -> None:
    (bench_command.folder / "fit.json").write_text(json.dumps({v: SAID[v] for v in VIDEOS if v not in LIST}))
    splits = {"train": {"file": "fit.json"}, "test": {"file": "captions.json"}}
    declare(bench_command, captions="each", splits=splits)
    small = ("--set", "epochs=1", "--json")
    said = bench_command("run", "-m", "mean-pool", "-t", "toys-retrieval", *small, exit_code=4).stderr
    assert "5 videos of train are also in test" in said
    bench_command("run", "-m", "mean-pool", "-t", "toys-retrieval:set=chosen", *small)
    (bench_command.folder / "fit.json").write_text(json.dumps({v: SAID[v] for v in VIDEOS[3:]}))
    said = bench_command("run", "-m", "mean-pool", "-t", "toys-retrieval:set=chosen", *small, exit_code=4).stderr
    assert "2 videos of train are also in toys:chosen" in said


def test_a_set_of_classes_is_asked_by_the_tasks_of_recognition(bench_command: Any) -> None:
    rows = [("video_id", "subset", "labels", "duration")]
    rows += [(video, "test", f"class {i % 2}", "9.0") for i, video in enumerate(VIDEOS)]
    rows += [(f"fit{i}", "train", f"class {i % 2}", "9.0") for i in range(4)]
    with (bench_command.folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    entry = {"reader": "labels", "root": ".", "features": "rows", "set": "toys:seen"}
    features(bench_command, {"datasets": {"mine": entry}}, [row[0] for row in rows[1:]])
    record = run(bench_command, "mine-zero-shot:set=seen")
    assert "|split=toys:seen|pool=8:" in record["signature"]
    assert run(bench_command, "mine-linear-probe:set=seen")["task"]["split"] == "toys:seen"
    assert "a query of toys:all is a caption" in refused(bench_command, "mine-zero-shot:set=all")


def test_dead_videos_of_a_set_are_missing_videos(bench_command: Any) -> None:
    there = [video for video in VIDEOS if video != "toy0"]
    declare(bench_command, there=there, captions="each")
    assert "1 of 3 videos has no features: toy0" in refused(bench_command, "toys-retrieval:set=chosen", 4)
    declare(bench_command, there=there, captions="each", missing="exclude")
    data = run(bench_command, "toys-retrieval:set=chosen")["data"]
    assert (data["n_expected"], data["n_evaluated"]) == (3, 2)
    assert data["missing"] == {"policy": "exclude", "videos": {"toys:chosen": 1}}


def test_1k_a_is_asked_of_files_with_twenty_captions_a_video(
    bench_command: Any, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = shared("data/msrvtt_lists/MSRVTT_JSFUSION_test.csv")
    monkeypatch.setattr(named, "FOLDER", Path(named.__file__).parent)
    with official.open(encoding="utf-8", newline="") as file:
        rows = [(row["video_id"], row["sentence"]) for row in csv.DictReader(file)]
    said = {video: [*(f"{k} of {video}" for k in range(9)), own, f"more of {video}"] for video, own in rows}
    declare(bench_command, "msrvtt", {"video1": ["of training"], **said}, list(said), captions="each")
    record = run(bench_command, "msrvtt-retrieval:set=1k-A")
    declare(bench_command, "msrvtt", there=list(said), splits={"test": {"file": str(official)}})
    again = run(bench_command, "msrvtt-retrieval:set=1k-A", "--no-resume")
    assert record["data"]["n_evaluated"] == 1000
    assert record["signature"] == again["signature"]


def test_published_rows_of_the_set_that_a_run_asked_stand_beside_it_and_others_apart(bench_command: Any) -> None:
    declare(bench_command, captions="each")
    bench_command("run", "-m", "random", "-t", "toys-retrieval:set=chosen")
    tables = [
        {
            "title": f"Table {place}", "paper": "a paper", "source": "page 7", "set": one, "set_by": "its list",
            "gallery": None, "differs": [],
            "rows": [{"model": "theirs", "features": "C3D", "segments": "none", "values": {"t2v/R@1": 50.0}}],
        }
        for place, one in enumerate(["toys:all", "toys:chosen", None])
    ]  # fmt: skip
    published = bench_command.folder / "leaderboards" / "published"
    published.mkdir(parents=True)
    (published / "toys-retrieval.yaml").write_text(
        yaml.safe_dump({"schema": "bench-published/1", "task": "toys-retrieval", "split": "test", "tables": tables})
    )
    bench_command("leaderboard", "build", "--results", bench_command.folder / "runs", "-o", "board")
    page = (bench_command.folder / "board" / "toys-retrieval.md").read_text(encoding="utf-8")
    headings = [
        line.lstrip("# ") for line in page[page.index("## Published figures") :].splitlines() if line[:1] == "#"
    ]
    assert headings[1:] == [
        "On toys:chosen", "Table 1", "Another test set: toys:all", "Table 0", "Test set not known", "Table 2",
    ]  # fmt: skip
    assert "Another set than toys:chosen: 9 captions (3 captions there); 3 videos are in both; videos: some." in page

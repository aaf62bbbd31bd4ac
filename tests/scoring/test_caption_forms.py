"""Official files of caption datasets are read as what they are, and what was taken is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

TOLD = {"v1": ["a man plays a guitar", "someone plays"], "v2": ["a dog runs", "the dog is running"]}
PAIRS = [(video, text) for video, texts in TOLD.items() for text in texts]
VIDEOS = [{"video_id": video, "split": "test"} for video in TOLD]
FORMS: dict[str, tuple[Any, str]] = {
    "msrvtt.json": (
        {"info": {}, "videos": VIDEOS, "sentences": [{"video_id": v, "caption": t, "sen_id": 0} for v, t in PAIRS]},
        "MSR-VTT form, splits test",
    ),
    "vatex.json": ([{"videoID": v, "enCap": texts, "chCap": ["x"]} for v, texts in TOLD.items()], "VATEX form"),
    "lists.json": ([{"video": f"{v}.mp4", "caption": texts} for v, texts in TOLD.items()], "lists of captions"),
    "table.csv": (["key,video_id,sentence", *(f"k,{v},{t}" for v, t in PAIRS)], "columns video_id and sentence"),
    "lines.txt": ([f"{v} {t}" for v, t in PAIRS], "lines of an id and a caption"),
}


def scored(bench_command: Any, references: str, content: Any, said: Any, **options: Any) -> Any:
    folder = bench_command.folder
    text = json.dumps(content) if references.endswith(".json") else "\n".join(content)
    (folder / references).write_text(text, encoding="utf-8")
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")
    files = ("--predictions", "said.json", "--references", references)
    return bench_command("score", "captions", "--no-java", "--protocol", "corpus", "--json", *files, **options)


def measured(done: Any) -> dict[str, float]:
    return {one["name"]: one["value"] for one in json.loads(done.stdout)["measurements"]}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_references_gives_the_same(bench_command: Any, name: str) -> None:
    content, taken = FORMS[name]
    said = {"v1": "a man plays guitar", "v2": "a dog is running"}
    expected = measured(scored(bench_command, "plain.json", TOLD, said))
    done = scored(bench_command, name, content, said)
    assert measured(done) == expected
    assert f"{name}: read as {taken}" in done.stderr


def test_of_the_msvd_table_english_captions_are_taken(bench_command: Any) -> None:
    rows = ["VideoID,Start,End,Language,Description", *(f"{v},1,9,English,{t}" for v, t in PAIRS), "v1,1,9,German,ein"]
    said = {"v1_1_9": "a man plays guitar", "v2_1_9": "a dog is running"}
    done = scored(bench_command, "msvd.csv", rows, said)
    assert "4 English captions of 5 rows" in done.stderr


def test_of_youcook2_the_subset_for_testing_is_taken_with_its_times(bench_command: Any) -> None:
    database = {
        video: {"subset": subset, "annotations": [{"segment": [0, 4], "id": 0, "sentence": "cut the onion"}]}
        for video, subset in (("a", "training"), ("b", "validation"))
    }
    said = {"results": {"b": [{"sentence": "cut the onion", "timestamp": [0, 4]}]}}
    done = scored(bench_command, "yc2.json", {"database": database}, said)
    assert "YouCook2 form, subset validation, 1 of 2 videos" in done.stderr
    assert measured(done)["BLEU@1"] == pytest.approx(100)


def test_a_database_of_two_subsets_for_testing_is_refused(bench_command: Any) -> None:
    database = {name: {"subset": name, "annotations": []} for name in ("validation", "testing")}
    done = scored(bench_command, "yc2.json", {"database": database}, {"b": "x"}, exit_code=4)
    assert "several subsets to be tested on" in done.stderr

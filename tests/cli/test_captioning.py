"""Captioning through the command line: own videos, captioners from outside, every protocol, and what they say amiss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.conftest import install

CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    segments: {segments}
    missing: {missing}
    test: val_1
    splits:
      train: {{file: train.json}}
      val_1: {{file: val_1.json}}
      {more}
features:
  frames: {{reader: npy-folder, path: frames, extractor: toy}}
"""
SECOND = "val_2: {file: val_2.json}"
HALVES = """ae-val: {file: val_1.json, ids: halves.json, part: validation}
      ae-test: {file: val_1.json, ids: halves.json, part: testing}"""


def lasting(*segments: tuple[float, float]) -> dict[str, Any]:
    """Returns a video whose sentences say how long its segments last, as the captioner `Counting` does."""
    sentences = [f"it lasts {end - start:.1f} seconds" for start, end in segments]
    return {"duration": 20.0, "timestamps": [list(segment) for segment in segments], "sentences": sentences}


TRAIN = {f"v_t{i}": lasting((0.0, 1.0 + i), (5.0, 9.0), (5.0, 9.0)) for i in range(4)}
FIRST = {f"v_{i}": lasting((0.0, 2.0 + i), (8.0, 11.5 + i)) for i in range(5)}
OTHER = {
    "v_0": {"duration": 20.0, "timestamps": [[0.0, 2.1], [15.0, 19.0]], "sentences": ["a start", "nobody was asked"]},
    "v_3": {"duration": 20.0, "timestamps": [[8.0, 14.5]], "sentences": ["another word for it"]},
}
"""A second annotation: three segments, of which one overlaps with one of the first annotation and one equals one."""


class Mine:
    """A folder with a small captioned dataset `mine` and the plugin of toy captioners."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.folder: Path = bench.folder
        self.site = install(self.folder / "site", Path(__file__).with_name("toy_captioners.py"), "toy-captioners")
        (self.folder / "frames").mkdir()
        for number, name in enumerate([*TRAIN, *FIRST]):
            rows = np.random.default_rng(number).standard_normal((20, 4)).astype(np.float32)
            np.save(self.folder / "frames" / f"{name}.npy", rows)
        self.write("train", TRAIN)
        self.write("val_1", FIRST)
        self.write("val_2", OTHER)
        self.write("halves", {"validation": ["v_0", "v_1"], "testing": ["v_2", "v_3", "v_4"]})
        self.declare()

    def write(self, name: str, content: Any) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(content))

    def declare(self, segments: str = "gt", missing: str = "fail", more: str = "") -> None:
        text = CONFIG.format(segments=segments, missing=missing, more=more)
        (self.folder / "bench.yaml").write_text(text)

    def __call__(self, *arguments: Any, exit_code: int = 0) -> Any:
        return self.bench(*arguments, exit_code=exit_code, path=self.site)

    def run(self, model: str, task: str) -> dict[str, Any]:
        """Returns the record of one run without Java."""
        colon = "," if ":" in task else ":"
        done = self("run", "-m", model, "-t", f"{task}{colon}java=off", "--json")
        record: dict[str, Any] = json.loads(done.stdout)[0]
        return record

    def captions(self, record: dict[str, Any]) -> list[Any]:
        """Returns the saved sentences of a run, one tuple for each video."""
        lines = (self.folder / "runs" / record["run"] / "predictions.jsonl").read_text("utf-8").split("\n")
        return [tuple(json.loads(line)["sentences"]) for line in lines[1:] if line]


@pytest.fixture
def mine(bench_command: Any) -> Mine:
    return Mine(bench_command)


def values(record: dict[str, Any]) -> dict[str, float]:
    return {one["name"]: one["value"] for one in record["measurements"]}


def test_a_captioner_that_is_always_right_scores_all_there_is(mine):
    record = mine.run("Counting", "mine-captioning")

    assert record["data"]["n_evaluated"] == 5
    assert {one["n"] for one in record["measurements"]} == {10}
    found = values(record)
    assert found["BLEU@4"] == pytest.approx(100.0)
    assert found["ROUGE-L"] == pytest.approx(100.0)
    assert found["CIDEr"] == pytest.approx(1000.0)  # the highest there is: four orders, times ten, in percent


def test_a_trained_captioner_says_what_it_learned(mine):
    record = mine.run("Parrot", "mine-captioning")

    assert set(mine.captions(record)) == {("it lasts 4.0 seconds",) * 2}
    assert 0 < values(record)["CIDEr"] < 1000


def test_the_second_annotation_adds_the_segments_that_an_answer_fits(mine):
    mine.declare(more=SECOND)
    both, first = mine.run("Counting", "mine-captioning"), mine.run("Counting", "mine-captioning:references=first")

    assert both["measurements"][0]["n"] == 11  # one of three overlaps; one equals a segment: a second reference of it
    assert first["measurements"][0]["n"] == 10
    assert "|references=val_1+val_2|" in both["signature"]
    assert "|references=val_1|" in first["signature"]
    assert values(both)["BLEU@1"] < values(first)["BLEU@1"]


def test_every_protocol_has_a_signature_and_a_table_of_its_own(mine):
    tasks = ("mine-captioning", "mine-captioning:protocol=densevid", "mine-paragraph-captioning")
    records = [mine.run("Parrot", task) for task in tasks]

    signatures = [record["signature"] for record in records]
    for signature, protocol in zip(signatures, ("corpus", "densevid", "paragraph"), strict=True):
        assert f"|protocol={protocol}|" in signature
        assert "|tokens=regex-2|meteor=1.5-py|" in signature
    mine("leaderboard", "add", *(f"runs/{record['run']}" for record in records), "--board", "board")
    mine("leaderboard", "build", "--results", "board/results", "--output", "board")
    page = (mine.folder / "board" / "mine-captioning.md").read_text("utf-8")
    assert page.count("Signature:") == 2
    assert "densevid" in page


def test_two_captioners_are_compared_video_by_video(mine):
    runs = [f"runs/{mine.run(model, 'mine-captioning')['run']}" for model in ("Counting", "Parrot")]

    compared = json.loads(mine("compare", *runs, "--json").stdout)["comparisons"]

    cider = next(one for one in compared if one["metric"] == "CIDEr")
    assert cider["n"] == 5
    assert cider["difference"] > 0


def test_captions_scored_by_different_protocols_are_not_compared(mine):
    runs = [mine.run("Parrot", task)["run"] for task in ("mine-captioning", "mine-captioning:protocol=densevid")]

    done = mine("compare", *(f"runs/{run}" for run in runs), exit_code=6)

    assert "protocol" in done.stderr


def test_whole_videos_take_every_caption_as_a_reference(mine):
    mine.write("train", {name: ["somebody runs", "a man runs"] for name in TRAIN})
    mine.write("val_1", {name: ["somebody runs", "it lasts 20.0 seconds", f"number {name}"] for name in FIRST})
    mine.declare(segments="none")

    record = mine.run("Counting", "mine-captioning")

    assert "|segments=none|" in record["signature"]
    assert values(record)["BLEU@4"] == pytest.approx(100.0)
    assert {len(said) for said in mine.captions(record)} == {1}
    assert (
        "no parameter 'protocol'"
        in mine("run", "-m", "Counting", "-t", "mine-captioning:protocol=densevid", exit_code=2).stderr
    )


def test_annotated_segments_that_are_not_there_are_asked_for(mine):
    mine.write("val_1", {name: ["somebody runs"] for name in FIRST})

    done = mine("run", "-m", "Counting", "-t", "mine-captioning:java=off", exit_code=4)

    assert "segments: none" in done.stderr


def test_paragraphs_are_asked_for_on_declared_halves(mine):
    mine.declare(more=HALVES)

    usual, other = (mine.run("Counting", f"mine-paragraph-captioning{split}") for split in ("", ":split=ae-val"))

    assert (usual["task"]["split"], usual["measurements"][0]["n"]) == ("ae-test", 3)
    assert (other["task"]["split"], other["measurements"][0]["n"]) == ("ae-val", 2)
    assert values(usual)["BLEU@4"] == pytest.approx(100.0)


def test_equal_segments_are_captioned_and_scored_apart(mine):
    entry = lasting((1.0, 4.0), (1.0, 4.0), (2.0, 2.0))
    mine.write("val_1", {**FIRST, "v_2": entry})

    record = mine.run("Counting", "mine-captioning")

    assert record["measurements"][0]["n"] == 11
    assert values(record)["BLEU@4"] == pytest.approx(100.0)


def test_a_video_without_features_scores_nothing_under_penalise_and_is_left_out_under_exclude(mine):
    (mine.folder / "frames" / "v_2.npy").unlink()
    mine.declare(missing="penalise")
    penalised = mine.run("Counting", "mine-captioning")
    mine.declare(missing="exclude")
    excluded = mine.run("Counting", "mine-captioning")

    assert "missing=penalise-1" in penalised["signature"]
    assert penalised["measurements"][0]["n"] == 10
    assert values(penalised)["ROUGE-L"] == pytest.approx(80.0)
    assert (excluded["status"], excluded["data"]["n_evaluated"]) == ("partial", 4)
    assert values(excluded)["ROUGE-L"] == pytest.approx(100.0)


def test_a_limited_run_is_partial_and_scores_again(mine):
    done = mine("run", "-m", "Counting", "-t", "mine-captioning:java=off", "--limit", "3", "--json")
    record = json.loads(done.stdout)[0]

    assert (record["status"], record["measurements"][0]["n"]) == ("partial", 6)
    mine("rescore", f"runs/{record['run']}")


@pytest.mark.parametrize("model", ["Empty", "Punctuation", "Breaks", "Foreign", "Endless", "Hostile"])
def test_odd_captions_are_kept_as_they_are_and_score_again(mine, model):
    record = mine.run(model, "mine-captioning")

    assert len({said for video in mine.captions(record) for said in video}) == 1
    assert values(record)["BLEU@4"] < 1e-6
    mine("rescore", f"runs/{record['run']}")


def test_line_breaks_in_a_caption_count_as_spaces(mine):
    mine.write("val_1", {name: lasting((0.0, 4.0)) | {"sentences": ["a b c d e f g h i j"]} for name in FIRST})

    assert values(mine.run("Breaks", "mine-captioning"))["BLEU@4"] == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("TooFew", "captions of 4 videos; expected 5"),
        ("MissingSegment", "1 sentence for the 2 segments"),
        ("BareText", "tuple of sentences"),
        ("Numbers", "no tuple of sentences"),
        ("Nothing", "captions as NoneType"),
        ("Raises", "ValueError: out of words"),
    ],
)
def test_a_faulty_captioner_is_one_line_and_exit_code_3(mine, model, says):
    done = mine("run", "-m", model, "-t", "mine-captioning:java=off", exit_code=3)

    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModelError:")
    assert says in last
    assert not list(mine.folder.glob("runs/*/result.json"))


def test_a_model_that_writes_no_captions_is_refused_with_what_it_provides(mine):
    done = mine("run", "-m", "random", "-t", "mine-captioning", exit_code=3)

    assert "needs a VideoCaptioner; model 'random' provides VideoTextEncoder" in done.stderr


def test_segments_other_than_the_annotated_are_refused(mine):
    done = mine("run", "-m", "Counting", "-t", "mine-captioning:segments=uniform-4", exit_code=2)

    assert "one sentence is asked for each annotated segment" in done.stderr


def test_a_record_made_without_java_is_scored_again(mine, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        record = json.loads(mine("run", "-m", "Parrot", "-t", "mine-captioning", "--json").stdout)[0]
        required = mine("run", "-m", "Parrot", "-t", "mine-captioning:java=required", exit_code=1)
    assert "|tokens=regex-2|meteor=1.5-py|" in record["signature"]
    assert required.stderr.strip().splitlines()[-1].startswith("ToolError:")

    mine("rescore", f"runs/{record['run']}")


def test_examples_stand_beside_their_references_and_are_escaped(mine):
    hostile = "<b onclick=alert(1)>it</b> | [lasts](http://x.example) 3.5 seconds"
    entry = FIRST["v_0"] | {"sentences": [hostile, hostile]}
    mine.write("val_1", {**FIRST, "v_0": entry})
    runs = [f"runs/{mine.run(model, 'mine-captioning')['run']}" for model in ("Counting", "Hostile")]

    mine("examples", *runs, "--output", "shown", "--count", "3")

    right, wrong = ((mine.folder / "shown" / f"{run.removeprefix('runs/')}.examples.html") for run in runs)
    page = right.read_text("utf-8")
    assert page.index("Best") < page.index("In the middle") < page.index("Worst")
    assert page.index("it lasts") < page.index("Worst") < page.index("&lt;b onclick=alert(1)&gt;")
    for path in (right, wrong, right.with_suffix(".md"), wrong.with_suffix(".md")):
        text = path.read_text("utf-8")
        assert "<b onclick" not in text
        assert "<img" not in text
        assert path.suffix == ".html" or "http://" not in text  # Markdown would make a link of it


def test_the_best_example_is_the_caption_with_the_highest_score(mine):
    record = mine.run("Parrot", "mine-captioning")
    mine("examples", f"runs/{record['run']}", "--count", "1", "--metric", "ROUGE-L")

    page = (mine.folder / "runs" / record["run"] / f"{record['run']}.examples.md").read_text("utf-8")
    best, middle, worst = (
        [line for line in part.splitlines() if line.startswith("| ") and "seconds" in line]
        for part in page.split("## ")[1:]
    )
    assert [len(best), len(middle), len(worst)] == [1, 1, 1]
    assert best[0].startswith("| 100.0 ")
    assert "it lasts 4.0 seconds" in best[0]
    assert worst[0].startswith("| 75.0 ")


def test_a_record_of_before_captions_were_counted_for_variety_still_has_examples(mine):
    mine.declare(more=HALVES)
    record = mine.run("Counting", "mine-paragraph-captioning")
    assert "Rep-4" in values(record)
    path = mine.folder / "runs" / record["run"] / "result.json"
    record["measurements"] = [one for one in record["measurements"] if one["unit"] == "percent"][:7]
    path.write_text(json.dumps(record))
    mine("examples", path.parent)
    assert "it lasts" in (path.parent / f"{record['run']}.examples.md").read_text("utf-8")


def test_examples_of_densevid_are_scored_one_by_one(mine):
    record = mine.run("Parrot", "mine-captioning:protocol=densevid")
    mine("examples", f"runs/{record['run']}")

    page = (mine.folder / "runs" / record["run"] / f"{record['run']}.examples.md").read_text("utf-8")
    assert "protocol corpus" in page


def test_examples_of_another_kind_of_run_are_refused(mine):
    record = json.loads(mine("run", "-m", "random", "-t", "mine-retrieval-incomplete", "--json").stdout)[0]

    assert "is no captioning or retrieval" in mine("examples", f"runs/{record['run']}", exit_code=3).stderr
    assert "METEOR" in mine("examples", f"runs/{record['run']}", "--metric", "METEOR", exit_code=2).stderr


MSVD = """
version: 1
datasets:
  msvd:
    reader: activitynet
    root: {folder}
    features: vgg16
    segments: none
    splits:
      train: {{file: msvd_test50_captions.json, take: [0, 40]}}
      test: {{file: msvd_test50_captions.json, take: [40, 50]}}
features:
  vgg16: {{reader: npz, path: {folder}/msvd_test50_vgg16_fc_20x4096.npz, extractor: VGG16-fc7, stride: 4 frames of 80}}
"""


def test_the_real_msvd_videos_are_captioned_with_all_their_references(bench_command, shared):
    folder = shared("data/msvd_vgg16")
    (bench_command.folder / "bench.yaml").write_text(MSVD.format(folder=folder))

    done = bench_command("run", "-m", "nearest-caption", "-t", "msvd-captioning:java=off", "--json")

    record = json.loads(done.stdout)[0]
    assert (record["data"]["kind"], record["data"]["n_evaluated"]) == ("real", 10)
    assert "|segments=none|" in record["signature"]
    assert {one["n"] for one in record["measurements"]} == {10}
    assert 0 < values(record)["CIDEr"] < 200


TINY = ("--limit", "6", "--set", "epochs=1", "--json")
BASE = ("--set", "base.epochs=1", "--set", "base.hidden=8")


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("most-frequent-caption", ("--limit", "6", "--json")),
        ("nearest-caption", ("--limit", "6", "--json")),
        ("s2vt", TINY),
        ("dense", TINY),
        ("dvc", TINY),
        ("fse-captioner", (*TINY, *BASE)),
        ("hse-captioner", (*TINY, "--set", "hse-captioner.base.epochs=1", "--set", "base.hidden=8")),
    ],
)
def test_every_bundled_captioner_takes_the_task(bench_command, model, settings):
    done = bench_command("run", "-m", model, "-t", "anet-captioning:java=off", *settings)

    record = json.loads(done.stdout)[0]
    assert record["status"] == "partial"
    assert record["primary"] == "CIDEr"


def test_a_base_that_looks_at_whole_videos_is_fitted_once_for_every_task(bench_command):
    small = ("--set", "epochs=1", "--set", "hidden=8", "--set", "word_dim=8", "--limit", "20")
    bench_command("run", "-m", "fse", "-t", "anet-retrieval", *small)
    based = [f"base.{part}" if "=" in part else part for part in small]
    bench_command("run", "-m", "fse-captioner", "-t", "anet-captioning:java=off", *small[:-2], *based)
    fitted = sorted(path.name.rpartition("-")[0] for path in bench_command.folder.glob("runs/checkpoints/*"))
    assert fitted == ["fse", "fse-captioner"]

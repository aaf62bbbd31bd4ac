"""Zero-shot and linear probe through the command line, on a small set of classes whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.conftest import install

from bench.files import read_tensors

CLASSES = ("CleanAndJerk", "high_jump", "Tai chi", "Walking the dog")
SPLITS = {"50_50": [{"train": ["CleanAndJerk", "high_jump"], "test": ["Tai chi", "Walking the dog"]}]}
YAML = """version: 1
datasets:
  sport: {reader: labels, root: ., features: toy}
features:
  toy: {reader: npz, path: toy.npz, extractor: TOY, trained_on: nothing at all}
"""


def write(folder: Path, rows: list[tuple[str, str, str]], features: dict[str, np.ndarray]) -> None:
    (folder / "bench.yaml").write_text(YAML, encoding="utf-8")
    lines = ["video_id,subset,labels", *(",".join(row) for row in rows)]
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "zero_shot_class_splits.json").write_text(json.dumps(SPLITS), encoding="utf-8")
    np.savez(folder / "toy.npz", ids=np.array(list(features)), features=np.stack(list(features.values()))[:, None])


def world(per_class: int = 6, wrong: int = 2) -> tuple[list[tuple[str, str, str]], dict[str, np.ndarray]]:
    """Returns labels and features of 6 training and 3 test videos a class; `wrong` test videos look like another."""
    rng = np.random.default_rng(0)
    rows, features = [], {}
    for i in range(per_class * 4 + 12):
        training, label = i < per_class * 4, i % 4
        look = (label + 1) % 4 if 0 <= i - per_class * 4 < wrong else label
        features[f"v{i}"] = (np.eye(8)[look] + 0.05 * rng.random(8)).astype(np.float32)
        rows.append((f"v{i}", "train" if training else "test", CLASSES[label]))
    return rows, features


@pytest.fixture
def sport(bench_command: Any, tmp_path: Path) -> Any:
    """Returns the command in a folder with the set `sport` and the models of recognition_models.py."""
    write(bench_command.folder, *world())
    site = install(tmp_path / "site", Path(__file__).with_name("recognition_models.py"), "recognition-models")

    def command(*arguments: Any, exit_code: int = 0) -> Any:
        return bench_command(*arguments, exit_code=exit_code, path=site)

    command.folder = bench_command.folder
    return command


def ran(sport: Any, model: str, task: str, *flags: str) -> dict[str, Any]:
    (record,) = json.loads(sport("run", "-m", model, "-t", task, "--json", *flags).stdout)
    return record


def values(record: dict[str, Any]) -> dict[str, float]:
    return {m["name"]: m["value"] for m in record["measurements"]}


def refused(sport: Any, task: str, exit_code: int, model: str = "Named") -> str:
    said = sport("run", "-m", model, "-t", task, exit_code=exit_code).stderr
    assert "Traceback" not in said
    return said.strip().splitlines()[-1]


def test_names_find_videos_and_the_features_past_stands_beside_the_score(sport: Any) -> None:
    record = ran(sport, "Named", "sport-zero-shot")
    assert values(record)["top1"] == pytest.approx(100 * 10 / 12)
    assert record["data"]["remarks"] == ["the features TOY were trained on: nothing at all"]
    assert (
        "the features TOY were trained on: nothing at all"
        in sport("run", "-m", "Named", "-t", "sport-zero-shot").stdout
    )


def test_a_run_is_scored_again_without_the_model(sport: Any) -> None:
    for model, task in (("Named", "sport-zero-shot:template=ensemble"), ("Headed", "sport-linear-probe")):
        run = ran(sport, model, task)["run"]
        sport("rescore", sport.folder / "runs" / run)


@pytest.mark.parametrize("template", ["name", "ensemble", "a_video_of_{}"])
def test_templates_change_the_signature(sport: Any, template: str) -> None:
    record = ran(sport, "Named", f"sport-zero-shot:template={template}")
    assert values(record)["top1"] > 80
    shown = "ensemble-8" if template == "ensemble" else template
    assert f"|template={shown}|" in record["signature"]


@pytest.mark.parametrize("template", ["name", "ensemble"])
def test_a_model_is_asked_at_each_of_its_levels(sport: Any, template: str) -> None:
    found = {
        level: ran(sport, "Levelled", f"sport-zero-shot:segments=uniform-4,level={level},template={template}")
        for level in ("video", "flat", "clips")
    }
    right = {level: values(record)["top1"] for level, record in found.items()}
    assert right == {"video": pytest.approx(100 * 2 / 12), "flat": 25.0, "clips": pytest.approx(100 * 10 / 12)}
    for level, record in found.items():
        assert f"|level={level}|" in record["signature"]
        sport("rescore", sport.folder / "runs" / record["run"])


def test_a_score_of_clips_is_the_mean_of_their_cosines(sport: Any) -> None:
    run = sport.folder / "runs" / ran(sport, "Levelled", "sport-zero-shot:segments=uniform-4,level=clips")["run"]
    arrays, _ = read_tensors(run / "predictions.safetensors")
    rows, features = world()
    looks = np.stack([features[video][:4] for video, part, _ in rows if part == "test"])
    clips = np.stack([looks, looks, looks, np.roll(looks, 1, axis=1)], axis=1)
    names = np.eye(4) + 0.01
    cosines = clips @ names / np.linalg.norm(clips, axis=2)[..., None] / np.linalg.norm(names, axis=1)
    expected = cosines.mean(axis=1)[:, np.argsort(CLASSES)]  # classes are answered in the order of their names
    np.testing.assert_allclose(np.sort(arrays["scores"], axis=0), np.sort(expected, axis=0), atol=1e-6)


def test_levels_that_a_model_lacks_are_refused_in_a_line_and_skipped_beside_others(sport: Any) -> None:
    said = refused(sport, "sport-zero-shot:level=clips", 3)
    assert "task 'sport-zero-shot:level=clips' needs a ClipTextEncoder; model 'Named' provides VideoTextEncoder" in said
    assert "needs a FlatTextEncoder" in refused(sport, "sport-zero-shot:level=flat", 3)
    both = sport("run", "-m", "Named", "-m", "Levelled", "-t", "sport-zero-shot:level=flat", exit_code=5)
    assert "skipped" in both.stderr
    assert len(list((sport.folder / "runs").glob("Levelled*/result.json"))) == 1


def test_levels_stand_in_tables_of_their_own_and_an_older_record_in_that_of_whole_videos(sport: Any) -> None:
    task = "sport-zero-shot:segments=uniform-4"
    ran(sport, "Levelled", task)
    ran(sport, "Levelled", f"{task},level=clips")
    older = sport.folder / "runs" / ran(sport, "Named", task)["run"] / "result.json"
    older.write_text(older.read_text(encoding="utf-8").replace("level=video|", ""), encoding="utf-8")
    sport("rescore", older.parent)
    sport("leaderboard", "build", "--results", "runs", "--output", "board")
    page = (sport.folder / "board" / "sport-zero-shot.md").read_text(encoding="utf-8")
    tables = {part.split(",")[1].strip(): part for part in page.split("### ")[1:]}
    assert {heading: [name in part for name in ("Levelled", "Named")] for heading, part in tables.items()} == {
        "whole videos compared": [True, True],
        "clips compared": [True, False],
    }


def test_a_class_split_asks_its_videos_and_answers_its_classes(sport: Any) -> None:
    unseen, seen = (ran(sport, "Named", f"sport-zero-shot:classes={half}-50-0") for half in ("unseen", "seen"))
    assert [r["data"]["n_evaluated"] for r in (unseen, seen)] == [6, 6]
    assert [r["status"] for r in (unseen, seen)] == ["complete", "complete"]
    assert values(unseen)["top1"] == 100.0  # the two that look like others are of the other half
    assert unseen["signature"].split("pool=")[1][:10] != seen["signature"].split("pool=")[1][:10]
    sport("rescore", sport.folder / "runs" / unseen["run"])


def test_the_probe_learns_and_seeds_differ_in_what_they_hold_out(sport: Any) -> None:
    records = json.loads(sport("run", "-m", "features", "-t", "sport-linear-probe", "--seeds", "0,1", "--json").stdout)
    assert [values(r)["top1"] for r in records] == [pytest.approx(100 * 10 / 12)] * 2
    log = (sport.folder / "runs" / records[0]["run"] / "log.txt").read_text(encoding="utf-8")
    assert "probe on 24 videos: C = " in log
    assert "% on the held-out part (no estimate of a test: it chose C" in log


def test_few_shots_are_part_of_the_signature(sport: Any) -> None:
    record = ran(sport, "features", "sport-linear-probe:shots=2")
    assert "|shots=2|" in record["signature"]
    assert values(record)["top1"] > 50


def test_other_training_labels_are_another_run(sport: Any) -> None:
    record = ran(sport, "features", "sport-linear-probe")
    assert set(record["data"]["annotations"]) == {"train", "test"}
    rows, features = world()
    rows[0] = ("v0", "train", "high_jump")
    write(sport.folder, rows, features)
    other = ran(sport, "features", "sport-linear-probe")
    assert other["run"] != record["run"]
    assert other["signature"] != record["signature"]
    assert other["data"]["annotations"]["test"] == record["data"]["annotations"]["test"]


def test_a_model_with_a_classifier_is_asked_for_its_scores(sport: Any) -> None:
    record = ran(sport, "Headed", "sport-linear-probe")
    assert values(record)["top1"] == pytest.approx(100 * 10 / 12)
    assert record["provenance"]["checkpoint"] is not None


def test_few_shots_need_an_encoder_of_a_model_with_a_classifier(sport: Any) -> None:
    assert values(ran(sport, "Headed", "sport-linear-probe:shots=1"))["top1"] > 50
    assert "needs a VideoEncoder" in refused(sport, "sport-linear-probe:shots=1", 3, "TooFewClasses")


def test_a_constant_model_gets_chance(sport: Any) -> None:
    assert values(ran(sport, "Constant", "sport-zero-shot"))["top1"] == pytest.approx(25.0)


def test_models_are_compared_video_by_video(sport: Any) -> None:
    runs = [sport.folder / "runs" / ran(sport, model, "sport-zero-shot")["run"] for model in ("Named", "Constant")]
    out = sport("compare", *runs, "--json").stdout
    assert '"top1"' in out


def test_records_make_a_board(sport: Any) -> None:
    ran(sport, "Named", "sport-zero-shot")
    ran(sport, "Constant", "sport-zero-shot")
    sport("leaderboard", "build", "--results", "runs", "--output", "board")
    page = (sport.folder / "board" / "sport-zero-shot.md").read_text(encoding="utf-8")
    assert "mean class" in page
    assert page.index("Named") < page.index("Constant")


@pytest.mark.parametrize(
    ("task", "exit_code", "message"),
    [
        ("sport-zero-shot:template=nothing", 2, "no template"),
        (
            "sport-zero-shot:prompt=x",
            2,
            "has no parameter 'prompt'. Parameters: segments, set, level, template, classes",
        ),
        ("sport-zero-shot:level=sequence", 2, "level=sequence: use video, flat, clips."),
        ("sport-zero-shot:classes=new", 2, "Use all, or a part of zero_shot_class_splits.json"),
        ("sport-zero-shot:classes=unseen-50-7", 2, "holds 1 splits of 50 %"),
        ("sport-zero-shot:classes=unseen-75-0", 2, "holds splits 50_50"),
        ("sport-linear-probe:shots=0", 2, "use all, or a number"),
        ("sport-linear-probe:shots=7", 2, "the smallest class has 6 training videos"),
    ],
)
def test_requests_that_cannot_be_met(sport: Any, task: str, exit_code: int, message: str) -> None:
    assert message in refused(sport, task, exit_code)


@pytest.mark.parametrize(
    ("model", "task", "message"),
    [
        ("NotANumber", "sport-linear-probe", "NaN or infinity"),
        ("TooFewClasses", "sport-linear-probe", "expected (12, 4)"),
        ("AllZero", "sport-zero-shot", "12 of 12 video embeddings are all zeros"),
        ("AllZero", "sport-linear-probe", "24 of 24 training video embeddings are all zeros"),
        ("features", "sport-zero-shot", "needs a VideoTextEncoder"),
    ],
)
def test_models_that_cannot_be_scored(sport: Any, model: str, task: str, message: str) -> None:
    assert message in refused(sport, task, 3, model)


def test_a_class_without_training_videos_is_never_predicted_and_counts(sport: Any) -> None:
    rows, features = world(wrong=0)
    write(sport.folder, [row for row in rows if row[1:] != ("train", "Tai chi")], features)
    record = ran(sport, "features", "sport-linear-probe")
    assert values(record)["top1"] == 75.0
    log = (sport.folder / "runs" / record["run"] / "log.txt").read_text(encoding="utf-8")
    assert "1 class without training videos" in log
    assert "3 videos of classes that no training video has, kept" in sport("data", "verify", "sport").stdout


def test_one_class_alone_cannot_be_learned(sport: Any) -> None:
    rows, features = world()
    write(sport.folder, [row for row in rows if row[1] == "test" or row[2] == "Tai chi"], features)
    assert "at least two classes; 6 videos of 1 are here" in refused(sport, "sport-linear-probe", 4)


def test_two_classes_of_one_prompt_are_refused(sport: Any) -> None:
    rows, features = world()
    write(sport.folder, [(v, part, "HighJump" if c == "Tai chi" else c) for v, part, c in rows], features)
    said = refused(sport, "sport-zero-shot", 4)
    assert "'HighJump' and 'high_jump' have one prompt, 'high jump'" in said.replace("High Jump", "high jump")


@pytest.mark.parametrize(
    ("row", "message"),
    [("v0,test,", "has no class"), ("v0,train,Tai chi", "occurs twice"), ("v99,dev,Tai chi", "subset 'dev'")],
)
def test_labels_that_are_wrong_name_the_row(sport: Any, row: str, message: str) -> None:
    with (sport.folder / "labels.csv").open("a", encoding="utf-8") as file:
        file.write("\n" + row)
    assert message in refused(sport, "sport-zero-shot", 4)


def test_features_with_nan_are_refused(sport: Any) -> None:
    rows, features = world()
    features["v30"][3] = np.nan
    write(sport.folder, rows, features)
    assert "v30" in refused(sport, "sport-linear-probe", 4, "features")


def test_constant_and_repeated_columns_change_no_answer(sport: Any) -> None:
    rows, features = world()
    write(sport.folder, rows, {v: np.concatenate([x, x, np.ones(3, np.float32)]) for v, x in features.items()})
    assert values(ran(sport, "features", "sport-linear-probe"))["top1"] == pytest.approx(100 * 10 / 12)


def test_missing_features_are_penalised(sport: Any) -> None:
    rows, features = world(wrong=0)
    del features[next(v for v, part, _ in rows if part == "test")]
    write(sport.folder, rows, features)
    yaml = sport.folder / "bench.yaml"
    assert "has no features" in refused(sport, "sport-zero-shot", 4)
    yaml.write_text(YAML.replace("features: toy}", "features: toy, missing: penalise}"), encoding="utf-8")
    for task in ("sport-zero-shot", "sport-linear-probe"):
        assert values(ran(sport, "Named", task))["top1"] == pytest.approx(100 * 11 / 12)
    yaml.write_text(YAML.replace("features: toy}", "features: toy, missing: exclude}"), encoding="utf-8")
    record = ran(sport, "Named", "sport-zero-shot")
    assert values(record)["top1"] == 100.0
    assert record["status"] == "partial"


def test_the_sample_has_both_tasks_and_says_what_captions_name(bench_command: Any) -> None:
    (record,) = json.loads(
        bench_command("run", "-m", "random", "-t", "anet-zero-shot", "--limit", "40", "--json").stdout
    )
    assert "class names stand word for word in the training captions" in record["data"]["remarks"][0]
    listed = bench_command("list", "tasks").stdout
    assert "anet-zero-shot" in listed
    assert "anet-linear-probe" in listed
    assert "didemo-zero-shot" not in listed

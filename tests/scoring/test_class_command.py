"""`bench score classification`: submissions, labels in every form, records, and files that cannot be scored."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent.parent / "golden" / "activitynet_tool"
LABELS = {"v_a": ["run", "run", "jump"], "v_b": ["jump"], "v_c": ["swim"], "v_d": ["run"]}
SAID = {
    "v_a": {"jump": 0.9, "run": 0.1, "swim": 0.0},
    "v_b": {"run": 0.5, "jump": 0.4, "swim": 0.1},
    "v_c": {"swim": 2.0, "run": 1.0, "jump": 0.0},
    "v_d": {"run": 1.0, "jump": 0.0, "swim": -1.0},
}


def write(folder: Path, name: str, value: Any) -> Path:
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder / name


def scored(command: Any, said: Any = SAID, labels: Any = LABELS, *flags: str) -> dict[str, Any]:
    files = write(command.folder, "said.json", said), write(command.folder, "labels.json", labels)
    done = command("score", "classification", "--predictions", files[0], "--labels", files[1], "--json", *flags)
    return {**json.loads(done.stdout), "remarks": done.stderr}


def values(record: dict[str, Any]) -> dict[str, float]:
    return {m["name"]: m["value"] for m in record["measurements"]}


def refused(command: Any, said: Any, labels: Any = LABELS, exit_code: int = 4, flags: tuple[str, ...] = ()) -> str:
    files = write(command.folder, "said.json", said), write(command.folder, "labels.json", labels)
    arguments = ("score", "classification", "--predictions", files[0], "--labels", files[1], *flags)
    said = command(*arguments, exit_code=exit_code).stderr
    assert said.count("\n") == 1
    return said


def test_a_worked_case(bench_command: Any) -> None:
    found = values(scored(bench_command))
    assert found["top1"] == 75.0
    assert found["main/top1"] == 50.0
    # jump: a right (among its labels), b wrong; run: a right, d right; swim: right.
    assert found["mean_class/top1"] == pytest.approx(100 * (0.5 + 1 + 1) / 3)
    assert set(found) == {"top1", "mean_class/top1", "main/top1", "mAP"}


def test_an_official_submission_gets_the_official_figures(bench_command: Any) -> None:
    files = [GOLDEN / name for name in ("submission.json", "ground_truth.json")]
    done = bench_command("score", "classification", "--predictions", files[0], "--labels", files[1], "--json")
    expected = json.loads((GOLDEN / "scores.json").read_text())
    found = values(json.loads(done.stdout))
    assert found["mAP"] == pytest.approx(100 * expected["mAP"])
    assert found["Hit@3"] == pytest.approx(100 * expected["Hit@3"])
    assert "2 labelled videos without a prediction" in done.stderr


@pytest.mark.parametrize("packed", [False, True])
def test_every_form_of_predictions_gives_the_same(bench_command: Any, packed: bool) -> None:
    entries = {v[2:]: [{"label": c, "score": s} for c, s in told.items()] for v, told in SAID.items()}
    forms: list[Any] = [{"version": "VERSION 1.3", "results": entries, "external_data": {}}, entries, SAID]
    expected = values(scored(bench_command))
    for form in forms:
        assert values(scored(bench_command, form)) == expected
    if packed:
        path = bench_command.folder / "said.json.gz"
        path.write_bytes(gzip.compress(json.dumps(forms[0]).encode()))
        labels = write(bench_command.folder, "labels.json", LABELS)
        done = bench_command("score", "classification", "--predictions", path, "--labels", labels, "--json")
        assert values(json.loads(done.stdout)) == expected


def test_every_form_of_labels_gives_the_same(bench_command: Any) -> None:
    database = {
        v: {"subset": "validation", "annotations": [{"label": c, "segment": [0, 1]} for c in own]}
        for v, own in LABELS.items()
    }
    database["v_t"] = {"subset": "training", "annotations": [{"label": "run"}]}
    database["v_h"] = {"subset": "testing", "annotations": []}
    expected = scored(bench_command)
    for form in (
        {"database": database, "version": "VERSION 1.3", "taxonomy": []},
        {v: {"action_labels": own, "duration": 3.0} for v, own in LABELS.items()},
    ):
        found = scored(bench_command, SAID, form)
        assert values(found) == values(expected)
        assert found["data"]["annotations"] == expected["data"]["annotations"]
    rows = [f"{v},validation,{'|'.join(dict.fromkeys(own))}" for v, own in LABELS.items()]
    table = write(bench_command.folder, "labels.csv", "\n".join(["video_id,subset,labels", *rows, "v_t,training,run"]))
    said = bench_command.folder / "said.json"
    done = bench_command("score", "classification", "--predictions", said, "--labels", table, "--json")
    assert values(json.loads(done.stdout)) == values(expected)


def test_a_class_alone_is_a_prediction(bench_command: Any) -> None:
    found = values(scored(bench_command, {"a": "jump", "b": "run", "c": "swim", "d": "run"}))
    assert found["top1"] == 75.0


def test_videos_of_one_side_alone_are_said(bench_command: Any) -> None:
    record = scored(bench_command, {"v_a": "run", "v_x": "run"}, {**LABELS, "v_e": []})
    assert values(record)["top1"] == 25.0
    for remark in (
        "3 labelled videos without a prediction, counted as never recognised",
        "1 predicted video without a label left out",
        "1 video of the subset without a label left out",
    ):
        assert remark in record["remarks"]


def test_the_record_can_stand_on_a_board(bench_command: Any) -> None:
    flags = ("--output", "out", "--data-kind", "real", "--name", "mine", "--task", "anet-zero-shot")
    record = scored(bench_command, SAID, LABELS, *flags)
    assert record["primary"] == "top1"
    assert record["status"] == "complete"
    done = bench_command("leaderboard", "build", "--results", "out", "--output", "board")
    assert done.returncode == 0
    assert "mine" in (bench_command.folder / "board" / "anet-zero-shot.md").read_text(encoding="utf-8")


def test_two_files_are_compared_video_by_video(bench_command: Any) -> None:
    others = {**SAID, "v_b": "jump"}
    for name, said in (("one", SAID), ("other", others)):
        scored(bench_command, said, LABELS, "--output", name, "--data-kind", "real", "--name", name)
    folders = [next((bench_command.folder / name).iterdir()) for name in ("one", "other")]
    out = bench_command("compare", folders[0], folders[1], "--metric", "top1").stdout
    assert "-25.0" in out


def test_a_class_of_no_label_names_the_nearest(bench_command: Any) -> None:
    assert "'runn' is none of the 3 classes of the labels. Did you mean 'run'?" in refused(
        bench_command, {"v_a": {"runn": 1.0}}
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"v_a": [{"label": "run", "score": float("nan")}]}, "score nan is no finite number"),
        ({"v_a": {"run": "0.5"}}, "score '0.5' is no finite number"),
        ({"v_a": {"run": True}}, "score True is no finite number"),
        ({"v_a": [{"label": "run", "score": 1}, {"label": "run", "score": 2}]}, "has class 'run' twice"),
        ({"v_a": [{"label": "run"}]}, "an entry without label and score"),
        ({"v_a": [{"label": 3, "score": 1}]}, "a class that is no text"),
        ({"v_a": 3}, "holds numbers without names of classes"),
        ({}, "holds no JSON object of videos"),
        ([], "holds no JSON object of videos"),
        ('{"v_a": "run", "v_a": "jump"}', "'v_a' occurs twice"),
        ('{"v_a": ', "is not whole JSON"),
        ({"v_x": "run"}, "none of the 1 predicted video"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(bench_command: Any, said: Any, message: str) -> None:
    assert message in refused(bench_command, said)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"v_a": {"duration": 3}}, "has no classes under action_labels or annotations"),
        ({"v_a": [3]}, "a class that is no text"),
        ({"v_a": []}, "names no class"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(bench_command: Any, labels: Any, message: str) -> None:
    assert message in refused(bench_command, SAID, labels)


def test_a_subset_must_be_there_and_be_one(bench_command: Any) -> None:
    labels = {v: {"subset": part, "action_labels": ["run", "jump"]} for v, part in (("v_a", "val"), ("v_b", "test"))}
    assert "several subsets" in refused(bench_command, SAID, labels, 2)
    assert "has test, val. Use one" in refused(bench_command, SAID, labels, 2, ("--subset", "dev"))


def test_a_table_with_a_video_twice_is_refused(bench_command: Any) -> None:
    said = write(bench_command.folder, "said.json", SAID)
    table = write(bench_command.folder, "labels.csv", "video_id,labels\nv_a,run\nv_a,jump\n")
    done = bench_command("score", "classification", "--predictions", said, "--labels", table, exit_code=4)
    assert "video 'v_a' occurs twice" in done.stderr


def test_real_labels_are_read(bench_command: Any, shared: Any) -> None:
    """4,926 validation videos of ActivityNet v1.3; seven of them have two classes."""
    table = shared("data/activitynet_v1-3/labels.csv")
    json_form = shared("data/activitynet_v1-3/anet1.3_val.json.gz")
    said = write(bench_command.folder, "said.json", {"--1DO2V4K74": "Tai chi"})
    found = []
    for path in (table, json_form):
        done = bench_command("score", "classification", "--predictions", said, "--labels", path, "--json")
        found.append(json.loads(done.stdout))
    assert [record["measurements"][0]["n"] for record in found] == [4926, 4926]
    assert found[0]["data"]["annotations"] == found[1]["data"]["annotations"]


@pytest.mark.parametrize("labels", [{"v_a": ["run"]}, {"v_a": ["run"], "v_b": ["run"]}])
def test_labels_of_a_single_class_measure_nothing(bench_command: Any, labels: Any) -> None:
    said = refused(bench_command, dict.fromkeys(labels, "run"), labels)
    assert "the labels name one class, 'run', so every prediction is right and nothing is measured" in said


@pytest.mark.parametrize("said", [{"v_a": {}}, {"v_a": []}, {"v_a": "run"}])
def test_two_videos_are_enough_to_be_scored(bench_command: Any, said: Any) -> None:
    record = scored(bench_command, said, {"v_a": ["run"], "v_b": ["jump"]})
    assert values(record)["top1"] == (50.0 if said["v_a"] else 0.0)
    for measurement in record["measurements"]:
        low, high = measurement["ci95"] or (0.0, 100.0)
        assert 0.0 <= low <= measurement["value"] <= high <= 100.0
        assert high - low > 80.0

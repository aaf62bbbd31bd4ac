"""`groups:` of a dataset: clips of one source are held out together, and each held-out figure says what it is worth."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

CLASSES = ("Rowing", "Archery", "Surfing", "YoYo")
PATTERN = "{group}_c*"
RECOGNITION = """version: 1
datasets:
  clips: {{reader: labels, root: ., features: toy{more}}}
features:
  toy: {{reader: npz, path: toy.npz, extractor: TOY}}
"""
RETRIEVAL = """version: 1
datasets:
  clips:
    reader: captions
    root: .
    features: toy
    captions: each
    splits: {{train: {{file: said.json, take: [0, 100]}}, test: {{file: said.json, take: [100, 120]}}}}{more}
features:
  toy: {{reader: npz, path: toy.npz, extractor: TOY}}
"""


def declare(folder: Any, form: str, groups: str = "") -> None:
    more = "" if not groups else f", groups: '{groups}'" if form is RECOGNITION else f"\n    groups: '{groups}'"
    (folder / "bench.yaml").write_text(form.format(more=more), encoding="utf-8")


@pytest.fixture
def clips(bench_command: Any) -> Any:
    """Returns the command in a folder of four classes of six groups of five clips: near twins, of no look of a class.

    Group g06 of each class is for testing. Groups are counted anew in each class, as in UCF101.
    """
    rng = np.random.default_rng(0)
    ids = [f"v_{name}_g{g:02}_c{c:02}" for g in range(1, 7) for name in CLASSES for c in range(1, 6)]
    looks = {video_id[:-4]: rng.normal(size=32) for video_id in ids}
    features = np.stack([looks[video_id[:-4]] + 0.01 * rng.normal(size=32) for video_id in ids])
    np.savez(bench_command.folder / "toy.npz", ids=np.array(ids), features=features[:, None].astype(np.float32))
    rows = [f"{video_id},{'test' if '_g06_' in video_id else 'train'},{video_id.split('_')[1]}" for video_id in ids]
    (bench_command.folder / "labels.csv").write_text("\n".join(["video_id,subset,labels", *rows]), encoding="utf-8")
    said = {video_id: [" ".join(video_id.split("_")[1:3])] for video_id in ids}
    (bench_command.folder / "said.json").write_text(json.dumps(said), encoding="utf-8")
    table = ["video_id,group", *(f"{video_id},{video_id[:-4]}" for video_id in ids)]
    (bench_command.folder / "groups.csv").write_text("\n".join(table), encoding="utf-8")
    return bench_command


def ran(clips: Any, model: str, task: str, *flags: str) -> tuple[dict[str, Any], str]:
    """Returns the record of a run, and what its log says."""
    (record,) = json.loads(clips("run", "-m", model, "-t", task, "--json", *flags).stdout)
    return record, (clips.folder / "runs" / record["run"] / "log.txt").read_text(encoding="utf-8")


def probed(clips: Any, groups: str) -> tuple[dict[str, Any], float, str]:
    """Returns record, top1 on the held-out part and the remark on it of a probe."""
    declare(clips.folder, RECOGNITION, groups)
    record, log = ran(clips, "features", "clips-linear-probe")
    match = re.search(r"top1 ([0-9.]+) % on the held-out part \((.*)\)", log)
    assert match
    return record, float(match[1]), match[2]


def test_twins_of_held_out_clips_flatter_a_probe_and_whole_groups_do_not(clips: Any) -> None:
    single, flattered, warned = probed(clips, "")
    whole, honest, said = probed(clips, PATTERN)
    assert flattered > 90  # each has twins among the others, although looks tell nothing of a class
    assert honest < 60
    assert warned == "no estimate of a test: it chose C, and its videos may share sources with the rest"
    assert said == "whole groups were held out; it chose C"
    assert "|groups=" not in single["signature"]
    assert "|groups=" in whole["signature"]
    assert single["run"] != whole["run"]


def test_a_table_says_what_a_pattern_says(clips: Any) -> None:
    by_pattern, by_table = (probed(clips, groups)[0] for groups in (PATTERN, "groups.csv"))
    assert by_pattern["run"] == by_table["run"]
    assert by_pattern["signature"] == by_table["signature"]


def test_a_model_that_chose_its_epoch_on_whole_groups_is_another_and_is_called_so(clips: Any) -> None:
    records, logs = [], []
    for groups in ("", PATTERN):
        declare(clips.folder, RETRIEVAL, groups)
        flags = ("--set", "selection=held-out", "--set", "epochs=1", "--set", "hidden=8")
        record, log = ran(clips, "fse", "clips-retrieval", *flags)
        records.append(record)
        logs.append(log)
    single, whole = (record["provenance"]["checkpoint"] for record in records)
    assert (single["selection"], whole["selection"]) == ("held-out", "held-out groups")
    assert single["key"] != whole["key"]
    assert records[0]["signature"] == records[1]["signature"]  # the test is the same
    assert "10 videos held out to choose by; they may share sources with the rest: no estimate of a test" in logs[0]
    assert "10 videos held out to choose by: 2 whole of 20 groups" in logs[1]
    clips("leaderboard", "build", "--results", "runs", "--output", "board")
    page = (clips.folder / "board" / "models" / "fse.html").read_text(encoding="utf-8")
    assert "selected by held-out videos, which may share sources with the rest" in page
    assert "selected by held-out groups, none split" in page


def test_verify_counts_the_groups_of_training_videos(clips: Any) -> None:
    declare(clips.folder, RECOGNITION, PATTERN)
    said = clips("data", "verify", "clips").stdout
    assert "train: 20 groups, held out whole; the largest is 'v_Rowing_g01', 5 videos" in said
    assert "test: 20 groups" not in said


FIRST = "v_Rowing_g01_c01"


@pytest.mark.parametrize(
    ("groups", "table", "message"),
    [
        ("x_{group}_c*", "", f"100 of 100 videos of train have no group, such as '{FIRST}'"),
        ("v_{group}ing_g*", "", "50 of 100 videos of train have no group, such as 'v_Archery_g01_c01'"),
        ("{group}_*_g*", "", f"all 100 videos of train are of one group, 'v', such as '{FIRST}'"),
        ("few.csv", f"video_id,group\n{FIRST},a\n", "99 of 100 videos of train have no group, such as 'v_Rowing_g01_c"),
        ("few.csv", f"video_id,group\n{FIRST},\n", f"100 of 100 videos of train have no group, such as '{FIRST}'"),
        ("few.csv", f"video_id,group\n{FIRST},a\n{FIRST},b\n", f"row 3: video '{FIRST}' is of group 'b', and of 'a'"),
        ("few.csv", f"video,group\n{FIRST},a\n", "no column video_id"),
        ("none.csv", "", "none.csv: no such file. It names the group of each video, in columns video_id and group."),
    ],
)
def test_groups_that_do_not_fit_are_one_line_that_names_a_video(
    clips: Any, groups: str, table: str, message: str
) -> None:
    declare(clips.folder, RECOGNITION, groups)
    (clips.folder / "few.csv").write_text(table, encoding="utf-8")
    done = clips("run", "-m", "features", "-t", "clips-linear-probe", exit_code=4)
    assert message in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(clips.folder.glob("runs/*/result.json"))


@pytest.mark.parametrize("groups", ["{group}_{group}", "v_*_c*", "groups.txt"])
def test_what_is_neither_pattern_nor_table_is_refused_with_both_forms(clips: Any, groups: str) -> None:
    declare(clips.folder, RECOGNITION, groups)
    said = clips("data", "verify", "clips", exit_code=2).stderr
    assert f"bench.yaml: datasets.clips.groups: '{groups}': write a pattern that all ids match" in said

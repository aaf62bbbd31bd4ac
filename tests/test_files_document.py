"""docs/files.md names every form of file that is read, each of them is read, and its conversions work."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

PROJECT = Path(__file__).resolve().parent.parent
TEXT = (PROJECT / "docs" / "files.md").read_text(encoding="utf-8")
DATASET = "  {name}: {{reader: {reader}, root: ., features: simulated, splits: {splits}{more}}}\n"
CAPTIONS = ", segments: none, captions: each"


def rows_of(section: str) -> dict[str, str]:
    """Returns the first two cells of each row of the table in a section, without code marks."""
    part = TEXT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in part.splitlines() if line.startswith("| ")]
    return {row[0].strip("` "): row[1].strip() for row in cells[1:]}


def block_with(words: str) -> str:
    """Returns the first block of Python that says some words."""
    return next(block for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S) if words in block)


def test_the_layouts_of_features_are_those_that_are_offered(bench_command: Any) -> None:
    offered = json.loads(bench_command("features", "layouts", "--json").stdout)
    ours = {name: summary for name, summary in offered.items() if name in rows_of("Features")}
    assert rows_of("Features") == ours
    table = bench_command("features", "layouts").stdout
    assert all(name in table for name in offered)


def captions() -> dict[str, tuple[str, str]]:
    """Returns a file of each form of captions, two of video a and one of b: name and text."""
    said = {"a": ["a man runs", "somebody runs"], "b": ["a dog sleeps"]}
    each = [(video, text) for video, texts in said.items() for text in texts]
    videos = [{"video_id": v, "split": "test", "start time": 0, "end time": 9} for v in said]
    sentences = [{"video_id": v, "caption": t, "sen_id": 0} for v, t in each]
    flat = [{"image_id": v, "caption": t} for v, t in each]
    steps = {v: [{"segment": [k, k + 2], "sentence": t} for k, t in enumerate(texts)] for v, texts in said.items()}
    cook = {v: {"subset": "validation", "duration": 9, "annotations": own} for v, own in steps.items()}
    msvd = [f"{v},1,4,English,{t}" for v, t in each] + ["a,1,4,German,ein Mann rennt"]
    return {
        "MSR-VTT": (
            "videodatainfo.json",
            json.dumps({"videos": videos, "sentences": sentences}),
        ),
        "VATEX": ("vatex.json", json.dumps([{"videoID": v, "enCap": t, "chCap": ["x"]} for v, t in said.items()])),
        "YouCook2": ("cook.json", json.dumps({"database": cook})),
        "MSVD table": ("msvd.csv", "\n".join(["VideoID,Start,End,Language,Description", *msvd])),
        "MSVD lines": ("msvd.txt", "\n".join(f"{v} {t}" for v, t in each)),
        "LSMDC": ("lsmdc.csv", "\n".join("\t".join([v, *["0:0:1.0"] * 4, t]) for v, t in each)),
        "Charades-STA": ("sta.txt", "\n".join(f"{v} {k}.5 {k + 2}.0##{t}" for k, (v, t) in enumerate(each))),
        "table": ("table.csv", "\n".join(["key,video_id,sentence", *(f"k,{v},{t}" for v, t in each)])),
        "lists of captions": ("lists.json", json.dumps([{"video": v, "caption": t} for v, t in said.items()])),
        "by video": ("by.json", json.dumps(said)),
        "COCO": ("coco.json", json.dumps({"annotations": flat})),
        "JSON Lines": ("lines.jsonl", "\n".join(map(json.dumps, flat))),
    }


def declare(bench_command: Any, datasets: str) -> None:
    (bench_command.folder / "bench.yaml").write_text("version: 1\ndatasets:\n" + datasets)


def test_every_form_of_captions_is_read(bench_command: Any) -> None:
    assert set(rows_of("Captions")) == set(captions())
    datasets = ""
    (bench_command.folder / "Charades_v1_test.csv").write_text("id,subject,length\na,x,9.0\nb,y,8.5\n")
    for number, (form, (file, text)) in enumerate(captions().items()):
        (bench_command.folder / file).write_text(text)
        more = ", segments: gt" if form in ("YouCook2", "Charades-STA") else CAPTIONS
        splits = f"{{test: {{file: {file}}}}}"
        datasets += DATASET.format(name=f"d{number}", reader="captions", splits=splits, more=more)
    declare(bench_command, datasets)
    out = bench_command("data", "verify", *(f"d{number}" for number in range(len(captions())))).stdout
    for number, form in enumerate(captions()):
        assert re.search(rf"^d{number}: test: 2 videos, 3 (captions|sentences|segments)", out, re.MULTILINE), (
            form,
            out,
        )
        assert f"d{number}: ok" in out


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("msvd_captions/training_label.json.gz", "1,450 videos, 24,232 captions"),
        ("msrvtt_lists/MSRVTT_JSFUSION_test.csv", "1,000 videos, 1,000 captions"),
    ],
)
def test_real_files_of_captions_are_read(bench_command: Any, shared: Any, file: str, counts: str) -> None:
    splits = f"{{test: {{file: {shared(f'data/{file}')}}}}}"
    declare(bench_command, DATASET.format(name="real", reader="captions", splits=splits, more=CAPTIONS))
    out = bench_command("data", "verify", "real").stdout
    assert f"test: {counts}" in out
    assert "real: ok" in out


def test_times_of_charades_sta_are_no_captions(bench_command: Any) -> None:
    file, text = captions()["Charades-STA"]
    (bench_command.folder / file).write_text(text)
    splits = f"{{test: {{file: {file}}}}}"
    declare(bench_command, DATASET.format(name="sta", reader="captions", splits=splits, more=CAPTIONS))
    assert "Say segments: gt" in bench_command("data", "verify", "sta", exit_code=4).stderr
    declare(bench_command, DATASET.format(name="sta", reader="captions", splits=splits, more=", segments: gt"))
    said = bench_command("data", "verify", "sta", exit_code=4).stderr
    assert "nothing says how long video 'a' is. For Charades-STA, put Charades_v1_train.csv" in said


CLASS_LISTS = {
    "UCF101": ("list01.txt", "Run/v_Run_g01_c01.avi 2\nJump/v_Jump_g01_c02.avi 1\n", "v_Run_g01_c01", "v_Jump_g01_c02"),
    "Kinetics": (
        "list.csv",
        "label,youtube_id,time_start,time_end,split\nRun,-ab,5,15,val\nJump,cd_,0,10,val\n",
        "-ab_000005_000015",
        "cd__000000_000010",
    ),
}


@pytest.mark.parametrize("form", list(CLASS_LISTS))
def test_lists_of_classes_are_read(bench_command: Any, form: str) -> None:
    assert set(rows_of("Classes")) == {"labels.csv", *CLASS_LISTS}
    file, text, runs, jumps = CLASS_LISTS[form]
    folder = bench_command.folder
    (folder / file).write_text(text)
    (folder / f"train{file}").write_text(text.replace("g01", "g08").replace("-ab", "xy").replace("cd_", "zz"))
    splits = f"{{train: {{file: train{file}}}, test: {{file: {file}}}}}"
    declare(bench_command, DATASET.format(name="acts", reader="labels", splits=splits, more=""))
    out = bench_command("data", "verify", "acts").stdout
    assert "train: 2 videos" in out
    assert "test: 2 videos" in out
    assert "acts-linear-probe" in bench_command("list", "tasks").stdout

    (folder / "said.json").write_text(json.dumps({runs: "Run", jumps: {"class": "Run", "score": 0.5}}))
    done = bench_command("score", "classification", "--predictions", "said.json", "--labels", file, "--json")
    values = {m["name"]: m["value"] for m in json.loads(done.stdout)["measurements"]}
    assert values["top1"] == 50.0


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("l.txt", "a.avi 1\nb.avi 2\n", "HMDB51 has such a file for each class: docs/files.md has the lines"),
        ("l.txt", "just words here\n", "Expected Class/video.avi"),
        ("l.txt", "Run/a.avi 1\nRun/a.avi 1\n", "video 'a' occurs twice"),
        ("l.txt", "\n", "lists no videos"),
        ("l.csv", "label,youtube_id,time_start,time_end\nRun,ab,x,9\n", "row 2: expected a label, and whole seconds"),
        ("l.csv", "video,class\na,b\n", "no column label, time_end, time_start, youtube_id"),
    ],
)
def test_lists_that_name_no_classes_are_refused(bench_command: Any, file: str, text: str, says: str) -> None:
    (bench_command.folder / file).write_text(text)
    splits = f"{{test: {{file: {file}}}}}"
    declare(bench_command, DATASET.format(name="acts", reader="labels", splits=splits, more=""))
    assert says in bench_command("data", "verify", "acts", exit_code=4).stderr


SCORES: dict[str, Any] = {
    "submission": {"results": {"a": [{"label": "run", "score": 2}], "b": [{"class": "run", "score": 1}]}},
    "one class": {"a": "run", "b": {"class": "run", "score": 0.1}},
    "scores by name": {"a": {"run": 2.0, "jump": 1.0}, "b": {"run": 1.0, "jump": 0.5}},
    "long table": "video_id,label,score\na,run,2\na,jump,1\nb,run,1\nb,jump,0\n",
    "wide table": "video_id,run,jump\na,2,1\nb,1,0\n",
    "arrays": {"video_id": ["a", "b"], "class_names": ["run", "jump"], "scores": [[2.0, 1.0], [1.0, 0.5]]},
}


def score(bench_command: Any, file: str, **options: Any) -> Any:
    (bench_command.folder / "labels.json").write_text(json.dumps({"a": ["run"], "b": ["jump"]}))
    command = ("score", "classification", "--predictions", file, "--labels", "labels.json", "--json")
    return bench_command(*command, **options)


@pytest.mark.parametrize("form", list(SCORES))
def test_every_form_of_scores_is_read(bench_command: Any, form: str) -> None:
    assert set(rows_of("Scores of classes")) == set(SCORES)
    held = SCORES[form]
    if form == "arrays":
        file = "said.npz"
        np.savez(bench_command.folder / file, **held)
    else:
        file = "said.csv" if isinstance(held, str) else "said.json"
        (bench_command.folder / file).write_text(held if isinstance(held, str) else json.dumps(held))
    values = {m["name"]: m["value"] for m in json.loads(score(bench_command, file).stdout)["measurements"]}
    assert values["top1"] == 50.0


@pytest.mark.parametrize("held", [{"a": 1, "b": 0}, {"a": [0.1, 0.9], "b": [0.5, 0.5]}])
def test_numbers_that_name_no_class_are_refused(bench_command: Any, held: Any) -> None:
    (bench_command.folder / "said.json").write_text(json.dumps(held))
    said = score(bench_command, "said.json", exit_code=4).stderr
    assert "video 'a' holds numbers without names of classes. Write names" in said


MINE = DATASET.format(name="mine", reader="captions", splits="{test: {file: c.json}}", more=CAPTIONS)
ROWS = {"a": np.ones((3, 4), np.float32), "b": np.full((2, 4), 2, np.float32)}


def converted(folder: Path, block: str) -> None:
    done = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


CONVERTED = {
    "pickle.load": lambda folder: (folder / "features.pkl").write_bytes(pickle.dumps(ROWS)),
    "torch.load": lambda folder: torch.save(ROWS, folder / "features.pt"),
    "csv.reader": lambda folder: (folder / "features.csv").write_text(
        "id,0,1,2,3\n" + "".join(f"{v},{','.join(map(str, row))}\n" for v, rows in ROWS.items() for row in rows)
    ),
}


@pytest.mark.parametrize("loads", list(CONVERTED))
def test_the_lines_that_convert_features_write_what_is_read(bench_command: Any, loads: str) -> None:
    folder = bench_command.folder
    CONVERTED[loads](folder)
    converted(folder, block_with(loads))
    (folder / "c.json").write_text(json.dumps({"a": ["one"], "b": ["two"]}))
    declare(bench_command, MINE.replace("simulated", "f") + "features:\n  f: {reader: npz, path: features.npz}\n")
    out = bench_command("data", "verify", "mine").stdout
    assert "2.5 rows in the mean, 3 at most" in out
    assert "mine: ok" in out


def test_the_lines_that_convert_hmdb51_write_labels(bench_command: Any) -> None:
    folder = bench_command.folder
    (folder / "run_test_split1.txt").write_text("r1.avi 1 \nr2.avi 2 \nr3.avi 0 \n")
    (folder / "brush_hair_test_split1.txt").write_text("b1.avi 1 \nb2.avi 2 \n")
    converted(folder, block_with("test_split1"))
    declare(bench_command, "  acts: {reader: labels, root: ., features: simulated}\n")
    out = bench_command("data", "verify", "acts").stdout
    assert "train: 2 videos" in out
    assert "test: 2 videos" in out

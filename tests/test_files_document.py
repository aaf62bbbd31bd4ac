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
    "UCF101": ("list01.txt", "Run/v_Run_g01_c01.avi\nJump/v_Jump_g01_c02.avi\n", "v_Run_g01_c01", "v_Jump_g01_c02"),
    "Kinetics": (
        "list.csv",
        "label,youtube_id,time_start,time_end,split,is_cc\nRun,-ab,5.0,15.0,val,0\nJump,cd_,0,10,val,1\n",
        "-ab_000005_000015",
        "cd__000000_000010",
    ),
}


@pytest.mark.parametrize("form", list(CLASS_LISTS))
def test_lists_of_classes_are_read(bench_command: Any, form: str) -> None:
    assert set(rows_of("Classes")) == {"labels.csv", "HMDB51", *CLASS_LISTS}
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
        ("l.txt", "a.avi 1\nb.avi 2\n", "HMDB51 has such a file for each class: name their folder, and the part"),
        ("l.txt", "1 Run\n2 Jump\n", "A list of classes by number names no videos: name trainlist01.txt"),
        (
            "l.csv",
            "label,youtube_id,time_start,time_end\n,ab,0,9\n,cd,0,9\n",
            "no row has a label. Kinetics' first test",
        ),
        ("l.csv", "youtube_id,time_start,time_end,split\nab,0,9,test\n", "no row has a label. Kinetics' first test"),
        ("l.csv", "label,youtube_id,time_start,time_end\nRun,ab,0,9\n,cd,0,9\n", "row 3: video 'cd' has no label"),
        ("l.txt", "just words here\n", "Expected Class/video.avi"),
        ("l.txt", "Run/a.avi 1\nRun/a.avi 1\n", "video 'a' occurs twice"),
        ("l.txt", "\n", "lists no videos"),
        ("l.csv", "label,youtube_id,time_start,time_end\nRun,ab,x,9\n", "row 2: expected whole seconds"),
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


HMDB51 = {
    "run_test_split1.txt": "r1.avi 1 \nr2.avi 2 \nr3.avi 0 \n",
    "brush_hair_test_split1.txt": "b1.avi 1 \nb2.avi 2 \nb3.avi 2 \n",
    "run_test_split2.txt": "r1.avi 2 \nr2.avi 1 \nr3.avi 0 \n",
    "brush_hair_test_split2.txt": "b1.avi 2 \nb2.avi 1 \n",
}


@pytest.fixture
def hmdb51(bench_command: Any) -> Path:
    folder: Path = bench_command.folder / "lists"
    folder.mkdir()
    for name, text in HMDB51.items():
        (folder / name).write_text(text)
    return folder


def hmdb51_splits(part: str) -> str:
    return DATASET.format(
        name="acts", reader="labels", splits=f"{{train: {{file: lists{part}}}, test: {{file: lists{part}}}}}", more=""
    )


def test_the_lists_of_hmdb51_are_read_from_their_folder(bench_command: Any, hmdb51: Path) -> None:
    counts = {}
    for part in ("split1", "split2"):
        declare(bench_command, hmdb51_splits(f", part: {part}"))
        out = bench_command("data", "verify", "acts").stdout
        counts[part] = re.findall(r"(?:train|test): (\d) videos, \d labels of (\d) classes", out)
    assert counts == {"split1": [("2", "2"), ("3", "2")], "split2": [("2", "2"), ("2", "2")]}  # r3 is in neither

    (bench_command.folder / "said.json").write_text(json.dumps({"r2": "run", "b2": "run", "b3": "brush_hair"}))
    command = ("score", "classification", "--predictions", "said.json", "--labels", "lists")
    done = bench_command(*command, "--subset", "split1", "--json")
    values = {m["name"]: m["value"] for m in json.loads(done.stdout)["measurements"]}
    assert values["top1"] == pytest.approx(200 / 3)
    assert "split1, split2. Choose one by --subset" in bench_command(*command, exit_code=2).stderr


@pytest.mark.parametrize(
    ("part", "line", "says"),
    [
        ("", "", "a folder of HMDB51's lists needs"),
        (", part: split3", "", "holds the parts split1, split2. Say part: split1"),
        (", part: split1", "r4.avi 7", "run_test_split1.txt:1: 'r4.avi 7'. Expected 'video.avi 0', 1 or 2"),
        (", part: split1", "b1.avi 1", "video 'b1' occurs twice"),
    ],
)
def test_lists_of_hmdb51_that_do_not_say_are_refused(
    bench_command: Any, hmdb51: Path, part: str, line: str, says: str
) -> None:
    if line:
        (hmdb51 / "run_test_split1.txt").write_text(f"{line}\n")
    declare(bench_command, hmdb51_splits(part))
    assert says in bench_command("data", "verify", "acts", exit_code=4).stderr


def test_a_folder_without_lists_is_named(bench_command: Any, hmdb51: Path) -> None:
    for path in hmdb51.iterdir():
        path.unlink()
    declare(bench_command, hmdb51_splits(", part: split1"))
    assert "is a folder without lists of HMDB51" in bench_command("data", "verify", "acts", exit_code=4).stderr


PICKLED = {"list(said)": {"a": [2.0, 1.0], "b": [1.0, 0.5]}, "videos.txt": [[2.0, 1.0], [1.0, 0.5]]}


@pytest.mark.parametrize("words", list(PICKLED))
def test_pickled_scores_are_refused_and_the_lines_convert_them(bench_command: Any, words: str) -> None:
    folder = bench_command.folder
    (folder / "scores.pkl").write_bytes(pickle.dumps(PICKLED[words]))
    (folder / "classes.txt").write_text("run\njump\n")
    (folder / "videos.txt").write_text("a\nb\n")
    said = score(bench_command, "scores.pkl", exit_code=4).stderr
    assert "scores.pkl is a pickle, not scores of classes. bench opens no pickle" in said
    if words == "list(said)":  # what the error says works too
        line = said.partition("id -> scores: ")[2].partition(", where NAMES")[0]
        converted(folder, line.replace("NAMES", "['run', 'jump']"))
        of_error = score(bench_command, "scores.npz").stdout
    converted(folder, block_with(words))
    done = score(bench_command, "scores.npz").stdout
    assert {m["name"]: m["value"] for m in json.loads(done)["measurements"]}["top1"] == 50.0
    if words == "list(said)":
        assert json.loads(of_error)["measurements"] == json.loads(done)["measurements"]


def test_scores_that_torch_saved_are_named(bench_command: Any) -> None:
    torch.save({"a": torch.tensor([2.0, 1.0]), "b": torch.tensor([1.0, 0.5])}, bench_command.folder / "s.pt")
    said = score(bench_command, "s.pt", exit_code=4).stderr
    line = said.partition("id -> scores: ")[2].partition(", where NAMES")[0]
    converted(bench_command.folder, line.replace("NAMES", "['run', 'jump']"))
    assert score(bench_command, "s.npz").returncode == 0


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("s.tsv", "video_id\tlabel\na\trun\n", "s.tsv is plain text, not JSON. Tables end in .csv"),
        ("s.jsonl", '{"a": "run"}\n{"b": "run"}\n', "s.jsonl holds several JSON values, one after the other"),
    ],
)
def test_scores_in_text_of_another_form_are_named(bench_command: Any, file: str, text: str, says: str) -> None:
    (bench_command.folder / file).write_text(text)
    said = score(bench_command, file, exit_code=4).stderr
    assert says in said
    assert "Download" not in said


def test_labels_in_the_json_of_kinetics_are_read(bench_command: Any) -> None:
    labels = {
        video: {"annotations": {"label": name, "segment": [0.0, 10.0]}, "subset": "validate"}
        for video, name in (("a", "run"), ("b", "jump"))
    }
    (bench_command.folder / "k.json").write_text(json.dumps(labels))
    (bench_command.folder / "said.json").write_text(json.dumps({"a": "run", "b": "run"}))
    done = bench_command("score", "classification", "--predictions", "said.json", "--labels", "k.json", "--json")
    assert {m["name"]: m["value"] for m in json.loads(done.stdout)["measurements"]}["top1"] == 50.0


def test_sentences_of_msrvtt_without_their_videos_are_read(bench_command: Any) -> None:
    sentences = [{"caption": text, "video_id": video, "sen_id": 0} for video, text in (("a", "x y"), ("b", "z"))]
    (bench_command.folder / "c.json").write_text(json.dumps({"sentences": sentences}))
    declare(bench_command, MINE)
    out = bench_command("data", "verify", "mine").stdout
    assert "test: 2 videos, 2 captions" in out
    assert "MSR-VTT form, all videos" in out


CLOSE = {
    "head;less": ("c.csv", "video_id;caption\na;b\n", "Columns: 'video_id;caption'. Name them so, between commas"),
    "didemo": (
        "c.json",
        '[{"video": "a", "description": "b", "times": [[0, 0]]}]',
        "whose reader in bench.yaml is didemo",
    ),
    "subtitles": ("c.srt", "1\n00:00:01,000\n", "c.srt is plain text, not JSON Lines"),
    "no captions": ("c.json", '[{"videoID": "a", "enCap": []}]', "holds no captions"),
}


@pytest.mark.parametrize("form", list(CLOSE))
def test_what_is_close_to_captions_is_named(bench_command: Any, form: str) -> None:
    file, text, says = CLOSE[form]
    (bench_command.folder / file).write_text(text)
    declare(bench_command, MINE.replace("c.json", file))
    assert says in bench_command("data", "verify", "mine", exit_code=4).stderr


QUERIES = {
    "queries.txt": "q1 a man runs\nq2\ta dog sleeps\n",
    "queries.csv": "id,caption\nq1,a man runs\nq2,a dog sleeps\n",
    "queries.json": json.dumps({"q1": "a man runs", "q2": ["a dog sleeps"]}),
}
GALLERIES = {"gallery.txt": "a\nb\nc\n", "gallery.json": '["a", "b", "c"]', "gallery.csv": "video_id\na\nb\nc\n"}


def text_only(bench_command: Any, queries: str, gallery: str) -> None:
    """Declares what docs/files.md shows, with other names of files."""
    declared = next(b for b in re.findall(r"^```yaml\n(.*?)^```", TEXT, re.M | re.S) if "queries: " in b)
    declared = (
        declared.replace("queries.txt", queries).replace("gallery.txt", gallery).replace("root: clips", "root: .")
    )
    (bench_command.folder / "bench.yaml").write_text(
        f"version: 1\n{declared}features:\n  clip: {{reader: npz, path: rows.npz}}\n"
    )
    np.savez(bench_command.folder / "rows.npz", c=ROWS["a"] - 1, **ROWS)
    (bench_command.folder / queries).write_text(QUERIES.get(queries, ""))
    (bench_command.folder / gallery).write_text(GALLERIES[gallery])
    (bench_command.folder / "qrels.txt").write_text("q1 0 a 1\nq2 0 b 2\nq2 0 c 1\n")


@pytest.mark.parametrize(("queries", "gallery"), list(zip(QUERIES, GALLERIES, strict=True)))
def test_queries_are_asked_of_videos_without_captions(bench_command: Any, queries: str, gallery: str) -> None:
    text_only(bench_command, queries, gallery)
    out = bench_command("data", "verify", "clips").stdout
    assert "test: 3 videos, 0 captions" in out
    assert f"{queries} asks 2 queries, no captions" in out
    (record,) = json.loads(bench_command("run", "-m", "random", "-t", "clips-retrieval", "--json").stdout)
    assert "text=query" in record["signature"]
    assert {m["n"] for m in record["measurements"] if m["name"].startswith("t2v/any-hit")} == {2}


def test_a_query_with_two_texts_and_a_video_listed_twice_are_refused(bench_command: Any) -> None:
    text_only(bench_command, "queries.txt", "gallery.txt")
    (bench_command.folder / "queries.txt").write_text("q1 a\nq1 b\n")
    assert "query 'q1' has 2 texts" in bench_command("data", "verify", "clips", exit_code=4).stderr
    (bench_command.folder / "gallery.txt").write_text("a\nb\na\n")
    assert "'a' occurs twice" in bench_command("data", "verify", "clips", exit_code=4).stderr


def test_a_list_of_videos_alone_is_no_test_without_queries(bench_command: Any) -> None:
    (bench_command.folder / "c.txt").write_text("a\nb\n")
    declare(bench_command, MINE.replace("c.json", "c.txt"))
    assert "c.txt:1: expected an id and a caption" in bench_command("data", "verify", "mine", exit_code=4).stderr

"""Class scores in tables and arrays are worth what the same scores are worth in JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

VIDEOS, CLASSES = ["a", "b", "c"], ["jump", "run"]
SCORES = np.array([[0.75, 0.25], [0.5, 1.5], [2.0, -1.0]])
LABELS = {"a": ["jump"], "b": ["run"], "c": ["run"]}


def scored(bench_command: Any, file: str, **options: Any) -> Any:
    (bench_command.folder / "labels.json").write_text(json.dumps(LABELS))
    command = ("score", "classification", "--predictions", file, "--labels", "labels.json", "--json")
    return bench_command(*command, **options)


def write(bench_command: Any, file: str) -> None:
    path = bench_command.folder / file
    pairs = [(v, c, float(SCORES[i, j])) for i, v in enumerate(VIDEOS) for j, c in enumerate(CLASSES)]
    if file == "scores.json":
        path.write_text(json.dumps({v: {c: s for w, c, s in pairs if w == v} for v in VIDEOS}))
    elif file == "scores.npz":
        np.savez(path, video_id=VIDEOS, class_names=CLASSES, scores=SCORES)
    elif file == "long.csv":
        path.write_text("\n".join(["video_id,label,score", *(f"{v},{c},{s}" for v, c, s in pairs)]))
    else:
        wide = [f"{v},{','.join(map(str, row))}" for v, row in zip(VIDEOS, SCORES.tolist(), strict=True)]
        path.write_text("\n".join([f"video_id,{','.join(CLASSES)}", *wide]))


@pytest.mark.parametrize("file", ["scores.npz", "long.csv", "wide.csv"])
def test_scores_in_a_table_or_an_array_are_worth_the_same(bench_command: Any, file: str) -> None:
    for name in ("scores.json", file):
        write(bench_command, name)
    expected, found = (json.loads(scored(bench_command, name).stdout) for name in ("scores.json", file))
    assert found["measurements"] == expected["measurements"]


BROKEN = {
    "a.npy": (lambda path: np.save(path, SCORES), "names neither videos nor classes"),
    "b.npz": (lambda path: np.savez(path, scores=SCORES), "holds scores, expected video_id, class_names and scores"),
    "c.npz": (
        lambda path: np.savez(path, video_id=VIDEOS, class_names=CLASSES, scores=SCORES.T),
        "expected numbers of shape (3, 2)",
    ),
    "d.npz": (
        lambda path: np.savez(path, video_id=VIDEOS, class_names=CLASSES, scores=SCORES * np.nan),
        "the scores of video 'a' hold NaN or infinity",
    ),
    "e.csv": (lambda path: path.write_text("video_id,label,score\na,run,1_0\n"), "score '1_0' is no finite number"),
    "f.csv": (lambda path: path.write_text("label,score\nrun,1\n"), "no column video_id"),
}


@pytest.mark.parametrize("file", BROKEN)
def test_scores_that_do_not_say_whose_they_are_are_refused(bench_command: Any, file: str) -> None:
    write_it, says = BROKEN[file]
    write_it(bench_command.folder / file)
    assert says in scored(bench_command, file, exit_code=4).stderr

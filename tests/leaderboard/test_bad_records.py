"""Whatever one record holds, it is left out with a reason, and the others are built and checked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from records import record, save
from safetensors.numpy import load_file
from safetensors.numpy import save as tensors

from bench.catalogue import config as configuration
from bench.catalogue.lookup import Session
from bench.files import METADATA_KEY, sha256
from bench.leaderboard import Sources, build
from bench.leaderboard.records import read
from bench.results import MOST
from bench.submission import check_records

MANY = "9" * 5000


def metadata(text: str) -> Callable[[Path], None]:
    """Returns what gives the evidence of a record other metadata, whole and named by its digest."""

    def change(path: Path) -> None:
        evidence = path.with_name("evidence.safetensors")
        evidence.write_bytes(tensors(load_file(evidence), metadata={METADATA_KEY: text}))
        edit(lambda value: value["evidence"].update(sha256=sha256(evidence)))(path)

    return change


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edited(path: Path) -> None:
        value = json.loads(path.read_text())
        change(value)
        path.write_text(json.dumps(value))

    return edited


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))

    return change


def pipe(name: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.with_name(name).unlink()
        os.mkfifo(path.with_name(name))

    return change


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


COLUMN = {"name": "c", "value": 1.0, "unit": "score", "higher_is_better": True, "ci95": None, "n": 1}
BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "metadata that are a list": (metadata("[]"), "a JSON list"),
    "metadata that are null": (metadata("null"), "a JSON NoneType"),
    "metadata nested deeply": (metadata("[" * 50_000), "nested too deeply"),
    "sizes that are text": (
        metadata('{"kind": "evidence", "pool": "p", "n_items": {"t2v": "1"}}'),
        "holds no evidence",
    ),
    "no sizes": (metadata('{"kind": "evidence", "pool": "p", "n_items": {}}'), "among items of []"),
    "a long name of evidence": (edit(lambda v: v["evidence"].update(file="a" * 300)), "at most 250"),
    "a long ending of predictions": (edit(lambda v: v["predictions"].update(file="a." + "b" * 300)), "at most 250"),
    "a long run": (edit(lambda v: v.update(run="a" * 300)), "at most 200"),
    "thousands of columns": (
        edit(lambda v: v.update(columns=[{**COLUMN, "name": f"c{i}"} for i in range(3000)])),
        f"at most {MOST}",
    ),
    "thousands of recalls": (
        edit(lambda v: v.update(measurements=[{**v["measurements"][0], "name": f"t2v/R@{i}"} for i in range(1, 3000)])),
        f"at most {MOST}",
    ),
    "a number of 5,000 digits": (replaced('"seed": 0', f'"seed": {MANY}'), "out of range"),
    "a number of 50 digits": (replaced('"seed": 0', f'"seed": {MANY[:50]}'), "seed"),
    "a value that is not finite": (replaced('"threads": 1', '"threads": 1e999'), "threads"),
    "half a file": (lambda path: path.write_bytes(path.read_bytes()[:100]), "is not a bench-result/1 record"),
    "nesting": (lambda path: path.write_text("[" * 50_000), "is not a bench-result/1 record"),
    "nothing": (lambda path: path.write_text(""), "is not a bench-result/1 record"),
    "a named pipe": (pipe("result.json"), "a named pipe"),
    "evidence that is a named pipe": (pipe("evidence.safetensors"), "evidence"),
    "a folder": (folder, "is a folder"),
}


@pytest.mark.parametrize("what", BAD)
def test_one_bad_record_is_left_out_and_the_others_are_built(tmp_path: Path, what: str) -> None:
    change, reason = BAD[what]
    save(tmp_path / "results" / "good", record())
    change(save(tmp_path / "results" / "bad", record(model__name="bad")))

    report = build(Sources((tmp_path / "results",)), tmp_path / "board")

    assert report.rows == 1
    assert [note.file for note in report.left_out] == ["bad/result.json"]
    assert reason in report.left_out[0].reason
    assert "cannot be read: " not in report.left_out[0].reason  # each is told what it is, and not by chance
    session = Session(configuration.load(None))
    outcomes = {finding.file: finding.outcome for finding in check_records(read((tmp_path / "results",)), session)}
    assert outcomes == {"bad/result.json": "failed", "good/result.json": "invariants only"}


def test_segments_of_5000_digits_stand_in_a_table_of_their_own(tmp_path: Path) -> None:
    signature = record()["signature"].replace("segments=gt", f"segments=uniform-{MANY}")
    save(tmp_path / "results" / "odd", record(signature=signature))
    save(tmp_path / "results" / "good", record(model__name="good"))
    assert build(Sources((tmp_path / "results",)), tmp_path / "board").tables == 2


def test_what_nobody_thought_of_is_a_reason_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "results" / "good", record())
    save(tmp_path / "results" / "bad", record(model__name="bad"))

    def surprised(path: Path, result: Any) -> None:
        if result.model.name == "bad":
            raise ZeroDivisionError("one by\nnothing")

    monkeypatch.setattr("bench.leaderboard.records.read_check", surprised)
    report = build(Sources((tmp_path / "results",)), tmp_path / "board")
    assert report.rows == 1
    assert report.left_out[0].reason == "it cannot be read: ZeroDivisionError: one by nothing"

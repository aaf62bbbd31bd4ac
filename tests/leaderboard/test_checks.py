"""What a board trusts: statuses come from what was done here, and `check` finds what does not hold."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from records import record, save

from bench.catalogue import config as configuration
from bench.catalogue.lookup import Session
from bench.evidence.verification import measured
from bench.files import PART, _writer, sha256
from bench.leaderboard import Sources, build
from bench.leaderboard.records import read
from bench.metrics.captions import scoring
from bench.papers.stored import paper_pages
from bench.results import Evidence
from bench.submission import check_pages, check_records


class Board:
    """A board with one run of the control `random` on the generated sample, added by the command."""

    def __init__(self, bench_command: Any, runs: Path) -> None:
        self.bench = bench_command
        self.run = next(path.parent for path in runs.glob("*/result.json"))
        self.folder = bench_command.folder / "leaderboards"
        self.added = self.bench("leaderboard", "add", self.run).stdout
        self.bench("leaderboard", "build")
        (self.record,) = [p for p in self.folder.glob("results/*/*.json") if not p.name.endswith(".check.json")]

    def beside(self, ending: str) -> Path:
        return self.record.with_name(f"{self.record.stem}.{ending}")

    def check(self, *flags: str, exit_code: int = 0) -> str:
        return self.bench("leaderboard", "check", *flags, exit_code=exit_code).stdout

    def status(self) -> str:
        (table,) = self.folder.glob("tables/*.json")
        return json.loads(table.read_text())["rows"][0]["status"]

    def edit(self, change: Any) -> None:
        """Changes the record and makes its check vouch for the change, as somebody who cheats would."""
        value = json.loads(self.record.read_text())
        change(value)
        self.record.write_text(json.dumps(value))
        check = json.loads(self.beside("check.json").read_text())
        self.beside("check.json").write_text(json.dumps({**check, "record": sha256(self.record)}))


@pytest.fixture
def board(bench_command: Any, control_runs: Path) -> Board:
    return Board(bench_command, control_runs)


def test_a_run_whose_predictions_were_scored_again_is_rescored(board: Board) -> None:
    assert "scored again, added" in board.added
    assert board.status() == "rescored"
    assert "1 re-scored, 0 invariants only, 0 failed; 0 pages out of date" in board.check("--strict")


def test_a_run_added_without_its_predictions_is_consistent_and_no_more(board: Board) -> None:
    shutil.rmtree(board.folder)
    assert "(consistent)" in board.bench("leaderboard", "add", "--no-predictions", board.run).stdout
    board.bench("leaderboard", "build")
    assert board.status() == "consistent"
    assert "1 invariants only" in board.check("--strict")  # it claims to be no more


def test_a_later_add_with_predictions_raises_the_status(board: Board) -> None:
    shutil.rmtree(board.folder)
    board.bench("leaderboard", "add", "--no-predictions", board.run)
    assert "already, as" in board.bench("leaderboard", "add", board.run).stdout
    board.bench("leaderboard", "build")
    assert board.status() == "rescored"


def test_a_changed_number_is_found(board: Board) -> None:
    board.edit(lambda value: value["measurements"][0].update(value=99.0))
    shown = board.check(exit_code=6)
    assert "failed: " in shown
    assert "99.0 in the record" in shown


def test_evidence_of_zeros_dressed_as_rescored_is_found_by_scoring_again(board: Board) -> None:
    record = json.loads(board.record.read_text())
    evidence = Evidence.load(board.record.with_name(record["evidence"]["file"]))
    true = next(m["value"] for m in record["measurements"] if m["name"] == "t2v/R@1")
    perfect = {way: np.zeros_like(counts) for way, counts in evidence.counts.items()}
    for counts in perfect.values():
        counts[:, 2] = 1

    def dress(value: dict[str, Any]) -> None:
        path = board.record.with_name(value["evidence"]["file"])
        Evidence(perfect, evidence.pool, evidence.n_items).save(path)
        value["evidence"]["sha256"] = sha256(path)
        value["measurements"] = [m.model_dump(mode="json") for m in measured(Evidence.load(path))]

    board.edit(dress)
    board.bench("leaderboard", "build")
    assert board.status() == "rescored"  # until somebody checks: the record is consistent, and its check vouches for it
    shown = board.check(exit_code=6)
    assert "0 re-scored, 0 invariants only, 1 failed" in shown
    assert f"t2v/R@1 is 100.0 in the record, {true!r} when scored again" in shown


def test_a_claim_without_predictions_is_left_out_by_build_as_well(board: Board) -> None:
    board.beside("predictions.safetensors").unlink()
    assert "predictions are not here" in board.check(exit_code=6)
    board.bench("leaderboard", "build")
    assert "predictions are not here" in (board.folder / "index.html").read_text()
    assert json.loads((board.folder / "build.json").read_text())["rows"] == 0


def test_changed_predictions_are_found(board: Board) -> None:
    path = board.beside("predictions.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert "is not what the record names" in board.check(exit_code=6)


def test_missing_evidence_is_found(board: Board) -> None:
    board.record.with_name(json.loads(board.record.read_text())["evidence"]["file"]).unlink()
    assert "evidence" in board.check(exit_code=6)


def test_a_check_of_another_record_vouches_for_nothing(board: Board) -> None:
    check = json.loads(board.beside("check.json").read_text())
    board.beside("check.json").write_text(json.dumps({**check, "record": "0" * 64}))
    assert "vouches for another record" in board.check(exit_code=6)


@pytest.mark.parametrize("change", [{"schema": "bench-check/9"}, {"more": 1}, {"date": "yesterday"}])
def test_a_foreign_check_is_refused(board: Board, change: dict[str, Any]) -> None:
    check = json.loads(board.beside("check.json").read_text())
    board.beside("check.json").write_text(json.dumps({**check, **change}))
    assert "is no bench-check/1 file" in board.check(exit_code=6)


def test_a_foreign_schema_version_is_found(board: Board) -> None:
    board.edit(lambda value: value.update(schema="bench-result/9"))
    assert "is not a bench-result/1 record" in board.check(exit_code=6)


def test_a_duplicate_row_is_found(board: Board) -> None:
    for path in board.record.parent.glob(f"{board.record.stem}*"):
        shutil.copy(path, path.with_name(path.name.replace("--s0--", "--s0-again--")))
    copy = next(board.record.parent.glob("*again*.evidence.*"))
    copy.rename(copy.with_name(copy.name.replace("-again", "")))
    assert "is already shown" in board.check(exit_code=6)


def test_a_changed_a_missing_and_a_left_over_page_are_found(board: Board) -> None:
    page = board.folder / "anet-retrieval.html"
    page.write_text(page.read_text().replace("random", "randomly", 1))
    (board.folder / "compare.html").unlink()
    manifest = json.loads((board.folder / "build.json").read_text())
    (board.folder / "models" / "ghost.html").write_text("boo")
    manifest["files"].append("models/ghost.html")
    (board.folder / "build.json").write_text(json.dumps(manifest))
    shown = board.check(exit_code=6)
    assert "anet-retrieval.html: the page is not what the records give" in shown
    assert "compare.html: the page is missing" in shown
    assert "models/ghost.html: no record gives this page" in shown
    assert "0 failed; 0 pages" in board.check("--records-only")
    board.bench("leaderboard", "build")
    assert not (board.folder / "models" / "ghost.html").exists()
    board.check()


def test_references_that_are_not_here_leave_the_invariants(board: Board) -> None:
    (board.bench.folder / "bench.yaml").write_text("version: 1\ndatasets: {}\nleaderboard: leaderboards\n")
    assert "invariants only" in board.check()
    assert "references are not here" in board.check("--strict", exit_code=6)


def test_a_manifest_cannot_make_build_delete_other_files(tmp_path: Path) -> None:
    save(tmp_path / "results" / "a", record())
    (tmp_path / "keep.html").write_text("keep")
    (tmp_path / "board").mkdir()
    for name in ("notes.txt", "build.py"):
        (tmp_path / "board" / name).write_text("keep")
    files = ["../keep.html", str(tmp_path / "keep.html"), "notes.txt", "build.py", "results/a/x.html", 7]
    (tmp_path / "board" / "build.json").write_text(json.dumps({"files": files}))
    build(Sources((tmp_path / "results",)), tmp_path / "board")
    assert (tmp_path / "keep.html").exists()
    assert (tmp_path / "board" / "notes.txt").exists()
    assert (tmp_path / "board" / "build.py").exists()


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "null", '{"files": 7}', '{"files": [[], {"a": 1}]}', "{}", "[" * 50_000, '{"files": ["a', "\xff"],
)
def test_whatever_a_manifest_holds_the_pages_are_built(tmp_path: Path, manifest: str) -> None:
    save(tmp_path / "results" / "a", record())
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "build.json").write_text(manifest, encoding="latin-1")
    assert build(Sources((tmp_path / "results",)), tmp_path / "board").rows == 1
    assert "index.html" in json.loads((tmp_path / "board" / "build.json").read_text())["files"]


def test_a_link_is_no_record(tmp_path: Path) -> None:
    path = save(tmp_path / "elsewhere", record())
    (tmp_path / "results" / "a").mkdir(parents=True)
    (tmp_path / "results" / "a" / "result.json").symlink_to(path)
    (tmp_path / "results" / "b").mkdir()
    shutil.copy(path, tmp_path / "results" / "b" / "result.json")
    (tmp_path / "results" / "b" / "evidence.safetensors").symlink_to(path.with_name("evidence.safetensors"))
    report = build(Sources((tmp_path / "results",)), tmp_path / "board")
    assert report.rows == 0
    assert all("is a link" in note.reason for note in report.left_out)
    assert len(report.left_out) == 2


def test_a_record_of_a_megabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = save(tmp_path / "results" / "a", record())
    path.write_text(path.read_text() + " " * (1 << 20))
    (note,) = build(Sources((tmp_path / "results",)), tmp_path / "board").left_out
    assert "no record has more than" in note.reason


def test_running_a_record_again_confirms_it(board: Board) -> None:
    done = board.bench("rerun", board.record, "--confirm")
    assert "bit-equal" in done.stdout
    board.bench("leaderboard", "build")
    assert board.status() == "reproduced"
    assert "run again, bit-equal" in (board.folder / "models" / "random.html").read_text()
    assert "1 re-scored" in board.check()
    again = board.bench("rerun", board.record, exit_code=2)
    assert "would compare a run with itself" in again.stderr


def test_only_a_record_of_a_board_can_be_confirmed(board: Board) -> None:
    done = board.bench("rerun", board.run, "--confirm", exit_code=2)
    assert "only a record of a leaderboard" in done.stderr


def test_a_diff_names_what_changed(board: Board) -> None:
    before = board.bench.folder / "before"
    shutil.copytree(board.folder, before)
    assert "no row, value or status changed" in board.bench("leaderboard", "diff", before, board.folder).stdout
    board.bench("rerun", board.record, "--confirm")
    board.bench("leaderboard", "build")
    shown = board.bench("leaderboard", "diff", before, board.folder, exit_code=1).stdout
    assert shown.rstrip().endswith("random: status rescored → reproduced")
    board.record.unlink()
    board.bench("leaderboard", "build")
    assert "gone: random" in board.bench("leaderboard", "diff", before, board.folder, exit_code=1).stdout
    assert "no index.html" in board.bench("leaderboard", "diff", before, board.run, exit_code=2).stderr


def test_captions_that_java_counted_are_scored_again_without_it_and_only_java_may_say_they_are_wrong(
    bench_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Path(__file__).resolve().parents[2] / "leaderboards" / "results" / "anet-captioning"
    (tmp_path / "results" / "anet-captioning").mkdir(parents=True)
    for path in ours.glob("most-frequent-caption--*--s0--*"):
        shutil.copy(path, tmp_path / "results" / "anet-captioning")
    monkeypatch.setenv("PATH", str(tmp_path))
    command = ("leaderboard", "check", "--records-only", "--results", tmp_path / "results")
    assert "1 re-scored, 0 invariants only, 0 failed" in bench_command(*command, "--strict").stdout
    monkeypatch.setattr(scoring, "meteor_counts", lambda pairs: np.zeros((len(pairs), 23), dtype=np.int64))
    shown = bench_command(*command).stdout
    assert "it cannot be scored again here: the METEOR and PTB programs need Java" in shown
    assert "0 re-scored, 1 invariants only, 0 failed" in shown
    bench_command(*command, "--strict", exit_code=6)


def test_the_pages_of_this_repository_are_what_its_records_give() -> None:
    """Every record that can be scored again with what a checkout holds is, and every page is there byte for byte."""
    board = Path(__file__).resolve().parents[2] / "leaderboards"
    if not (board / "index.html").exists():
        pytest.skip("no pages are committed in leaderboards/")
    session = Session(configuration.load(board.parent / "bench.yaml"))
    sources = Sources((board / "results",), board / "published", (board / "papers", paper_pages), board / "links.yaml")
    found = list(check_records(read(sources.results), session))
    assert [finding for finding in found if finding.outcome == "failed"] == []
    here = ("anet-retrieval/", "anet-zero-shot/", "anet-linear-probe/", "anet-captioning/")
    outcomes = {finding.outcome for finding in found if finding.file.startswith(here)}
    assert outcomes == {"re-scored"}, "the sample is in every checkout"
    assert list(check_pages(sources, board, read(sources.results))) == []


def test_of_several_runs_those_that_cannot_be_added_are_named_and_the_others_are(
    bench_command: Any, control_runs: Path
) -> None:
    run = next(path.parent for path in control_runs.glob("*/result.json"))
    whole, stopped, forged, other = (bench_command.folder / "runs" / name for name in ("a", "b", "c", "checkpoints"))
    for place in (whole, stopped, forged):
        shutil.copytree(run, place)
    (stopped / "result.json").unlink()
    value = json.loads((forged / "result.json").read_text())
    value["measurements"][0]["ci95"] = [0.0, 100.0]
    (forged / "result.json").write_text(json.dumps(value))
    other.mkdir()

    done = bench_command("leaderboard", "add", stopped, forged, whole, other, exit_code=5)
    assert f"left out: {stopped}: unfinished, no result.json there" in done.stderr
    assert f"left out: {forged}: {forged}/result.json: ci95 of t2v/R@1 is 0.0 to 100.0 in the record" in done.stderr
    assert f"left out: {other}: " in done.stderr
    assert "3 of 4 runs are not added" in done.stderr
    assert f"{whole}: scored again, added" in done.stdout
    bench_command("leaderboard", "add", stopped, other, exit_code=2)  # none: as the first of them
    bench_command("leaderboard", "add", forged, exit_code=6)


def test_what_a_killed_add_left_behind_goes_with_the_next(board: Board) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = board.record.with_name(f".{board.record.name[:40]}.{_writer()[0]}-{gone.stdout.strip()}.abcd{PART}")
    left.write_bytes(b"half")
    board.bench("leaderboard", "add", board.run)
    assert not left.exists()


def test_published_figures_that_no_page_can_show_fail_the_check(board: Board) -> None:
    (board.folder / "published").mkdir()
    (board.folder / "published" / "a.yaml").write_text("date: 2020-99-99")
    assert "left out: published/a.yaml" in board.bench("leaderboard", "build").stderr
    assert "failed: published/a.yaml" in board.check(exit_code=6)

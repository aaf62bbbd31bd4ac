"""`bench export`: a folder that mteb loads, and what each form has no place for, of these records and no others."""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.analysis.mteb_folder import mteb_files, write_mteb
from bench.analysis.unsaid import HOLDS, STATEMENTS, table, unsaid
from bench.errors import InvalidData, SaveError, UsageError
from bench.evidence.verified import Verified, read_record
from bench.results import Bounds, Missing

PAGE = Path(__file__).parent.parent / "docs" / "leaderboards.md"


@pytest.fixture(scope="module")
def record(control_runs: Path) -> Verified:
    """Returns the run of `random` on the generated sample."""
    (folder,) = (path.parent for path in control_runs.glob("*/result.json"))
    return read_record(folder / "result.json")


def changed(record: Verified, **fields: Any) -> Verified:
    return replace(record, result=record.result.model_copy(update=fields))


def other_seed(record: Verified, seed: int, value: float) -> Verified:
    """Returns a record of another seed, whose t2v/R@1 is `value`."""
    first, *others = record.result.measurements
    assert first.name == "t2v/R@1"
    return changed(record, seed=seed, measurements=[first.model_copy(update={"value": value}), *others])


def test_a_record_is_a_task_of_mteb_for_each_direction(record: Verified) -> None:
    files = mteb_files([record], None)

    folder = re.escape("vtbench__random/") + r"\d+-[0-9a-f]{8}/"
    (revision,) = {path.rpartition("/")[0] for path in files}
    assert re.fullmatch(folder, f"{revision}/")
    names = {path.rpartition("/")[2] for path in files}
    assert names == {"anet-retrieval-t2v.json", "anet-retrieval-v2t.json", "model_meta.json", "run_settings.jsonl"}
    told = json.loads(files[f"{revision}/anet-retrieval-v2t.json"])
    (row,) = told["scores"]["val_1"]
    value = {one.name: one.value for one in record.result.measurements}
    assert row["recall_at_1"] == row["main_score"] == value["v2t/R@1"] / 100
    assert row["MedR"] == value["v2t/MedR"]
    assert not any("t2v" in key for key in row)
    assert (told["task_name"], told["mteb_version"]) == ("anet-retrieval-v2t", None)
    lines = [json.loads(line) for line in files[f"{revision}/run_settings.jsonl"].splitlines()]
    assert [(line["task"], line["main_score"]) for line in lines] == [
        ("anet-retrieval-t2v", "t2v/R@1"),
        ("anet-retrieval-v2t", "v2t/R@1"),
    ]
    assert {line["signature"] for line in lines} == {record.result.signature}
    meta = json.loads(files[f"{revision}/model_meta.json"])
    assert f"{meta['name'].replace('/', '__')}/{meta['revision']}" == revision


def test_seeds_are_a_mean_there(record: Verified) -> None:
    files = mteb_files([other_seed(record, 0, 3.0), other_seed(record, 1, 4.0)], "our-lab/noise")
    (text,) = (content for path, content in files.items() if path.endswith("anet-retrieval-t2v.json"))
    assert json.loads(text)["scores"]["val_1"][0]["recall_at_1"] == statistics.fmean([3.0, 4.0]) / 100
    assert all(path.startswith("our-lab__noise/") for path in files)


def test_settings_of_other_tasks_stay_and_other_results_are_not_overwritten(record: Verified, tmp_path: Path) -> None:
    files = mteb_files([record], None)
    write_mteb(files, tmp_path)
    settings = next(tmp_path.rglob("run_settings.jsonl"))
    settings.write_text(settings.read_text() + '{"task": "STS12", "splits": ["test"]}\n')
    write_mteb(files, tmp_path)
    tasks = [json.loads(line)["task"] for line in settings.read_text().splitlines()]
    assert tasks == ["STS12", "anet-retrieval-t2v", "anet-retrieval-v2t"]
    with pytest.raises(SaveError, match=r"t2v\.json exists with other content and is never overwritten"):
        write_mteb(mteb_files([other_seed(record, 0, 50.0)], None), tmp_path)
    settings.write_text("[]\n")
    with pytest.raises(InvalidData, match=r"run_settings\.jsonl"):
        write_mteb(files, tmp_path)
    for path in tmp_path.rglob("anet-*.json"):
        path.write_text("{}")
    with pytest.raises(SaveError, match=r"-t2v\.json and \S+-v2t\.json exist with .* Remove them first"):
        write_mteb(files, tmp_path)


@pytest.mark.parametrize("name", ["noise", "a/b/c", "../x", "a/..", "a/", "a b/c"])
def test_a_name_that_mteb_cannot_have_is_refused(record: Verified, name: str) -> None:
    with pytest.raises(UsageError, match="mteb names models OWNER/NAME"):
        mteb_files([record], name)


def test_two_signatures_of_a_task_are_not_one_task(record: Verified) -> None:
    other = changed(record, signature=record.result.signature.replace("split=val_1", "split=val_2"))
    with pytest.raises(UsageError, match="given under two signatures"):
        mteb_files([record, other], None)


def test_only_what_is_there_and_lost_is_told(record: Verified) -> None:
    told = {form: unsaid(form, [record]) for form in HOLDS}
    assert told["dataset"] == []
    assert any(line == "95 % intervals of 12 measurements" for line in told["mteb"])
    assert not any("intervals" in line for line in told["model-index"] + told["eval-results"])
    assert any(line.startswith("measurements beside t2v/R@1: t2v/R@5, ") for line in told["eval-results"])
    assert any("a control" in line for line in told["model-index"])
    absent = ("seeds", "have no features", "bounds", "ties", "remarks", "figures of plugins", "trust")
    assert not [line for lines in told.values() for line in lines if any(word in line for word in absent)]


def test_what_a_record_has_more_is_told_of_it(record: Verified) -> None:
    data = record.result.data.model_copy(
        update={"missing": Missing(policy="penalise", videos={"val_1": 3}), "remarks": ["labels seen before"]}
    )
    first, *others = record.result.measurements
    bounded = first.model_copy(update={"bounds": Bounds(present=1, worst=0, best=2)})
    columns = [first.model_copy(update={"name": "hubness"})]
    counts = {way: rows.copy() for way, rows in record.evidence.counts.items()}
    counts["t2v"][:7, 1] = 1
    more = changed(record, data=data, measurements=[bounded, *others], columns=columns)
    told = unsaid("mteb", [replace(more, evidence=replace(record.evidence, counts=counts))])

    n = len(counts["t2v"])
    assert f"queries whose right answer ties with others, and how ties count: 7 of {n:,} t2v" in told
    assert f"that 3 of {data.n_expected:,} videos have no features and count as never found" in told
    assert "between which bounds they lie with the missing videos: t2v/R@1" in told
    assert "remarks: labels seen before" in told
    assert "figures of plugins: hubness" in told
    length = first.model_copy(update={"name": "Words", "higher_is_better": None})
    assert "that neither more nor less is better: Words" in unsaid(
        "model-index", [changed(record, measurements=[first, length])]
    )
    seeds = unsaid("model-index", [other_seed(record, 0, 3.0), other_seed(record, 1, 4.0)])
    assert "values and 95 % intervals of the seeds 0, 1, one by one" in seeds
    assert np.array_equal(record.evidence.counts["t2v"][:7, 1], np.zeros(7))


def test_the_table_of_the_documentation_is_what_is_told() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
    assert all(holds <= {statement.name for statement in STATEMENTS} for holds in HOLDS.values())


def test_the_command_tells_it_beside_what_it_writes(bench_command: Any, record: Verified) -> None:
    done = bench_command("export", record.path.parent, "--form", "mteb", "-o", "cache", "--model", "our-lab/noise")
    assert len(list((bench_command.folder / "cache" / "results" / "our-lab__noise").glob("*/*.json"))) == 3
    assert done.stderr.startswith(
        "anet-retrieval: the form mteb has no place for\n  95 % intervals of 12 measurements\n"
    )
    assert "Next: python -c" in done.stdout
    for flags in (["--form", "mteb"], ["--form", "mteb", "-o", "x", "--dataset", "a/b"], ["--model", "a/b"]):
        said = bench_command("export", record.path.parent, *flags, exit_code=2).stderr
        assert re.search(r"needs --output FOLDER: a cache of mteb|takes no --dataset|takes no --model", said)


def test_a_model_card_is_markdown_and_nothing_else_is_written_to(bench_command: Any, record: Verified) -> None:
    folder = bench_command.folder
    (folder / "settings.yaml").write_text("version: 1\n")
    said = bench_command("export", record.path.parent, "-o", "settings.yaml", exit_code=2).stderr
    assert said == "UsageError: --output settings.yaml: a model card is Markdown, such as README.md.\n"
    assert (folder / "settings.yaml").read_text() == "version: 1\n"
    (folder / "README.md").write_text("# Ours\n\nText.\n")
    done = bench_command("export", record.path.parent, "-o", "README.md")
    assert done.stderr.startswith("12 measurements of random written")
    assert (folder / "README.md").read_text().endswith("\n---\n\n# Ours\n\nText.\n")

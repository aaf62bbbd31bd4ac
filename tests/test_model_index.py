"""`bench export`: what a model card says follows from checked records."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest
from huggingface_hub import ModelCard


@pytest.fixture
def runs(bench_command: Any) -> Any:
    bench_command("run", "-m", "random", "-t", "anet-retrieval", "--seeds", "0,1")
    return bench_command


def measured(runs: Any, name: str) -> list[Any]:
    """Returns a measurement of every run's record, in the order of their seeds."""
    records = [json.loads(path.read_text()) for path in sorted(runs.folder.glob("runs/random--*/result.json"))]
    return [next(m for m in record["measurements"] if m["name"] == name) for record in records]


def test_several_seeds_become_a_mean_with_its_deviation(runs: Any) -> None:
    runs("export", "runs/random--*", "-o", "README.md")
    card = ModelCard.load(runs.folder / "README.md")
    results = {result.metric_type: result for result in card.data.eval_results}
    found = results["t2v/R@50"]
    assert card.data.model_name == "random"
    values = [measurement["value"] for measurement in measured(runs, "t2v/R@50")]
    assert values[0] != values[1]
    assert found.metric_value == pytest.approx(statistics.fmean(values))
    assert found.metric_args["seeds"] == [0, 1]
    assert found.metric_args["std"] == pytest.approx(statistics.stdev(values))
    assert (found.task_type, found.task_name) == ("video-text-retrieval", "anet-retrieval")
    assert (found.dataset_name, found.dataset_split) == ("sample (generated)", "val_1")
    assert found.metric_config.startswith("anet-retrieval/2|split=val_1|pool=500:")
    assert len(results) == 12


def test_a_card_keeps_its_text_and_its_other_metadata(runs: Any) -> None:
    (runs.folder / "README.md").write_text("---\nlicense: mit\ntags:\n- video\n---\n\n# Ours\n\nText.\n")
    for _ in range(2):
        runs("export", "runs/random--*--s0--*", "-o", "README.md")
    card = ModelCard.load(runs.folder / "README.md")
    assert (card.data.license, card.data.tags) == ("mit", ["video"])
    assert card.text.strip() == "# Ours\n\nText."
    assert len(card.data.eval_results) == 12
    first = card.data.eval_results[0]
    assert first.metric_args["ci95"] == measured(runs, first.metric_type)[0]["ci95"]


def test_without_an_output_the_metadata_are_printed(runs: Any) -> None:
    assert runs("export", "runs/random--*--s0--*").stdout.startswith("model-index:\n- name: random\n")


def test_a_record_that_does_not_hold_is_not_exported(runs: Any) -> None:
    path = next(runs.folder.glob("runs/random--*--s0--*/result.json"))
    record = json.loads(path.read_text())
    next(m for m in record["measurements"] if m["name"] == "t2v/R@50")["value"] = 99.2
    path.write_text(json.dumps(record))
    assert "t2v/R@50 is 99.2 in the record" in runs("export", path, exit_code=6).stderr


def test_records_of_two_models_and_partial_ones_are_refused(runs: Any) -> None:
    runs("run", "-m", "count-only", "-t", "anet-retrieval")
    assert "one model" in runs("export", "runs/random--*--s0--*", "runs/count-only--*", exit_code=2).stderr
    runs("run", "-m", "random", "-t", "anet-retrieval", "--limit", "20", "--output", "part")
    assert "part of the test set" in runs("export", "part/random--*", exit_code=2).stderr
    assert "given twice" in runs("export", *["runs/random--*--s0--*"] * 2, exit_code=2).stderr


def test_a_file_that_is_no_card_is_left_alone(runs: Any) -> None:
    (runs.folder / "README.md").write_text("---\n- a\n---\ntext")
    assert "is not a model card" in runs("export", "runs/random--*--s0--*", "-o", "README.md", exit_code=4).stderr
    assert (runs.folder / "README.md").read_text() == "---\n- a\n---\ntext"

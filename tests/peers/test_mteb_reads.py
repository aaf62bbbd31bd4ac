"""mteb reads what `bench export --form mteb` writes: its own `ResultCache`, `TaskResult` and `ModelMeta`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.analysis.mteb_folder import mteb_files, write_mteb
from bench.evidence.verified import read_record

pytestmark = pytest.mark.extra("mteb")


def test_its_cache_loads_a_record_as_two_tasks(control_runs: Path, tmp_path: Path) -> None:
    import mteb
    from mteb.models import ModelMeta
    from mteb.results.task_result import _read_run_settings_from_file

    record = read_record(next(control_runs.glob("*/result.json")))
    write_mteb(mteb_files([record], "our-lab/noise"), tmp_path)
    cache = mteb.ResultCache(tmp_path)

    shown = cache.load_results().to_dataframe(format="long", include_model_revision=True)
    value = {one.name: one.value / 100 for one in record.result.measurements}
    tasks = {"anet-retrieval-t2v": value["t2v/R@1"], "anet-retrieval-v2t": value["v2t/R@1"]}
    assert dict(zip(shown["task_name"], shown["score"], strict=True)) == pytest.approx(tasks, abs=1e-5)
    (revision,) = set(shown["model_revision"])
    for task, main in tasks.items():
        result = cache.load_task_result(task, "our-lab/noise", revision, raise_if_not_found=True)
        assert result.get_score() == pytest.approx(main)
        assert result.get_score(getter=lambda row: row["recall_at_50"]) == pytest.approx(value[f"{task[-3:]}/R@50"])
    meta = ModelMeta.model_validate_json_resolved(next(tmp_path.rglob("model_meta.json")).read_text())
    assert (meta.name, meta.revision, meta.modalities) == ("our-lab/noise", revision, ["text", "video"])
    settings = _read_run_settings_from_file(next(tmp_path.rglob("run_settings.jsonl")))
    assert [line["signature"] for line in settings] == [record.result.signature] * 2

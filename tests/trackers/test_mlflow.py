"""A run as MLflow reads it back."""

from __future__ import annotations

from typing import Any

import pytest
from trackers.tracked import Tracked

pytestmark = pytest.mark.extra("mlflow")


@pytest.mark.filterwarnings("ignore")
def test_losses_measurements_settings_and_the_digest_of_the_record_are_there(
    bench_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    run = Tracked(bench_command, "mlflow")
    store = bench_command.folder / "runs" / "mlflow"
    client = MlflowClient(store.as_uri())
    experiment = client.get_experiment_by_name("mine-retrieval")
    [told] = client.search_runs([experiment.experiment_id])

    assert (told.info.run_name, told.info.status) == (run.record["run"], "FINISHED")
    assert told.data.params["hidden"] == "8"
    assert told.data.params["model"] == "fse"
    assert told.data.tags["record_sha256"] == run.digest
    assert {name.replace("_at_", "@"): told.data.metrics[name.replace("@", "_at_")] for name in run.measured}
    for name, value in run.measured.items():
        assert told.data.metrics[name.replace("@", "_at_")] == value
    assert [one.step for one in client.get_metric_history(told.info.run_id, "fit/loss")] == [1, 2, 3]
    files = [path for path in store.rglob("*") if path.is_file()]
    run.check_private(*files, but="artifact_")  # where the store itself lies
    run.check_untouched(bench_command)

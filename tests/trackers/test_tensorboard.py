"""A run as TensorBoard reads it back."""

from __future__ import annotations

from typing import Any

import pytest
from trackers.tracked import Tracked

pytestmark = pytest.mark.extra("tensorboard")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_losses_measurements_settings_and_the_digest_of_the_record_are_there(bench_command: Any) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    run = Tracked(bench_command, "tensorboard")
    read = EventAccumulator(str(run.path.parent / "tensorboard"))
    read.Reload()

    assert [one.step for one in read.Scalars("fit/loss")] == [1, 2, 3]
    for name, value in run.measured.items():
        [one] = read.Scalars(f"measured/{name}")
        assert one.value == pytest.approx(value, rel=1e-6)
    content = plugin_data_pb2.HParamsPluginData.FromString(
        read.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    )
    settings = content.session_start_info.hparams
    assert settings["hidden"].number_value == 8
    assert settings["model"].string_value == "fse"
    assert settings["record_sha256"].string_value == run.digest
    run.check_private(*(run.path.parent / "tensorboard").iterdir())
    run.check_untouched(bench_command)

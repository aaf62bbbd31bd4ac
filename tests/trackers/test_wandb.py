"""A run as Weights & Biases keeps it offline, read back record by record."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from trackers.tracked import Tracked

pytestmark = pytest.mark.extra("wandb")
BLOCK = 32768


def logged(content: bytes) -> Iterator[bytes]:
    """Yields what is in a log in the form of LevelDB: blocks of records, long ones in pieces, after W&B's head."""
    assert content.startswith(b":W&B")
    at, whole = 7, b""
    while at + 7 <= len(content):
        if BLOCK - at % BLOCK < 7:  # no room for the head of a record
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # all of it, or its last piece
            yield whole
            whole = b""


@pytest.mark.filterwarnings("ignore")
def test_losses_measurements_settings_and_the_digest_of_the_record_are_there(bench_command: Any) -> None:
    from wandb.proto.wandb_internal_pb2 import Record

    run = Tracked(bench_command, "wandb")
    [kept] = run.path.parent.glob("wandb/wandb/offline-run-*/run-*.wandb")
    records = [Record.FromString(data) for data in logged(kept.read_bytes())]
    config, history, summary = {}, [], {}
    for record in records:
        config |= {one.key: json.loads(one.value_json) for one in record.run.config.update if one.key}
        if record.WhichOneof("record_type") == "history":
            history.append({(one.key or one.nested_key[0]): json.loads(one.value_json) for one in record.history.item})
        for one in record.summary.update:
            summary[one.key or "/".join(one.nested_key)] = json.loads(one.value_json)
    assert config["hidden"] == 8
    assert config["model"] == "fse"
    assert [one["fit/step"] for one in history if "fit/step" in one] == [1, 2, 3]
    assert all("fit/loss" in one for one in history if "fit/step" in one)
    assert summary["record_sha256"] == run.digest
    for name, value in run.measured.items():
        assert summary[name] == value
    run.check_private(kept, *(path for path in kept.parent.glob("files/**/*") if path.is_file()))
    run.check_untouched(bench_command)

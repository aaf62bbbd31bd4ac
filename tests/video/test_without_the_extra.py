"""Where PyAV is not installed, whoever opens a video is told what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.errors import MissingData
from bench.video import VideoFile


def test_a_missing_library_is_one_line_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mp4").write_bytes(b"\0" * 64)
    with pytest.raises(MissingData, match=r"reading videos needs PyAV \(.*\): pip install 'vtbench\[video\]'$"):
        VideoFile(tmp_path / "a.mp4")

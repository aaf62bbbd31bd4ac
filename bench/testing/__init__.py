"""The conformance kit: does a plugin keep what its specs promise? `bench plugin check NAME`, and the same in pytest.

With vtbench installed, pytest has the fixtures of `bench.testing.fixtures`; a plugin's own test is then

    def test_conformance(bench_check):
        bench_check("mine")
"""

from __future__ import annotations

from bench.testing.checking import check_plugin
from bench.testing.report import CheckFailed, Finding, Report

__all__ = ["CheckFailed", "Finding", "Report", "check_plugin"]

"""Properties hold on the same examples in any order and on any number of workers, and on all constants of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
EXAMPLES = """
import sys
from hypothesis import given, settings, strategies as st
from drawing import draw_alike, load_everything
if "alike" in sys.argv:
    draw_alike()
if "loaded" in sys.argv:
    load_everything()
drawn = []

@settings(derandomize=True, database=None, max_examples=300)
@given(st.floats(), st.integers(), st.text())
def draw(real, whole, text):
    drawn.append((real, whole, text))

draw()
print(ascii(drawn))
"""


def examples(*words: str) -> str:
    command = [sys.executable, "-c", EXAMPLES, *words]
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=TESTS.parent, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_fixed_examples_do_not_depend_on_what_was_loaded_before() -> None:
    assert examples("alike") == examples("alike", "loaded")
    assert examples() != examples("loaded"), "Hypothesis draws no local constants: `draw_alike` is no longer needed"


@pytest.mark.slow
def test_properties_of_metrics_hold_with_every_module_loaded_first() -> None:
    """Hypothesis then draws every constant that bench and the plugins hold, as at the end of a long run."""
    command = [sys.executable, "-m", "pytest", "tests/metrics", "-m", "hypothesis", "--load-everything", "-q"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=TESTS.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout

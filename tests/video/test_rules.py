"""Rules of earlier work against what their originals take (tests/golden/sampling), and formulas worked out by hand."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bench.video.rules import RULES, Count

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sampling" / "transformers.json").read_text())


@pytest.mark.parametrize(("case", "rule"), [(case, rule) for case, rules in GOLDEN.items() for rule in rules])
def test_a_rule_takes_what_transformers_takes(case: str, rule: str) -> None:
    total, rate, asked, number = re.fullmatch(r"(\d+) frames(?: at (\S+))?, (\w+)=(\d+)", case).groups()
    count = Count(int(total), rate=Fraction(rate or 25), **{asked: Fraction(number) if asked == "fps" else int(number)})

    taken = RULES[rule].indices(count).tolist()

    wanted = GOLDEN[case][rule]
    assert wanted in (taken, [len(taken), sum(taken), taken[-1]])


@pytest.mark.parametrize(
    ("rule", "total", "frames", "indices"),
    [
        # 100 / 8 = 12.5 a part: 6.25, 18.75, …; decoding.md lists the same for InternVL
        ("tsn-centre", 100, 8, [6, 18, 31, 43, 56, 68, 81, 93]),
        ("tsn-centre", 5, 8, [0, 0, 1, 2, 2, 3, 4, 4]),
        # 99 / 7 = 14.14 apart
        ("linspace-round", 100, 8, [0, 14, 28, 42, 57, 71, 85, 99]),
        ("linspace-floor", 100, 8, [0, 14, 28, 42, 56, 70, 84, 99]),
        ("linspace-round", 4, 3, [0, 2, 3]),  # 1.5 goes to 2, the even one
        ("linspace-round", 6, 3, [0, 2, 5]),  # and so does 2.5
        # bounds 0 12 25 37 50 62 75 87 100, middles (0 + 11) // 2, (12 + 24) // 2, …
        ("frozen", 100, 8, [5, 18, 30, 43, 55, 68, 80, 93]),
        ("frozen-opencv", 100, 8, [4, 17, 29, 42, 54, 67, 79, 92]),
        ("frozen", 3, 8, [0, 1, 2]),
        ("frozen-opencv", 3, 8, [0, 0, 1]),
        # 3,596 frames are 120 s at 29.97; in the words of decoding.md: 4.97, 14.95, …, 114.95 s
        ("frozen", 3596, 12, [149, 448, 748, 1048, 1347, 1647, 1947, 2246, 2546, 2846, 3145, 3445]),
    ],
)
def test_a_rule_takes_what_its_formula_says(rule: str, total: int, frames: int, indices: list[int]) -> None:
    assert RULES[rule].indices(Count(total, frames)).tolist() == indices


def test_clip4clip_counts_seconds_by_a_rate_that_is_cut_off() -> None:
    """124, 126 and 120 frames of two minutes; second 100 lies at 96.76, 95.93 and 100.0 s."""
    for rate, total, frames, second in (
        (Fraction(30000, 1001), 3596, 124, 96.76),
        (Fraction(24000, 1001), 2878, 126, 95.93),
        (Fraction(25), 3000, 120, 100.0),
    ):
        taken = RULES["clip4clip-1fps"].indices(Count(total, fps=Fraction(1), rate=rate))
        assert len(taken) == frames
        assert float(taken[100] / rate) == pytest.approx(second, abs=0.005)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_takes_frames_that_are_there_in_their_order(rule: str) -> None:
    for total in (1, 2, 7, 100, 3596):
        for frames in (1, 2, 4, 7):
            if "frames" not in RULES[rule].asks or (frames <= total and rule != "qwen2-vl"):
                asked = {"frames": frames} if "frames" in RULES[rule].asks else {"fps": Fraction(frames)}
                taken = RULES[rule].indices(Count(total, rate=Fraction(25), **asked))
                assert (np.diff(taken) >= 0).all()
                assert 0 <= taken.min() <= taken.max() < total

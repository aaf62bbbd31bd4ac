"""Samplers in words, and what they take of a video."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bench.errors import InvalidData, UnknownName, UsageError
from bench.video import CodedPicture, FrameIndex, Sampler

PICTURE = CodedPicture("mov", "h264", "yuv420p", 4, 2, rate=Fraction(25))


def index(times: object, rate: Fraction | None = Fraction(25), zero: int = 0) -> FrameIndex:
    """Returns an index with times in milliseconds; the last frame stays for 40."""
    found = np.array(list(times), np.int64)
    picture = CodedPicture("mov", "h264", "yuv420p", 4, 2, rate=rate)
    return FrameIndex(found, Fraction(1, 1000), zero, int(found[-1]) + 40, picture)


STEADY = index(range(0, 4000, 40))  # 100 frames, 4 s


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fps=1", "fps=1"),
        ("fps = 29.97", "fps=29.97"),
        ("fps=30000/1001", "fps=30000/1001"),
        ("fps=0.5", "fps=0.5"),
        ("frames=16", "tsn-centre frames=16"),
        ("windows=16 stride 8", "windows=16 stride 8"),
        ("windows=16 stride=8 repeat", "windows=16 stride 8 repeat"),
        ("frames=12 tsn-centre", "tsn-centre frames=12"),
        ("linspace-round frames=16 repeat", "linspace-round frames=16 repeat"),
        ("qwen3-vl", "qwen3-vl fps=2"),
        ("qwen3-vl frames=8", "qwen3-vl frames=8"),
        ("glm-4v", "glm-4v fps=2"),
        ("clip4clip-1fps", "clip4clip-1fps"),
    ],
)
def test_a_sampler_has_one_way_to_be_written(text: str, words: str) -> None:
    sampler = Sampler.parse(text)
    assert sampler.words == words
    assert Sampler.parse(words) == sampler


NO_SAMPLERS = (
    *("", "frames", "frames=0", "frames=-3", "frames=1.5", "fps=1/0", "fps=nan", "fps=1e3", "windows=16", "stride=8"),
    *("repeat", "frames=16 fps=2", "frames=3 frames=4", "clip4clip-1fps frames=3", "linspace-round", "frozen frozen"),
    *("linspace-round fps=2", "windows=3 stride=2 hf-arange", "frames=1000000", "repeat frames=3 frozen repeat"),
)


@pytest.mark.parametrize("text", NO_SAMPLERS)
def test_what_is_no_sampler_is_said_in_one_line_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sampler.parse(text)
    assert "sampler" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_rule_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"unknown sampler 'linspace'. Did you mean 'linspace-round'"):
        Sampler.parse("linspace frames=16")


def test_a_rate_takes_what_is_on_screen_at_each_moment_before_the_end() -> None:
    assert Sampler.parse("fps=1").places(STEADY).tolist() == [0, 25, 50, 75]
    assert Sampler.parse("fps=2").places(STEADY, (1.0, 2.0)).tolist() == [25, 37]
    slow = index([0, 900, 2500])
    assert Sampler.parse("fps=1").places(slow).tolist() == [0, 1, 1]
    assert Sampler.parse("fps=0.1").places(slow).tolist() == [0]


def test_decimals_mean_what_is_written() -> None:
    """0.12 as a float is less than 3/25: frame 3 would be missed."""
    assert STEADY.at(0.12) == 3
    assert Sampler.parse("fps=25").places(STEADY).tolist() == list(range(100))


@pytest.mark.parametrize(
    ("rate", "asked"),
    [(Fraction(30), (30, 15, 10, 6, 1)), (Fraction(24), (24, 12, 8, 1)), (Fraction(30000, 1001), ("30000/1001",))],
)
def test_times_rounded_to_milliseconds_give_the_frames_of_exact_ones(rate: Fraction, asked: tuple[object, ...]) -> None:
    """Matroska and WebM round; MP4 with the same pictures does not."""
    for count in range(1, 8 * 30, 7):
        exact = FrameIndex(np.arange(count), 1 / rate, 0, count, PICTURE)
        *times, end = (round(1000 * place / rate) for place in range(count + 1))
        rounded = FrameIndex(np.array(times), Fraction(1, 1000), 0, end, PICTURE)
        assert [rounded.at(place / rate) for place in range(count)] == list(range(count))
        assert rounded.within((0.5, 1.5)) == exact.within((0.5, 1.5))
        for fps in asked:
            sampler = Sampler.parse(f"fps={fps}")
            assert sampler.places(rounded).tolist() == sampler.places(exact).tolist()


def test_before_the_first_frame_the_first_is_meant() -> None:
    late = index(range(500, 1500, 100))
    assert late.at(0.0) == 0
    assert late.at(0.65) == 1
    assert Sampler.parse("fps=2").places(late).tolist() == [0, 0, 5]  # 0, 0.5 and 1 s


def test_a_segment_is_never_empty() -> None:
    assert STEADY.within((1.0, 1.12)) == range(25, 28)
    assert STEADY.within((1.01, 1.03)) == range(25, 26)
    assert STEADY.within((2.0, 2.0)) == range(50, 51)
    assert STEADY.within((90.0, 95.0)) == range(99, 100)
    assert Sampler.parse("fps=1").places(STEADY, (3.99, 4.5)).tolist() == [99]
    with pytest.raises(InvalidData, match="ends before it starts"):
        STEADY.within((3.0, 2.0))


def test_windows_are_whole_and_overlap() -> None:
    assert Sampler.parse("windows=16 stride 8").places(STEADY).shape == (11, 16)
    assert Sampler.parse("windows=3 stride 2").places(STEADY, (0.4, 0.64)).tolist() == [[10, 11, 12], [12, 13, 14]]


def test_fewer_frames_than_asked_are_an_error_whose_advice_works() -> None:
    short = index(range(0, 200, 40))
    with pytest.raises(InvalidData, match="asks for 16 frames, there are 5") as caught:
        Sampler.parse("linspace-round frames=16").places(short)
    advised = str(caught.value).split("'")[-2]
    assert Sampler.parse(advised).places(short).tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4]
    with pytest.raises(InvalidData, match="asks for 16 frames"):
        Sampler.parse("windows=16 stride 8").places(short)
    assert Sampler.parse("windows=8 stride 8 repeat").places(short).tolist() == [[0, 1, 2, 3, 4, 4, 4, 4]]


def test_a_rule_that_counts_by_a_rate_says_so_where_the_file_has_none() -> None:
    with pytest.raises(InvalidData, match="how many frames a second"):
        Sampler.parse("clip4clip-1fps").places(index(range(0, 400, 40), rate=None))


def test_an_original_that_asks_for_a_frame_past_the_end_is_said_to() -> None:
    """42 / 30 is a little less than 1.4: `torch.arange` then has a 31st number, 42 as a float of 32 bits."""
    with pytest.raises(InvalidData, match="asks for frame 42 of 42"):
        Sampler.parse("qwen2-vl frames=30").places(index(range(0, 42 * 40, 40)))

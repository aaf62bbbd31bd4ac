"""A sampler in words, such as `fps=1`, `frames=16` or `windows=16 stride 8`, and the frames it takes of a video.

Samplers are protocol: which frames are taken changes a number as a model does. Their words stand in every record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bench.errors import InvalidData, UsageError, unknown_name
from bench.video.index import FrameIndex, Span, exact
from bench.video.rules import RULES, Count

DEFAULT_RULE = "tsn-centre"
"""What `frames=16` means."""
FORMS = "fps=1, frames=16, windows=16 stride 8, or a rule with its number: linspace-round frames=16"
LARGEST = 100_000
"""The largest number that a sampler may hold."""


@dataclass(frozen=True)
class Sampler:
    """Which frames of a video, or of a segment of it, are taken.

    Attributes:
        rule: `fps`, `windows` or a name of `RULES`.
        frames: how many, where a number was asked for; else 0.
        fps: how many a second, where a rate was; else 0.
        windows, stride: frames of a window, and from the start of one to that of the next; else 0.
        repeat: whether frames may be taken twice where there are fewer than asked for; else that is an error.
    """

    rule: str
    frames: int = 0
    fps: Fraction = Fraction(0)
    windows: int = 0
    stride: int = 0
    repeat: bool = False

    @classmethod
    def parse(cls, text: str) -> Sampler:
        """Returns the sampler that words mean. Raises: UsageError for what is none, UnknownName for no such rule."""
        names: list[str] = []
        values: dict[str, Fraction] = {}
        words = iter(text.replace("=", " ").split())
        for word in words:
            if word in values:
                raise UsageError(f"sampler {text!r} says {word!r} twice.")
            if word in ("frames", "fps", "windows", "stride"):
                values[word] = _number(text, word, next(words, ""))
            else:
                names.append(word)
        repeat = names[-1:] == ["repeat"]
        rules = names[: len(names) - repeat]
        rule = _rule(text, rules, values)
        given = {word: int(value) for word, value in values.items() if word != "fps"}
        fps = values.get("fps") or (RULES[rule].fps if rule in RULES and "frames" not in values else Fraction(0))
        return cls(rule, fps=fps, repeat=repeat, **given)

    @property
    def words(self) -> str:
        """The one way to write this sampler."""
        if self.rule == "windows":
            parts = [f"windows={self.windows} stride {self.stride}"]
        elif self.rule == "fps":
            parts = [f"fps={_words(self.fps)}"]
        else:
            by_rate = [f"fps={_words(self.fps)}"] * ("fps" in RULES[self.rule].asks)
            asked = [f"frames={self.frames}"] if self.frames else by_rate
            parts = [self.rule, *asked]
        return " ".join([*parts, *["repeat"] * self.repeat])

    def places(self, index: FrameIndex, span: Span | None = None) -> np.ndarray:
        """Returns the places in `index` of the frames that are taken: (k,) int64, or (w, windows) for windows.

        A `span` is a segment, start and end in seconds: the frames with start <= time < end are sampled as if they were
        a video of their own.

        Raises: InvalidData for fewer frames than were asked for, and where a rate is needed that the file does not say.
        """
        within = index.within(span)
        if self.rule == "fps":
            return self._at_times(index, within, span)
        if self.rule == "windows":
            return self._in_windows(within)
        rate, total = index.picture.rate or Fraction(0), len(within)
        if self.fps and not rate:
            raise InvalidData(f"the file does not say how many frames a second it has, which {self.words!r} needs.")
        self._enough(total, self.frames, fewer=RULES[self.rule].fewer)
        indices = RULES[self.rule].indices(Count(total, self.frames, self.fps, rate))
        if not len(indices):
            raise InvalidData(f"{self.words!r} takes no frame of {total}. Ask for frames=K, or for more a second.")
        if indices[-1] >= total:
            beyond = f"asks for frame {indices[-1]} of {total} that are counted from 0, as its original does"
            raise InvalidData(f"{self.words!r} {beyond}. Ask for another number, or by another rule.")
        return within.start + indices.astype(np.int64)

    def _at_times(self, index: FrameIndex, within: range, span: Span | None) -> np.ndarray:
        """Returns what is on screen at every i / fps from the start, before the end; always one frame at least."""
        start, end = (Fraction(0), index.duration) if span is None else (exact(span[0]), exact(span[1]))
        steps = max(1, -(-(min(end, index.last_moment) - start) * self.fps // 1))
        places = [index.at(start + step / self.fps) for step in range(int(steps))]
        return np.clip(np.array(places, np.int64), within.start, within.stop - 1)

    def _in_windows(self, within: range) -> np.ndarray:
        """Returns every whole window; with `repeat`, one that ends in copies of the last frame where none is whole."""
        self._enough(len(within), self.windows)
        starts = np.arange(0, max(1, len(within) - self.windows + 1), self.stride)
        places = within.start + starts[:, None] + np.arange(self.windows)
        return np.asarray(np.clip(places, None, within.stop - 1), np.int64)

    def _enough(self, total: int, wanted: int, *, fewer: bool = False) -> None:
        if total < wanted and not (self.repeat or fewer):
            raise InvalidData(
                f"{self.words!r} asks for {wanted} frames, there {'is' if total == 1 else 'are'} {total}. Ask for"
                f" fewer, or write '{self.words} repeat' to take frames twice where there are too few."
            )


def _rule(text: str, names: list[str], values: dict[str, Fraction]) -> str:
    """Returns the rule that is meant, when it was asked for what it takes and for nothing else."""
    unnamed = {("fps",): "fps", ("frames",): DEFAULT_RULE, ("stride", "windows"): "windows"}
    asked = tuple(sorted(values))
    if len(names) == 1:
        if names[0] not in RULES:
            raise unknown_name("sampler", names[0], RULES)
        rule = RULES[names[0]]
        if asked in [(word,) for word in rule.asks] or (not asked and rule.fps):
            return names[0]
    elif not names and asked in unnamed:
        return unnamed[asked]
    raise UsageError(f"sampler {text!r} cannot be read. Write {FORMS}.")


def _number(text: str, word: str, value: str) -> Fraction:
    """Returns a number of a sampler; only `fps` may be a fraction, such as 29.97 or 30000/1001."""
    whole = r"[0-9]{1,9}"
    number = re.fullmatch(rf"{whole}(\.{whole})?(/{whole})?" if word == "fps" else whole, value)
    try:
        fraction = Fraction(value) if number else Fraction(0)
    except (ValueError, ZeroDivisionError):
        fraction = Fraction(0)
    if not 0 < fraction <= LARGEST:
        raise UsageError(f"sampler {text!r}: {word} is {value or 'not given'}, not a number from 1 to {LARGEST:,}.")
    return fraction


def _words(number: Fraction) -> str:
    """Returns a number as people write it: 29.97, but 30000/1001."""
    text = str(float(number))
    return str(number) if Fraction(text) != number else text.removesuffix(".0")

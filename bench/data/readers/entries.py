"""One video of a file in ActivityNet Captions form, checked and put right by the policy of `readers.activitynet`."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bench.data.digests import check_id
from bench.errors import InvalidData
from bench.reading.numbers import number_of
from bench.reading.outside import finite, shown

SPACES = "sentences with leading, trailing, repeated spaces or line breaks, normalised"
UNCOMPOSED = "sentences with uncomposed characters, composed (NFC)"
FOREIGN = "sentences with non-ASCII characters, kept"
REVERSED = "reversed segments (end before start), swapped"
BEYOND = "segments that end beyond the video, clipped to it"
BEFORE = "segments that start before 0, clipped to it"
UNSORTED = "videos with segments not in order of time, order kept"


@dataclass(frozen=True)
class VideoEntry:
    """Annotations of one video: seconds or None, segments or [], sentences."""

    duration: float | None
    timestamps: list[list[float]]
    sentences: list[str]


@dataclass(frozen=True)
class EntryReader:
    """Reads the entries of one file and counts what it puts right in `oddities`."""

    file: str
    oddities: Counter[str]

    def read(self, video_id: str, raw: Any) -> VideoEntry:
        """Returns one entry of the file. Raises: InvalidData naming file and video."""
        check_id(video_id, self.file)
        if isinstance(raw, list):
            raw = {"sentences": raw}
        if not isinstance(raw, Mapping):
            self._refuse(video_id, f"is {type(raw).__name__}, not an object or a list of sentences")
        sentences = self._sentences(video_id, raw.get("sentences"))
        duration = self._duration(video_id, raw.get("duration"))
        times = raw.get("timestamps")
        if times is None:
            return VideoEntry(duration, [], sentences)
        if duration is None:
            self._refuse(video_id, "has timestamps but no duration")
        if not isinstance(times, list) or len(times) != len(sentences):
            count = (
                number_of(len(times), "timestamp") if isinstance(times, list) else f"{type(times).__name__} timestamps"
            )
            self._refuse(video_id, f"has {number_of(len(sentences), 'sentence')} but {count}")
        segments = [self._segment(video_id, segment, duration) for segment in times]
        self.oddities[UNSORTED] += segments != sorted(segments)
        return VideoEntry(duration, segments, sentences)

    def _sentences(self, video_id: str, raw: Any) -> list[str]:
        if not isinstance(raw, list) or not raw:
            self._refuse(video_id, "has no list of sentences")
        sentences = []
        for number, text in enumerate(raw):
            if not isinstance(text, str):
                self._refuse(video_id, f"sentence {number} is {type(text).__name__}, not text")
            composed = unicodedata.normalize("NFC", text)
            sentence = " ".join(composed.split())
            if not sentence:
                self._refuse(video_id, f"sentence {number} is empty")
            if any("\ud800" <= character <= "\udfff" for character in sentence):
                self._refuse(video_id, f"sentence {number} holds broken Unicode")
            self.oddities[SPACES] += sentence != composed
            self.oddities[UNCOMPOSED] += composed != text
            self.oddities[FOREIGN] += not sentence.isascii()
            sentences.append(sentence)
        return sentences

    def _duration(self, video_id: str, raw: Any) -> float | None:
        if raw is None:
            return None
        seconds = finite(raw)
        if seconds is None or seconds <= 0:
            self._refuse(video_id, f"has duration {shown(raw)}, expected seconds above 0")
        return seconds

    def _segment(self, video_id: str, raw: Any, duration: float) -> list[float]:
        """Returns [start, end] with 0 <= start <= end <= duration."""
        numbers = [finite(part) for part in raw] if isinstance(raw, list) else []
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            self._refuse(video_id, f"has timestamp {shown(raw)}, expected [start, end] in seconds")
        start, end = numbers[0], numbers[1]
        if end < start:
            start, end = end, start
            self.oddities[REVERSED] += 1
        if start >= duration or end < 0:
            self._refuse(video_id, f"has timestamp {shown(raw)} outside its duration of {duration:g} s")
        if end > duration:
            end = duration
            self.oddities[BEYOND] += 1
        if start < 0:
            start = 0.0
            self.oddities[BEFORE] += 1
        return [start, end]

    def _refuse(self, video_id: str, reason: str) -> NoReturn:
        raise InvalidData(f"{self.file}: video {video_id!r} {reason}. Correct the file, or leave the video out.")

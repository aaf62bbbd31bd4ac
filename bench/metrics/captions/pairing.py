"""From videos with captions and references to the items that a protocol compares (`bench.metrics.captions.items`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from bench.errors import InvalidData, MissingData
from bench.metrics.captions.items import MATCH_TIOU, Rules, Sentence, VideoCaptions
from bench.reading.numbers import number_of

SAME_TIME = 1e-3
"""Seconds by which equal times may differ: files of others hold them in float32."""


@dataclass(frozen=True)
class Item:
    """A caption with what it is compared with.

    Attributes:
        video: its id.
        segment: start and end in seconds, or None for the whole video.
        caption: what was predicted; empty where nothing was and that counts zero.
        references: at least one.
    """

    video: str
    segment: tuple[float, float] | None
    caption: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """What of a test set is scored.

    Attributes:
        chosen: items, or videos for `densevid`.
        expected: how many there are, with those that were left out for want of a prediction.
        notes: remarks for the user.
    """

    chosen: tuple[Any, ...]
    expected: int
    notes: tuple[str, ...]


def tiou(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Returns the temporal intersection over union of two segments, 0 to 1; 1 for equal ones, however short."""
    if abs(a[0] - b[0]) <= SAME_TIME and abs(a[1] - b[1]) <= SAME_TIME:
        return 1.0
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = min(max(a[1], b[1]) - min(a[0], b[0]), a[1] - a[0] + b[1] - b[0])
    return shared / (union + 1e-8)


def check(videos: Sequence[VideoCaptions]) -> None:
    """Raises InvalidData for a video twice, without references, with times that are no times, or with some missing."""
    if not videos:
        raise InvalidData("there are no references: nothing can be scored.")
    if len({video.video for video in videos}) < len(videos):
        raise InvalidData("a video occurs twice among the references.")
    for video in videos:
        described = [sentence for annotation in video.references for sentence in annotation]
        if not described:
            raise InvalidData(f"video {video.video[:60]!r} has no reference. Leave it out.")
        for side, sentences in (("reference", described), ("prediction", video.predicted or ())):
            timed = [sentence.segment is not None for sentence in sentences]
            if any(timed) and not all(timed):
                raise InvalidData(f"video {video.video[:60]!r}: some {side}s have times and some have none.")
            for sentence in sentences:
                if sentence.segment is not None and not all(map(math.isfinite, sentence.segment)):
                    raise InvalidData(
                        f"video {video.video[:60]!r}: a {side} has times {sentence.segment}; expected seconds."
                    )


def corpus_items(videos: Sequence[VideoCaptions], rules: Rules) -> Selection:
    """Returns an item for each reference segment, ordered by video and time.

    Raises: MissingData where a prediction is missing and that is an error; InvalidData for predictions without times
    where references have them.
    """
    items: list[Item] = []
    missing: list[str] = []
    spare = 0
    for video in sorted(videos, key=lambda video: video.video):
        entries, unused = _matched(video)
        spare += unused
        for segment, caption, references in entries:
            if caption is None:
                missing.append(video.video)
            if caption is not None or rules.missing == "zero":
                items.append(Item(video.video, segment, caption or "", references))
    remark = f"{spare:,} predicted sentences describe no segment of the references and are left out"
    return _selection(items, missing, "segments", rules, [remark] if spare else [])


def paragraph_items(videos: Sequence[VideoCaptions], rules: Rules) -> Selection:
    """Returns an item for each video, ordered by id. Raises: MissingData as `corpus_items`."""
    items, missing = [], []
    for video in sorted(videos, key=lambda video: video.video):
        if not video.predicted:
            missing.append(video.video)
        if video.predicted or rules.missing == "zero":
            references = tuple(_paragraph(annotation) for annotation in video.references if annotation)
            items.append(Item(video.video, None, _paragraph(video.predicted or ()), references))
    return _selection(items, missing, "videos", rules)


def dense_videos(videos: Sequence[VideoCaptions], rules: Rules) -> Selection:
    """Returns the videos that count, ordered by id. Raises: MissingData as `corpus_items`."""
    ordered = sorted(videos, key=lambda video: video.video)
    missing = [video.video for video in ordered if video.predicted is None]
    kept = [video for video in ordered if video.predicted is not None or rules.missing == "zero"]
    return _selection(kept, missing, "videos", rules)


def sentence_items(video: VideoCaptions) -> list[Item]:
    """Returns an item for each sentence that was said of a video, in their order, whichever protocol scores them.

    Its references are those that it is compared with under `corpus`, of all annotations.
    """
    said = video.predicted or ()
    references: list[list[str]] = [[] for _ in said]
    order = sorted(range(len(said)), key=lambda place: _in_time(said[place]))
    for annotation in video.references if said else ():
        rising = sorted(annotation, key=_in_time)
        if rising and rising[0].segment is None:
            references[0] += [sentence.text for sentence in rising]
            continue
        matches = _one_to_one(_times([said[place] for place in order]), _times(rising))
        for place, answer in sorted(matches.items()):
            references[order[answer]].append(rising[place].text)
    return [Item(video.video, s.segment, s.text, tuple(told)) for s, told in zip(said, references, strict=True)]


def _paragraph(sentences: Sequence[Sentence]) -> str:
    ordered = sorted(sentences, key=lambda s: s.segment) if sentences and sentences[0].segment else sentences  # type: ignore[arg-type, return-value]
    return " ".join(sentence.text.strip() for sentence in ordered)


Entry = tuple[tuple[float, float] | None, str | None, tuple[str, ...]]


def _matched(video: VideoCaptions) -> tuple[list[Entry], int]:
    """Returns the video's segments with caption and references, and how many predictions describe none of them."""
    if video.references[0] and video.references[0][0].segment is None:
        return _whole(video)
    predicted = sorted(video.predicted or (), key=_in_time)
    if predicted and predicted[0].segment is None:
        raise InvalidData(
            f"video {video.video[:60]!r}: the references have times and the predictions none, so nobody knows which "
            "describes which. Give times, or use --protocol paragraph."
        )
    described: list[
        tuple[tuple[float, float], int | None, list[str], int]
    ] = []  # …, the last annotation that added to it
    used = set()
    for number, annotation in enumerate(video.references):
        rising = sorted(annotation, key=_in_time)
        matches = _one_to_one(_times(predicted), _times(rising))
        used |= set(matches.values())
        for place, sentence in enumerate(rising):
            segment = sentence.segment or (0.0, 0.0)
            same = next((i for i, e in enumerate(described) if e[0] == segment and e[3] < number), None)
            if same is None:
                described.append((segment, matches.get(place), [sentence.text], number))
            else:
                described[same][2].append(sentence.text)
                described[same] = (*described[same][:3], number)
    texts = [sentence.text for sentence in predicted]
    entries: list[Entry] = [
        (segment, None if at is None else texts[at], tuple(references)) for segment, at, references, _ in described
    ]
    entries.sort(key=lambda entry: (entry[0] or (0.0, 0.0), entry[2]))
    return entries, len(predicted) - len(used)


def _whole(video: VideoCaptions) -> tuple[list[Entry], int]:
    if video.predicted and len(video.predicted) > 1:
        raise InvalidData(
            f"video {video.video[:60]!r} has {number_of(len(video.predicted), 'prediction')} where its references "
            "describe it as a whole. Give one."
        )
    caption = video.predicted[0].text if video.predicted else None
    return [(None, caption, tuple(s.text for annotation in video.references for s in annotation))], 0


Times = tuple[tuple[float, float] | None, ...]


def _in_time(sentence: Sentence) -> tuple[tuple[float, float], str]:
    return sentence.segment or (0.0, 0.0), sentence.text


def _times(sentences: Sequence[Sentence]) -> Times:
    return tuple(sentence.segment for sentence in sentences)


@lru_cache(maxsize=4096)  # of one test set many models are asked, most about the same segments
def _one_to_one(predicted: Times, references: Times) -> Mapping[int, int]:
    """Returns reference -> prediction, the pairs of greatest temporal IoU first, at least `MATCH_TIOU`."""
    pairs = [
        (-overlap, mine, theirs)
        for mine, p in enumerate(predicted)
        for theirs, r in enumerate(references)
        if p and r and (overlap := tiou(p, r)) >= MATCH_TIOU
    ]
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for _, mine, theirs in sorted(pairs):
        if mine not in taken and theirs not in matched:
            taken.add(mine)
            matched[theirs] = mine
    return MappingProxyType(matched)


def _selection(
    chosen: Sequence[Any], missing: Sequence[str], what: str, rules: Rules, notes: Sequence[str] = ()
) -> Selection:
    """Returns what is scored, with a remark on what is missing. Raises: MissingData where that is an error."""
    one = len(missing) == 1
    count = f"{len(missing):,} {what[:-1] if one else what}"
    if missing and rules.missing == "error":
        raise MissingData(
            f"{count} without a prediction (first: video {missing[0][:60]!r}). Predict all, or say what they count: "
            "--missing zero or skip."
        )
    if not chosen:
        raise MissingData("no video of the references has a prediction: nothing can be scored. Are the ids the same?")
    zero, left_out = ("counts zero", "is left out") if one else ("count zero", "are left out")
    counted = zero if rules.missing == "zero" else left_out
    said = [f"{count} without a prediction {counted}"] if missing else []
    expected = len(chosen) + (len(missing) if rules.missing == "skip" else 0)
    return Selection(tuple(chosen), expected, (*said, *notes))

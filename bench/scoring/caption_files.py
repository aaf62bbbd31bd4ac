"""Predicted captions and references as people exchange them (`bench.data.readers.caption_files`), joined by video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.data.readers import caption_files
from bench.errors import InvalidData
from bench.metrics.captions.items import Sentence, VideoCaptions
from bench.reading.numbers import number_of

EXTENSIONS = ("mp4", "avi", "mkv", "webm", "mov")

Captioned = dict[str, list[Sentence]]


def read_captions(path: Path) -> tuple[Captioned, str]:
    """Returns the sentences of each video in a file, in its order, and a remark where its form left a choice.

    Raises: MissingData when there is no such file; InvalidData for one that is broken or of another form.
    """
    read = caption_files.read_captions(path, None)
    sentences = {video: [Sentence(one.text, one.segment) for one in said] for video, said in read.videos.items()}
    return sentences, f"{path}: read as {read.words}" if read.words else ""


def joined(predictions: Captioned, references: Sequence[Captioned]) -> tuple[list[VideoCaptions], list[str]]:
    """Returns every video of the references with what was predicted for it, and remarks.

    References of one video in several files are pooled, each an annotation of its own. Sentences without times describe
    a whole video, so each is an annotation of its own.

    Raises: InvalidData where predictions and references have no video in common.
    """
    videos = dict.fromkeys(video for file in references for video in file)
    if not videos:
        raise InvalidData("the references hold no captions: those of this part may not be public. Name another file.")
    predictions, notes = _alike(predictions, videos)
    unknown = [video for video in predictions if video not in videos]
    if predictions and len(unknown) == len(predictions):
        raise InvalidData(
            f"none of the {number_of(len(predictions), 'predicted video')} (such as {unknown[0][:60]!r}) is among the "
            f"{len(videos):,} of the references (such as {next(iter(videos), '')[:60]!r}). Are the ids the same?"
        )
    videos_told = []
    for video in videos:
        annotations: list[tuple[Sentence, ...]] = []
        for file in references:
            annotations += _annotations(file.get(video, []))
        predicted = tuple(predictions[video]) if video in predictions else None
        if annotations:
            videos_told.append(VideoCaptions(video, predicted, tuple(annotations)))
    without = len(videos) - len(videos_told)
    notes += [f"{number_of(len(unknown), 'predicted video')} without a reference left out"] if unknown else []
    notes += [f"{number_of(without, 'video')} of the references without a sentence left out"] if without else []
    return videos_told, notes


def _alike(predictions: Captioned, videos: Mapping[str, None]) -> tuple[Captioned, list[str]]:
    """Returns predictions under ids as the references write them, where only a video file's extension differs."""
    if any(video in videos for video in predictions):
        return predictions, []
    named = {_bare(video): video for video in videos}
    changed = {named.get(_bare(video), video): said for video, said in predictions.items()}
    if len(named) < len(videos) or len(changed) < len(predictions) or not any(video in videos for video in changed):
        return predictions, []
    return changed, ["ids of predictions and references are compared without the extension of a video file"]


def _bare(video: str) -> str:
    stem, _, extension = video.rpartition(".")
    return stem if stem and extension.lower() in EXTENSIONS else video


def _annotations(sentences: Sequence[Sentence]) -> list[tuple[Sentence, ...]]:
    timed = tuple(sentence for sentence in sentences if sentence.segment is not None)
    return ([timed] if timed else []) + [(sentence,) for sentence in sentences if sentence.segment is None]

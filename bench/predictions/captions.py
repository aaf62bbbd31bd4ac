"""What a model answers to a captioning task: a sentence for every segment it was asked about."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bench.errors import InvalidData, ModelError
from bench.files import PathLike, write_atomically
from bench.inputs import Paragraph
from bench.predictions.saved import ids_in, places_of
from bench.reading.numbers import number_of
from bench.reading.outside import Form, read_text, reading

FORM = Form("a whole file of captions written by bench", ("json",), "Run again with --no-resume.")

HEAD = {"kind": "captions"}
"""The first line of the file."""


@dataclass(frozen=True)
class Captions:
    """The sentences said of the videos of one test set.

    Attributes:
        video_ids: (n,) opaque ids.
        segments: (n,) start and end in seconds of each segment that was asked about.
        sentences: (n,) one sentence for each of those segments, in their order.
    """

    kind: ClassVar[str] = "captions"
    suffix: ClassVar[str] = ".jsonl"

    video_ids: tuple[str, ...]
    segments: tuple[tuple[tuple[float, float], ...], ...]
    sentences: tuple[Paragraph, ...]

    def check(self, model: str) -> None:
        """Raises ModelError unless every segment has a sentence, which may be empty."""
        if len(self.sentences) != len(self.video_ids):
            raise ModelError(
                f"model {model!r} returned captions of {number_of(len(self.sentences), 'video')}; expected "
                f"{len(self.video_ids)}. Fix the model's caption method."
            )
        for video_id, segments, said in zip(self.video_ids, self.segments, self.sentences, strict=True):
            if isinstance(said, str) or not all(isinstance(sentence, str) for sentence in said):
                raise ModelError(
                    f"model {model!r} returned a caption that is no tuple of sentences for video {video_id}. "
                    "Fix the model's caption method."
                )
            if len(said) != len(segments):
                raise ModelError(
                    f"model {model!r} returned {number_of(len(said), 'sentence')} for the "
                    f"{number_of(len(segments), 'segment')} of video {video_id}; expected one each. Fix the model's "
                    "caption method."
                )

    def among(self, videos: Collection[str], texts: Collection[str] = ()) -> Captions:
        """Returns the sentences of some videos, in the same order."""
        places = places_of(self.video_ids, videos)
        return Captions(
            tuple(self.video_ids[i] for i in places),
            tuple(self.segments[i] for i in places),
            tuple(self.sentences[i] for i in places),
        )

    def save(self, path: PathLike) -> None:
        """Writes JSON Lines, a head and a line for each video; equal captions give equal bytes."""
        lines: list[Any] = [HEAD]
        for video_id, segments, said in zip(self.video_ids, self.segments, self.sentences, strict=True):
            lines.append({"video": video_id, "segments": segments, "sentences": said})
        text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
        write_atomically(path, text.encode("utf-8", "backslashreplace"))

    @classmethod
    def load(cls, path: PathLike) -> Captions:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        path = Path(path)
        with reading(path, FORM):
            told = enumerate(read_text(path, FORM).split("\n"), 1)
            head, *lines = [_value(number, line) for number, line in told if line]
            if head != HEAD:
                raise InvalidData(f"{path} holds no captions written by bench. Run again with --no-resume.")
            return cls(
                video_ids=ids_in([line["video"] for line in lines]),
                segments=tuple(tuple((float(a), float(b)) for a, b in line["segments"]) for line in lines),
                sentences=tuple(tuple(map(str, line["sentences"])) for line in lines),
            )


def _value(number: int, line: str) -> Any:
    """Returns what a line says. Raises: ValueError naming the line."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number}: {error.msg}, column {error.colno}") from error

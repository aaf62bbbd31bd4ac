"""Questions about the frames of clips and videos: prompts filled in, pictures made small, answers asked for."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api import Answer, Asker, FramesShown, Pictures, Prompt, Question, UsageError, read_prompt

if TYPE_CHECKING:
    import numpy as np

PLACES: Mapping[str, tuple[str, ...]] = {
    "caption": ("frames",),
    "pair": ("frames", "text"),
    "choice": ("frames", "options"),
}
OURS = Path(__file__).parent / "prompts"
ASKING = 1
"""Raised when what is made of prompts, frames or answers changes, as it changes numbers."""


def prompt_of(kind: str, settings: Mapping[str, Any]) -> Prompt:
    """Returns the prompt that the settings name, or ours. Raises: InvalidData."""
    return read_prompt(Path(settings[f"{kind}_prompt"] or OURS / f"{kind}.txt"), *PLACES[kind])


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Returns the prompts with their versions and digests, and the revision of our asking."""
    return f"asking {ASKING}; prompts {', '.join(prompt_of(kind, settings).words for kind in PLACES)}"


@dataclass(frozen=True)
class About:
    """A question about some frames.

    Attributes:
        shown: the frames.
        values: what is filled into the prompt beside the frames.
    """

    shown: FramesShown
    values: Mapping[str, str]


class Looking:
    """Asks one prompt about frames, or about whole videos."""

    def __init__(self, asker: Asker, prompt: Prompt, settings: Mapping[str, Any]) -> None:
        """Asks nothing yet."""
        self.asker, self._prompt = asker, prompt
        self._side, self._quality = settings["side"], settings["quality"]
        self._is_video = settings["send"] == "video"

    def answers(self, pictures: Pictures | None, asked: Sequence[About]) -> list[Answer]:
        """Returns the answer to each question. What follows of one video is decoded once.

        Raises: UsageError, ToolError, DataError.
        """
        if pictures is None:
            raise UsageError("video-llm looks at frames, and was given none.")
        questions = [self._question(pictures, about) for about in asked]
        frames = {question: about.shown for question, about in zip(questions, asked, strict=True)}

        def show(new: Sequence[Question]) -> Iterator[Sequence[bytes]]:
            if self._is_video:
                return ((pictures.file(frames[question].video),) for question in new)
            return pictures.read([frames[question] for question in new], self._small)

        return self.asker.answers(questions, show)

    def _question(self, pictures: Pictures, about: About) -> Question:
        count = len(about.shown.rows)
        if self._is_video:
            if about.shown not in pictures.whole:
                raise UsageError(
                    "send=video shows a video whole, and this task asks about its segments. Use send=frames, or "
                    "segments=none where the task takes it."
                )
            content = pictures.file(about.shown.video)
            text = self._prompt.filled(frames="the whole", **about.values)
            return Question(self._prompt, text, hashlib.sha256(content).hexdigest(), "file as it is", is_video=True)
        frames = "one frame" if count == 1 else f"{count} frames, in order of time,"
        form = f"jpeg of at most {self._side}, quality {self._quality}, Pillow {version('pillow')}"
        return Question(self._prompt, self._prompt.filled(frames=frames, **about.values), about.shown.digest, form)

    def _small(self, frame: np.ndarray) -> bytes:
        """Returns a frame (H, W, 3) as JPEG, its longer side at most as long as was asked."""
        from PIL import Image

        picture = Image.fromarray(frame)
        picture.thumbnail((self._side, self._side), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=min(95, self._quality))
        return file.getvalue()

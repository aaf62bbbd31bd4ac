"""What a dual encoder answers as a model: features that it made of frames against its vectors of sentences.

Letters: `B` videos, `n` paragraphs, `d` the encoder's dimension. Every row of features and every sentence is brought to
length 1 before it is averaged or compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.errors import UsageError
from bench.execution import Execution
from bench.inputs import Paragraph, Ragged, VideoBatch
from bench.models.dual_encoders import ENCODER
from bench.models.encoders import TextEncoder


def load(settings: Mapping[str, Any], execution: Execution) -> MeanOfFrames | BestFrame:
    """Returns the model that the setting `frames` asks for. Raises: UsageError for an encoder that reads no text."""
    encoder = settings[ENCODER]
    if not isinstance(encoder, TextEncoder):
        raise UsageError("that encoder reads no text with these settings, so it is no model. `bench list encoders`.")
    sides = Directions(encoder, execution.device, whole=settings["paragraphs"] == "whole")
    return BestFrame(sides) if settings["frames"] == "max" else MeanOfFrames(sides)


@dataclass(frozen=True)
class Directions:
    """Both sides of a dual encoder as directions."""

    encoder: TextEncoder
    device: str
    whole: bool

    def rows(self, rows: Ragged) -> Ragged:
        """Returns features of frames as directions, on the device."""
        return Ragged(functional.normalize(rows.values.float(), dim=1), rows.lengths).to(self.device)

    def sentences(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of sentences (d,), or of one vector where paragraphs are read whole."""
        texts = [(" ".join(paragraph),) if self.whole else paragraph for paragraph in paragraphs]
        said = [sentence for paragraph in texts for sentence in paragraph]
        known = list(dict.fromkeys(said))
        with torch.no_grad():
            vectors = functional.normalize(self.encoder.embed_texts(known).float().to(self.device), dim=1)
        place = {sentence: i for i, sentence in enumerate(known)}
        lengths = torch.tensor([len(paragraph) for paragraph in texts], dtype=torch.int64)
        return Ragged(vectors[[place[sentence] for sentence in said]], lengths)


class MeanOfFrames:
    """Videos, clips, paragraphs and sentences as mean directions, compared by cosine."""

    def __init__(self, sides: Directions) -> None:
        self._sides = sides

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d)."""
        return _means(self._sides.rows(videos.frames))

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, d)."""
        return _means(self._sides.sentences(paragraphs))

    def embed_clips(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, d)."""
        return Ragged(_means(self._sides.rows(videos.clip_frames)), videos.segments.lengths)

    def embed_sentences(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of (sentences, d); each by itself, also where paragraphs are read whole."""
        one = Directions(self._sides.encoder, self._sides.device, whole=False)
        return one.sentences(paragraphs)


class BestFrame:
    """The cosine of a sentence with the frame that it fits best, averaged over the sentences of a paragraph."""

    def __init__(self, sides: Directions) -> None:
        self._sides = sides

    def encode_videos(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (rows, d)."""
        return self._sides.rows(videos.frames)

    def encode_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of (sentences, d)."""
        return self._sides.sentences(paragraphs)

    def score(self, videos: Ragged, paragraphs: Ragged) -> Tensor:
        """Returns (n, B) float32."""
        cosines = torch.einsum("sd,btd->sbt", paragraphs.values, videos.padded())
        best = cosines.masked_fill(~videos.mask(), -torch.inf).amax(dim=2)
        return _means(Ragged(best, paragraphs.lengths))


def _means(sequences: Ragged) -> Tensor:
    """Returns (n, d): the mean of each sequence."""
    total = sequences.values.new_zeros(len(sequences), sequences.values.shape[1])
    return total.index_add(0, sequences.owners(), sequences.values) / sequences.beside(sequences.lengths)[:, None]

"""COOT as bench runs it: fit, save, restore, embed.

Departures from the paper: words are learned vectors, not frozen BERT features (none are at hand, and the sample's words
are invented; the text side starts knowing nothing, which costs most where training is small), and the schedule is a
fixed number of epochs instead of reduce-on-plateau on the validation split, which is the test split of the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bench.api import (
    Execution,
    InvalidData,
    ModelError,
    Paragraph,
    Ragged,
    Settings,
    State,
    Training,
    TrainingData,
    VideoBatch,
)
from vtbench_coot.losses import total_loss
from vtbench_coot.network import Hierarchy, Side
from vtbench_coot.text import Text, Vocabulary
from vtbench_coot.training import Schedule, arrays_of, restore, train


class Network(nn.Module):
    """A hierarchy over frames and clips, and one over words and sentences."""

    def __init__(self, dim: int, words: int, settings: Settings) -> None:
        super().__init__()
        hidden, heads, dropout = int(settings["hidden"]), int(settings["heads"]), float(settings["dropout"])
        self.words = nn.Embedding(words, int(settings["word_dim"]))
        self.video = Hierarchy(dim, hidden, heads, dropout)
        self.text = Hierarchy(self.words.embedding_dim, hidden, heads, dropout)

    def videos(self, videos: VideoBatch) -> Side:
        """Encodes clips and whole videos."""
        side: Side = self.video(videos.clip_frames, videos.frames, videos.segments.lengths)
        return side

    def paragraphs(self, text: Text) -> Side:
        """Encodes sentences and whole paragraphs."""
        side: Side = self.text(self._vectors(text.sentences), self._vectors(text.wholes), text.counts)
        return side

    def _vectors(self, words: Ragged) -> Ragged:
        return Ragged(self.words(words.values), words.lengths)


class COOT:
    """The model `coot`."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.settings, self.execution = settings, execution
        if int(settings["hidden"]) % int(settings["heads"]):
            raise ModelError(f"hidden={settings['hidden']} is no multiple of heads={settings['heads']}.")
        self._vocabulary = Vocabulary(())
        self._dim = 0
        self._network: Network | None = None

    @property
    def network(self) -> Network:
        """The network. Raises: ModelError before `fit` or `load_state`."""
        if self._network is None:
            raise ModelError("the model has no weights yet. Fit it, or load a checkpoint, before it predicts.")
        return self._network

    def fit(self, data: TrainingData, training: Training) -> None:
        """Trains on `data`, or goes on with an interrupted fit."""
        low, cycle, margin = (float(self.settings[name]) for name in ("low", "cycle", "margin"))
        low, cycle = (low, cycle) if data.aligned else (0.0, 0.0)
        with self._seeded():
            self._vocabulary, self._dim = Vocabulary.of(data.paragraphs), data.videos.dim
            self._network = Network(self._dim, len(self._vocabulary.words), self.settings).to(self.execution.device)

            def loss(videos: VideoBatch, paragraphs: Sequence[Paragraph]) -> Tensor:
                text = self._vocabulary.encode(paragraphs).to(self.execution.device)
                sides = self.network.videos(videos), self.network.paragraphs(text)
                return total_loss(*sides, margin, low, cycle, videos.same())

            train(self.network, loss, data, Schedule.of(self.settings), training)

    def state(self) -> State:
        """Returns weights, vocabulary and feature dimension."""
        return State(arrays_of(self.network), {"dim": self._dim, "words": list(self._vocabulary.words)})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        self._vocabulary, self._dim = Vocabulary(state.values["words"]), int(state.values["dim"])
        with self._seeded():
            network = Network(self._dim, len(self._vocabulary.words), self.settings)
        restore(network, state.arrays)
        self._network = network.to(self.execution.device)

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, 2 hidden) float32."""
        with self._predicting():
            return self.network.videos(self._checked(videos)).whole.float()

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, 2 hidden) float32."""
        with self._predicting():
            return self.network.paragraphs(self._encode(paragraphs)).whole.float()

    def embed_clips(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, hidden) float32."""
        with self._predicting():
            parts = self.network.videos(self._checked(videos)).parts
            return Ragged(parts.values.float(), parts.lengths)

    def embed_sentences(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of (sentences, hidden) float32."""
        with self._predicting():
            parts = self.network.paragraphs(self._encode(paragraphs)).parts
            return Ragged(parts.values.float(), parts.lengths)

    def _encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        return self._vocabulary.encode(paragraphs).to(self.execution.device)

    def _checked(self, videos: VideoBatch) -> VideoBatch:
        found = videos.frames.values.shape[1]
        if found != self._dim or len(videos) == 0:
            raise InvalidData(
                f"{len(videos)} videos with {found} numbers per row; the model was trained on {self._dim} and needs a "
                "video at least. Use the features it was trained on, or fit it on these."
            )
        return videos.to(self.execution.device)

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        device = torch.device(self.execution.device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(self.execution.seed)
            yield

    @contextmanager
    def _predicting(self) -> Iterator[None]:
        self.network.eval()
        device = torch.device(self.execution.device).type
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=self.execution.precision == "bf16"):
            yield

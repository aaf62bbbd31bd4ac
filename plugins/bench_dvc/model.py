"""DVC where segments are given: frames weighted by how descriptive they are, attributes, and a decoder of words.

Each frame has a descriptiveness between 0 and 1; a segment is the mean of its frames weighted by it. How descriptive a
segment is, the mean over its frames, is regressed on the score of what the network says of it. From a segment come
attributes: for each of the most frequent content words of the training text, how likely its sentence has it. The
decoder reads both at each word. It is trained on the likelihood of sentences, and in the last epochs also on the score
of those that it says itself, by self-critical training.

Source: Li et al., CVPR 2018, and a third-party re-implementation of it. Departures: segments are given, so the heads
that propose, shift and widen them are left out, and with them segments that nobody marked, which are worth nothing
there. Descriptiveness belongs to frames, and to segments as their mean, instead of to anchors, and to frames as the
mean of those over them. Attributes are learnt together with the sentences and not before them. The likelihood stays in
the loss of self-critical epochs (Paulus et al., ICLR 2018): once sentences are good, the reward of one batch is mostly
noise, which Adam would follow at full speed. Adam and batches of videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from bench.api import Execution, ModelError, Ragged, Training, TrainingData, UsageError, VideoBatch, length_ordered
from bench_dvc.attributes import attribute_loss, frequent_words, is_content
from bench_dvc.reward import Reward, references_of
from bench_dvc.self_critical import drawn, self_critical_loss, sentences_of
from bench_torch.candidates import candidates, caption_loss
from bench_torch.captioner import Captioner
from bench_torch.captioning import ConditionedNetwork
from bench_torch.decoding import WordDecoder
from bench_torch.search import Beam
from bench_torch.text import Text, select
from bench_torch.training import Examples, autocast
from bench_torch.transfer import beside, fetched

MOST_WORDS = 30
"""The most words of a sentence that is said in training."""


@dataclass(frozen=True)
class Shape:
    """What the network depends on; see the plugin for what the settings mean.

    Attributes:
        attributes: how many words are attributes.
        likelihood_epochs: epochs before self-critical training.
    """

    hidden: int
    attributes: int
    attribute_weight: float
    descriptiveness_weight: float
    reward_weight: float
    likelihood_epochs: int


@dataclass(frozen=True)
class DescribedSegments:
    """What the network makes of S segments.

    Attributes:
        read: (S, hidden + attributes), what the decoder reads.
        attributes: (S, attributes) logits.
        descriptiveness: (S,) between 0 and 1.
    """

    read: Tensor
    attributes: Tensor
    descriptiveness: Tensor


class DescriptivePooling(nn.Module):
    """n sequences of (rows, dim) -> (n, dim): means weighted by a descriptiveness of each row, and (n,) its mean."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.descriptiveness = nn.Sequential(nn.Linear(dim, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, frames: Ragged) -> tuple[Tensor, Tensor]:
        """Returns (n, dim) and (n,), float32."""
        weights = torch.sigmoid(self.descriptiveness(frames.values).float())
        owners, rows = frames.owners(), frames.values.float()
        total = rows.new_zeros(len(frames), rows.shape[1]).index_add(0, owners, weights * rows)
        weight = rows.new_zeros(len(frames), 1).index_add(0, owners, weights)
        return total / weight, weight[:, 0] / frames.beside(frames.lengths)


class DVCNetwork(ConditionedNetwork):
    """Descriptive frames, attributes, and a decoder that reads both.

    Attributes:
        reward: what sentences said in training are worth; set before training.
        self_critical: whether the decoder is trained on the reward of what it draws too.
    """

    places: Tensor

    def __init__(self, dim: int, vectors: Tensor, shape: Shape, *, aligned: bool) -> None:
        super().__init__(dim, vectors, aligned=aligned)
        self.shape = shape
        self.reward: Reward | None = None
        self.self_critical = False
        self.register_buffer("places", torch.full((len(vectors),), shape.attributes))
        self.pooling = DescriptivePooling(dim, shape.hidden)
        self.event = nn.Sequential(nn.Linear(dim, shape.hidden), nn.ReLU())
        self.attributes = nn.Linear(shape.hidden, shape.attributes)
        self.decoder = WordDecoder(self.words, shape.hidden, shape.hidden + shape.attributes)

    def prepare(self, text: Text, words: Sequence[str], metric: str) -> None:
        """Takes what it needs of the training text: its most frequent content words, and what sentences are worth."""
        chosen = frequent_words(text, words, self.shape.attributes).to(self.places.device)
        self.places[chosen] = torch.arange(len(chosen), device=chosen.device)
        self.reward = Reward(metric, words, text)

    def begin_epoch(self, epoch: int) -> None:
        """Turns to self-critical training once the epochs on likelihood alone are over."""
        self.self_critical = epoch >= self.shape.likelihood_epochs

    def watch(self, videos: VideoBatch) -> Tensor:
        """Returns (S, hidden + attributes): each segment, and its attributes."""
        return self.describe(videos.clip_frames).read

    def describe(self, clips: Ragged) -> DescribedSegments:
        """Returns what the network makes of S segments."""
        pooled, descriptiveness = self.pooling(clips)
        events = self.event(pooled).float()
        logits = self.attributes(events).float()
        return DescribedSegments(torch.cat([events, torch.sigmoid(logits)], dim=1), logits, descriptiveness)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the losses of sentences, of attributes and of descriptiveness, each with its weight."""
        pairs = candidates(videos.segments.lengths, text.counts, aligned=self.aligned)
        described = self.describe(videos.clip_frames)
        said = [self.say(described.read.detach(), Beam(1, MOST_WORDS))]
        if self.self_critical:
            said.append(drawn(self.decoder, self.words, described.read, MOST_WORDS))
        words, *said = fetched([text.sentences.values, *said])
        spoken = references_of(pairs, self.rewarding.spoken(Ragged(words, text.sentences.lengths)), len(said[0]))
        greedy = self.rewards(said[0], spoken)
        likely = self.log_likelihood(described.read, pairs.segments, select(text.sentences, pairs.sentences))
        told = caption_loss(pairs.mixture(likely), text.sentences)
        if self.self_critical:
            advantages = self.rewards(said[1], spoken) - greedy
            told = told + self.shape.reward_weight * self.drawn_loss(described.read, said[1], advantages)
        present = attribute_loss(described.attributes, pairs, text.sentences, self.places)
        descriptive = (described.descriptiveness - beside(greedy, described.descriptiveness)).square().mean()
        return told + self.shape.attribute_weight * present + self.shape.descriptiveness_weight * descriptive

    def drawn_loss(self, read: Tensor, said: Tensor, advantages: Tensor) -> Tensor:
        """Returns the self-critical loss of a sentence drawn for each of S segments.

        Args:
            read: (S, hidden + attributes), with gradients.
            said: (S, MOST_WORDS) int64, what was drawn; on the CPU.
            advantages: (S,) how much greater its reward is than that of what is said greedily; on the CPU.
        """
        sentences = sentences_of(said, self.decoder.end)
        words = Ragged(beside(sentences.values, read), sentences.lengths)
        likely = self.decoder.word_log_likelihoods(words, self.words, read)
        return self_critical_loss(likely, MOST_WORDS, advantages)

    def rewards(self, said: Tensor, references: Sequence[Sequence[str]]) -> Tensor:
        """Returns (S,) float32: the reward of each row of `said` (S, words), words and then the end; on the CPU."""
        return self.rewarding(self.rewarding.spoken(sentences_of(said, self.decoder.end)), references)

    @property
    def rewarding(self) -> Reward:
        """The reward. Raises: ModelError where nothing is trained."""
        if self.reward is None:
            raise ModelError("DVC learns from what its sentences are worth; call `prepare` with the training text.")
        return self.reward

    def merit(self, heldout: Examples, execution: Execution) -> float:
        """Returns the mean reward of what is said greedily of held-out segments."""
        groups = length_ordered(heldout.videos.rows, execution.batch_size)
        found = []
        with torch.inference_mode(), autocast(execution):
            for group, videos in zip(groups, heldout.videos.batches(groups, execution.device), strict=True):
                text = cast("Text", heldout.targets.select(group).to(execution.device))
                pairs = candidates(videos.segments.lengths, text.counts, aligned=self.aligned)
                read = self.watch(videos)
                words, said = fetched([text.sentences.values, self.say(read, Beam(1, MOST_WORDS))])
                spoken = references_of(pairs, self.rewarding.spoken(Ragged(words, text.sentences.lengths)), len(read))
                found.append(self.rewards(said, spoken))
        return float(torch.cat(found).mean())


class DVC(Captioner[DVCNetwork]):
    """The model `dvc`."""

    def build(self, dim: int, vectors: Tensor) -> DVCNetwork:
        """Returns a fresh network. Raises: UsageError for more self-critical epochs than there are."""
        epochs, share = self.setting("epochs", int), self.setting("self_critical", float)
        if share > 1:
            raise UsageError(f"setting self_critical={share:g}: it is a share of the epochs. Use 0 to 1.")
        shape = Shape(
            hidden=self.setting("hidden", int),
            attributes=max(1, min(self.setting("attributes", int), sum(map(is_content, self.vocabulary.words[1:])))),
            attribute_weight=self.setting("attribute_weight", float),
            descriptiveness_weight=self.setting("descriptiveness_weight", float),
            reward_weight=self.setting("reward_weight", float),
            likelihood_epochs=epochs - round(share * epochs),
        )
        return DVCNetwork(dim, vectors, shape, aligned=self.aligned)

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds vocabulary and network afresh, and shows it the training text as a whole."""
        super().start(data, training)
        text = self.vocabulary.encode(data.paragraphs)
        self.network.prepare(text, self.vocabulary.words, self.setting("reward", str))

"""What models share that are one trained network: fitting, saving, restoring, and the words of those that read text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Generic, TypeVar, cast

import torch
from torch import Tensor

from bench.api import (
    Execution,
    InvalidData,
    ModelError,
    Paragraph,
    Settings,
    State,
    Training,
    TrainingData,
    UsageError,
    Value,
    VideoBatch,
)
from bench_torch.checkpoints import module_arrays, restore_module
from bench_torch.sentences import FrozenSentences
from bench_torch.text import Text, Vocabulary, start_vectors
from bench_torch.training import NETWORK, Examples, Schedule, TrainableNetwork, autocast, train

T = TypeVar("T", bound=Value)
N = TypeVar("N", bound=TrainableNetwork)


class NetworkModel(Generic[N]):
    """Base of models with one network, which is built when the data is known."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.settings, self.execution = settings, execution
        self._network: N | None = None

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds everything afresh for `data` and hands the network to `use`."""
        raise NotImplementedError

    def examples(self, data: TrainingData) -> Examples:
        """Returns `data` in the form that the network is trained on."""
        raise NotImplementedError

    def rebuild(self, state: State) -> N:
        """Returns a network of the shapes that `state` was saved with."""
        raise NotImplementedError

    def use(self, network: N) -> None:
        """Takes a network as the model's own, on the model's device."""
        self._network = network.to(self.execution.device)

    def setting(self, name: str, kind: type[T]) -> T:
        """Returns a setting, known to be of type `kind`."""
        return cast("T", self.settings[name])

    def fit(self, data: TrainingData, training: Training) -> None:
        """Trains on `data`, or goes on with an interrupted fit."""
        schedule = Schedule(
            epochs=self.setting("epochs", int),
            batch=self.setting("batch", int),
            lr=self.setting("lr", float),
            lr_drop=self.setting("lr_drop", int),
            selection=self.setting("selection", str),
        )
        held_out = schedule.selection == "held-out"
        if held_out and not data.heldout:
            raise ModelError("selection=held-out needs held-out training videos; there are none. Use selection=fixed.")
        fitting, heldout = data.split() if held_out else (data, None)
        with self.seeded():
            self.start(fitting, training)
            tested = None if heldout is None else self.examples(heldout)
            train(self.network, self.examples(fitting), tested, schedule, training)

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """Runs its body on generators seeded by the execution's seed, and leaves the process's own as they were."""
        device = torch.device(self.execution.device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(self.execution.seed)
            yield

    @property
    def network(self) -> N:
        """The network. Raises: ModelError before `fit` or `load_state`."""
        if self._network is None:
            raise ModelError("the model has no weights yet. Fit it, or load a checkpoint, before it predicts.")
        return self._network

    def state(self) -> State:
        """Returns the weights and the feature dimension."""
        return State(module_arrays(self.network, NETWORK), {"dim": self.network.dim})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        with self.seeded():  # a fresh network draws its first weights, for nothing: nobody else's generator moves
            network = self.rebuild(state)
        restore_module(network, state.arrays, NETWORK)
        self.use(network.eval())

    @contextmanager
    def predicting(self) -> Iterator[None]:
        """Runs its body without gradients, in the precision that was asked for."""
        self.network.eval()
        with torch.inference_mode(), autocast(self.execution):
            yield

    def check_dim(self, videos: VideoBatch) -> None:
        """Raises InvalidData unless the features have the dimension that the model was trained on."""
        dim = videos.frames.values.shape[1]
        if dim != self.network.dim:
            raise InvalidData(
                f"features have {dim} numbers per row; the model was trained on {self.network.dim}. "
                "Use the features it was trained on, or fit it on these."
            )


class VideoTextModel(NetworkModel[N]):
    """Base of models with one network for videos and paragraphs.

    Attributes:
        vocabulary: the words of the training paragraphs; none where a frozen encoder reads sentences.
        aligned: whether segment i belonged to sentence i in training; known when `fit` calls `build`.
    """

    says_words: ClassVar[bool] = False
    """Whether its network tells words one by one, and so has to read words."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        super().__init__(settings, execution)
        self.vocabulary = Vocabulary(())
        self.aligned = True
        reads = settings.get("text")
        if reads and self.says_words:
            raise UsageError("with these settings the model says words itself, so it has to read words: --set text=")
        self._sentences = FrozenSentences(reads, execution) if reads else None

    def build(self, dim: int, vectors: Tensor) -> N:
        """Returns a fresh network for features of `dim` numbers and words that start from `vectors` (words, d)."""
        raise NotImplementedError

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds vocabulary and network afresh for `data`; words come from its paragraphs only."""
        self.aligned = data.aligned
        if self._sentences:
            vectors = torch.zeros(0, self._sentences.dim)
        else:
            words = Vocabulary.of(data.paragraphs)
            self.vocabulary, vectors = start_vectors(words, self.setting("word_dim", int), training.word_vectors)
        self.use(self.build(data.videos.dim, vectors))

    def examples(self, data: TrainingData) -> Examples:
        """Returns `data` with its paragraphs encoded, once."""
        return Examples(data.videos, self._read(data.paragraphs))

    def state(self) -> State:
        """Returns weights, vocabulary and feature dimension."""
        state = super().state()
        return State(state.arrays, {**state.values, "words": list(self.vocabulary.words)})

    def rebuild(self, state: State) -> N:
        """Returns a network of the shapes that `state` was saved with."""
        self.vocabulary = Vocabulary(state.values["words"])
        dim = self._sentences.dim if self._sentences else self.setting("word_dim", int)
        vectors = torch.zeros(len(self.vocabulary), dim)
        return self.build(int(state.values["dim"]), vectors)

    def encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        """Returns paragraphs as word numbers on the model's device, or as sentence vectors; new words are unknown."""
        return self._read(paragraphs).to(self.execution.device)

    def _read(self, paragraphs: Sequence[Paragraph]) -> Text:
        return (self._sentences or self.vocabulary).encode(paragraphs)

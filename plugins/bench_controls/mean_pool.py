"""`mean-pool`: what is left when order and time are thrown away.

The mean of a video's frame features and the mean of a paragraph's word vectors, each through one linear map, trained
by InfoNCE. A control is only worth something when it is tuned: each candidate of a stated list is trained on the
training videos that are not held out, the best by R@1 on the held-out ones is trained again on all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from bench.api import Execution, ModelError, Settings, State, Training, TrainingData, UsageError, VideoBatch
from bench_torch.dual_encoder import DualEncoder
from bench_torch.encoder import means
from bench_torch.losses import contrastive_loss
from bench_torch.ranks import gathered, is_first, of_first, same_videos
from bench_torch.recall import recalls
from bench_torch.text import Text, WordVectors
from bench_torch.training import MatchingNetwork, Schedule, embed_all, train


@dataclass(frozen=True)
class Candidate:
    """One set of values to try."""

    lr: float
    temperature: float
    dim: int


def parse_candidates(text: str) -> list[Candidate]:
    """Returns the candidates of `lr/temperature/dimension`, separated by spaces. Raises: UsageError."""
    candidates = []
    for part in text.split():
        try:
            lr, temperature, dim = part.split("/")
            candidate = Candidate(float(lr), float(temperature), int(dim))
        except ValueError as error:
            raise UsageError(
                f"candidates: {part!r} is not lr/temperature/dimension, such as 0.003/0.05/512."
            ) from error
        if not (candidate.lr > 0 and candidate.temperature > 0 and candidate.dim > 0):
            raise UsageError(f"candidates: {part!r} must have positive numbers only, such as 0.003/0.05/512.")
        candidates.append(candidate)
    if not candidates:
        raise UsageError("candidates: the list is empty. Name at least one, such as 0.003/0.05/512.")
    return candidates


class MeanPoolNetwork(MatchingNetwork):
    """Two linear maps into one space."""

    def __init__(self, dim: int, vectors: Tensor, candidate: Candidate) -> None:
        super().__init__(dim)
        self.temperature = candidate.temperature
        self.words = WordVectors(vectors)
        self.video_map = nn.Linear(dim, candidate.dim)
        self.text_map = nn.Linear(self.words.dim, candidate.dim)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns symmetric InfoNCE."""
        embedded = gathered(self.embed_videos(videos)), gathered(self.embed_text(text))
        return contrastive_loss(*embedded, self.temperature, same=same_videos(videos))

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d)."""
        embeddings: Tensor = self.video_map(means(videos.frames))
        return embeddings

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, d)."""
        embeddings: Tensor = self.text_map(means(self.words(text.paragraphs())))
        return embeddings


class MeanPool(DualEncoder[MeanPoolNetwork]):
    """The model `mean-pool`."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        super().__init__(settings, execution)
        self._candidates = parse_candidates(self.setting("candidates", str))
        self._chosen = self._candidates[0]

    def build(self, dim: int, vectors: Tensor) -> MeanPoolNetwork:
        """Returns a fresh network for the candidate being tried or chosen."""
        return MeanPoolNetwork(dim, vectors, self._chosen)

    def fit(self, data: TrainingData, training: Training) -> None:
        """Tries the candidates, then trains the best on all of `data`; goes on where an interrupted fit stopped.

        Raises: ModelError when there are several candidates and no held-out videos to choose by.
        """
        tried = self._candidates if len(self._candidates) > 1 else []
        if tried and not data.heldout:
            raise ModelError(
                "mean-pool chooses among candidates by held-out training videos; there are none. "
                "Train on more videos, or name one candidate."
            )
        state = training.resume()
        scores = [] if state is None else [float(score) for score in state.values["scores"]]
        if tried:
            fitting, heldout = data.split()
            for candidate in tried[len(scores) :]:
                self._chosen = candidate
                self._train(fitting, self._stage(training, scores, state))
                state = None
                scores.append(of_first(self._score(heldout) if is_first() else 0.0))
            self._chosen = tried[max(range(len(scores)), key=scores.__getitem__)]
        self._train(data, self._stage(training, scores, state))

    def _score(self, heldout: TrainingData) -> float:
        """Returns R@1 of both directions, added."""
        videos, texts = embed_all(self.network, self.examples(heldout), self.execution)
        ids = heldout.videos.ids
        return float(recalls(videos, texts, (1,), ids)[0] + recalls(texts, videos, (1,), ids)[0])

    def _train(self, data: TrainingData, training: Training) -> None:
        """Builds and trains the chosen candidate; every one starts from the same seed."""
        schedule = Schedule(
            epochs=self.setting("epochs", int),
            batch=self.setting("batch", int),
            lr=self._chosen.lr,
            lr_drop=self.setting("lr_drop", int),
        )
        with self.seeded():
            self.start(data, training)
            train(self.network, self.examples(data), None, schedule, training)

    def _stage(self, training: Training, scores: list[float], state: State | None) -> Training:
        """Returns the training of one stage: its checkpoints carry the scores so far, its progress the whole way."""
        stage, stages = len(scores), len(self._candidates) + (len(self._candidates) > 1)
        known = list(scores)

        def checkpoint(unfinished: State) -> None:
            training.checkpoint(State(unfinished.arrays, {**unfinished.values, "scores": known}))

        return replace(
            training,
            checkpoint=checkpoint,
            resume=lambda: state,
            progress=_part(training.progress, stage, stages),
        )

    def state(self) -> State:
        """Returns the weights and the candidate that was chosen."""
        state = super().state()
        return State(state.arrays, {**state.values, "chosen": self._candidates.index(self._chosen)})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        self._chosen = self._candidates[int(state.values["chosen"])]
        super().load_state(state)


Progress = Callable[..., None]


def _part(progress: Progress, stage: int, stages: int) -> Progress:
    """Returns a progress function for one of several stages of about equal length."""

    def report(done: int, total: int, values: dict[str, float]) -> None:
        progress(stage * total + done, stages * total, {**values, "fit": float(stage + 1)})

    return report

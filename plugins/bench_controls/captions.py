"""`most-frequent-caption` and `nearest-caption`: sentences that training videos had, said again.

The first says the same of everything: what a caption score is worth that knows nothing of the video. The second says
what was said of the training segment that looks most alike.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import (
    Execution,
    InvalidData,
    ModelError,
    Paragraph,
    Settings,
    State,
    Training,
    TrainingData,
    VideoBatch,
    length_ordered,
)
from bench_torch.checkpoints import as_array, as_tensor
from bench_torch.encoder import means
from bench_torch.text import tokenize


class MostFrequentCaption:
    """The sentence of the training text that occurs most often, whatever its spelling of capitals.

    Of sentences that occur equally often it is the one of the most frequent words on average: where no sentence occurs
    twice, as in the sample, that is the most typical one.
    """

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._sentence: str | None = None

    def fit(self, data: TrainingData, training: Training) -> None:
        """Counts the sentences of the training text."""
        said = [(tokenize(sentence), sentence) for paragraph in data.paragraphs for sentence in paragraph]
        times = Counter(words for words, _ in said)
        holds = Counter(word for words, _ in said for word in set(words))
        best = max(times, key=lambda words: (times[words], sum(holds[word] for word in words) / len(words)))
        self._sentence = next(sentence for words, sentence in said if words == best)

    def state(self) -> State:
        """Returns the sentence."""
        return State({}, {"sentence": self.sentence})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        self._sentence = str(state.values["sentence"])

    @property
    def sentence(self) -> str:
        """The sentence. Raises: ModelError before `fit` or `load_state`."""
        if self._sentence is None:
            raise ModelError("the model has counted nothing yet. Fit it, or load a checkpoint, before it captions.")
        return self._sentence

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns the sentence for every segment."""
        return [(self.sentence,) * count for count in videos.segments.lengths.tolist()]


class NearestCaption:
    """The sentence of the training segment whose mean features are closest, by cosine about the overall mean.

    Where segments do not belong to sentences, a segment stands for the first sentence of its video.
    """

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._execution = execution
        self._center: Tensor | None = None
        self._directions: Tensor | None = None
        self._sentences: list[str] = []

    def fit(self, data: TrainingData, training: Training) -> None:
        """Keeps the mean features and the sentence of every training segment."""
        device = self._execution.device
        groups = length_ordered(data.videos.rows, self._execution.batch_size)
        vectors_of_batches: list[Tensor] = []
        self._sentences = []
        for group, batch in zip(groups, data.videos.batches(groups, device), strict=True):
            vectors_of_batches.append(means(batch.clip_frames))
            for index, count in zip(group, batch.segments.lengths.tolist(), strict=True):
                self._sentences.extend(_sentences(data, index, count))
        vectors = torch.cat(vectors_of_batches)
        self._center = vectors.mean(dim=0)
        self._directions = functional.normalize(vectors - self._center)

    def state(self) -> State:
        """Returns all mean features and sentences."""
        center, directions = self._fitted()
        arrays = {"center": as_array(center), "directions": as_array(directions)}
        return State(arrays, {"sentences": self._sentences})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        device = self._execution.device
        self._center, self._directions = (as_tensor(state.arrays[name]).to(device) for name in ("center", "directions"))
        self._sentences = [str(sentence) for sentence in state.values["sentences"]]

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns for each segment the sentence of the training segment that is most alike."""
        center, directions = self._fitted()
        segments = means(videos.clip_frames.to(self._execution.device))
        if segments.shape[1] != len(center):
            raise InvalidData(
                f"features have {segments.shape[1]} numbers per row; the model was fitted on {len(center)}. "
                "Use the features it was fitted on, or fit it on these."
            )
        nearest = ((segments - center) @ directions.t()).argmax(dim=1).tolist()
        said = iter([self._sentences[index] for index in nearest])
        return [tuple(islice(said, count)) for count in videos.segments.lengths.tolist()]

    def _fitted(self) -> tuple[Tensor, Tensor]:
        if self._center is None or self._directions is None:
            raise ModelError("the model has seen nothing yet. Fit it, or load a checkpoint, before it captions.")
        return self._center, self._directions


def _sentences(data: TrainingData, index: int, count: int) -> tuple[str, ...]:
    """Returns a sentence for each of the `count` segments of a video. Raises: InvalidData when aligned ones differ."""
    said = data.paragraphs[index]
    if not data.aligned:
        return (said[0],) * count
    if len(said) != count:
        raise InvalidData(
            f"video {data.videos.ids[index]} has {count} segments and {len(said)} sentences, but segments=gt pairs "
            "them one by one. Put the annotations right, or use segments=uniform-4."
        )
    return said

"""What can be had without looking at the video, or at the sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from bench.api import Execution, ModelError, Settings, State, Training, TrainingData, VideoBatch, length_ordered

TENTHS = 10


class RandomSpan:
    """Two points of the video, drawn evenly: chance, measured."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._seed = execution.seed

    def find(self, videos: VideoBatch, sentences: Sequence[str]) -> Tensor:
        """Returns (B, 2): what is drawn depends on seed, video and sentence alone, not on the batch."""
        drawn = [sorted(self._drawn(video, said)) for video, said in zip(videos.ids, sentences, strict=True)]
        return torch.tensor(drawn, device=videos.durations.device).view(-1, 2) * videos.durations[:, None]

    def _drawn(self, video: str, sentence: str) -> tuple[float, float]:
        hashed = sha256(f"{self._seed}\0{video}\0{sentence}".encode()).digest()
        return tuple(int.from_bytes(hashed[8 * i : 8 * i + 6]) / 2**48 for i in range(2))


class WholeVideo:
    """The whole video, whatever is asked."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        pass

    def find(self, videos: VideoBatch, sentences: Sequence[str]) -> Tensor:
        """Returns (B, 2)."""
        return torch.stack([torch.zeros_like(videos.durations), videos.durations], dim=1)


class FrequentSpan:
    """The commonest place of a training segment in its video: start and end, each to the tenth it lies in.

    The answer is the mean of the segments there, as shares of the video. Of places that are equally common it is the
    earliest, then the shortest.
    """

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._batch_size = execution.batch_size
        self._span: tuple[float, float] | None = None

    def fit(self, data: TrainingData, training: Training) -> None:
        """Counts where the segments of the training videos lie."""
        if not data.aligned:
            raise ModelError("it learns from annotated segments, and these are none. Use ground-truth segments.")
        groups = length_ordered(data.videos.rows, self._batch_size)
        shares = torch.cat([_shares(batch) for batch in data.videos.batches(groups, "cpu")])
        places = [tuple(place) for place in (shares * TENTHS).floor().clamp(0, TENTHS - 1).int().tolist()]
        times = Counter(places)
        best = min(times, key=lambda place: (-times[place], place))
        chosen = torch.tensor([place == best for place in places])
        self._span = tuple(shares[chosen].mean(dim=0).tolist())

    def state(self) -> State:
        """Returns the span."""
        return State({}, {"span": list(self._known())})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        start, end = state.values["span"]
        self._span = (float(start), float(end))

    def find(self, videos: VideoBatch, sentences: Sequence[str]) -> Tensor:
        """Returns (B, 2)."""
        return videos.durations[:, None] * torch.tensor(self._known(), device=videos.durations.device)

    def _known(self) -> tuple[float, float]:
        if self._span is None:
            raise ModelError("the model has counted nothing yet. Fit it, or load a checkpoint, before it is asked.")
        return self._span


def _shares(videos: VideoBatch) -> Tensor:
    """Returns (S, 2): the segments of a batch as shares of their videos."""
    return videos.segments.values / videos.durations[videos.segments.owners()][:, None]

"""Moment retrieval: find the span of a video that a sentence describes.

**What is asked.** A sentence and the video it belongs to are given (the signature says `pairing=given`); a model
answers with one span, start and end in seconds. Each sentence is asked by itself, and those of one video in the order
of the alphabet, which tells nothing of their order in time. No annotated segment of a test video is shown
(`segments=none`). Models learn from `train`, with its segments and sentences. A model that embeds clips and sentences
(`ClipTextEncoder`) takes part through windows: the video is divided into 8 equal parts, and of the 36 runs of parts the
one nearest to the sentence by cosine is the answer; of equally near ones the one that starts first, then the shortest.
An answer that is no span (not finite, or with its end before its start) is an error, never a score.

**Metrics.** The overlap (temporal IoU) of answer and annotation, intersection over union, in double precision; 0 where
both are of no length. `R1@0.5` and `R1@0.7`: the percentage of sentences whose overlap is at least 0.5 and 0.7, which
papers call "R@1, IoU=0.5". `mIoU`: the mean overlap, in percent. One answer is given to each sentence, so there are no
ties to break. Each has a 95 % interval by resampling videos with all their sentences, and comparisons do the same: the
sentences of one video are no independent queries. The primary metric is R1@0.5.

**Data.** The test split of the dataset, against its own annotation; val_2 of ActivityNet Captions, a second annotation
of the same videos, is not asked. Papers differ in what they call the test set of ActivityNet Captions (val_1, val_2, or
both, and with or without overlong segments): compare figures only where that is known to be the same.

**Missing videos.** Under the policy `penalise` the sentences of a video without features have an overlap of 0. Under
`exclude` they are left out, and the run is partial and never ranked.

**Beware.** Much of a score needs no video: where moments lie is far from even. `frequent-span`, the commonest span of
the training set, and `whole-video` are the floor to read a model against.

**Sources.** Gao, Sun, Yang and Nevatia, "TALL: Temporal Activity Localization via Language Query", ICCV 2017 (the task
and R@1, IoU=m; its code counts an overlap that is equal to m); Krishna et al., "Dense-Captioning Events in Videos",
ICCV 2017 (the annotations); Otani et al., "Uncovering Hidden Challenges in Query-Based Video Moment Retrieval", BMVC
2020 (what can be had without looking).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.api import (
    ClipTextEncoder,
    Execution,
    Inputs,
    ModelError,
    UsageError,
    VerificationError,
    View,
    length_ordered,
)
from bench.task_api import (
    AnnotationSource,
    CaptionAnnotations,
    Progress,
    QueryValues,
    Scored,
    Scratch,
    Support,
    measure,
    values_evidence,
)
from vtbench_moments.finding import PARTS, MomentFinder
from vtbench_moments.spans import Spans

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

THRESHOLDS = (0.5, 0.7)


@dataclass(frozen=True)
class MomentRetrieval:
    """A span for each sentence of the videos of one split.

    Attributes:
        name: such as `anet-moments`.
        dataset: name of the dataset.
        split: the split whose sentences are asked.
    """

    name: str
    dataset: str
    split: str

    version: ClassVar[int] = 1
    view: ClassVar[View] = View("none")
    training_view: ClassVar[View] = View("gt")
    per_segment: ClassVar[bool] = False
    support: ClassVar[tuple[Support, ...]] = ("pairing",)
    accepts: ClassVar[tuple[type, ...]] = (MomentFinder, ClipTextEncoder)
    answers: ClassVar[tuple[type[Spans], ...]] = (Spans,)
    primary: ClassVar[str] = "R1@0.5"
    parameters: ClassVar[Mapping[str, str]] = {}

    @property
    def summary(self) -> str:
        return f"the span that a sentence describes, in its video, on {self.dataset} {self.split}"

    def with_parameters(self, chosen: Mapping[str, str]) -> MomentRetrieval:
        """Returns the same task. Raises: UsageError for any parameter: it has none."""
        if chosen:
            raise UsageError(f"task {self.name!r} has no parameter {min(chosen)!r}. Leave it out.")
        return self

    def rules(self) -> Mapping[str, str]:
        """Returns what changes a number beside split, pool and features."""
        return {"sentences": "each-alone", "iou": "+".join(map(str, THRESHOLDS)), "windows": str(PARTS)}

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> CaptionAnnotations:
        """Returns the sentences of every video with their segments."""
        return dataset.captions((self.split,), limit)

    def predict(
        self, model: Any, inputs: Inputs, execution: Execution, progress: Progress, scratch: Scratch | None = None
    ) -> Spans:
        """Returns a span for each sentence whose video has features."""
        import numpy as np
        import torch

        said = {place: text for text, place in zip(inputs.paragraphs, inputs.pairing, strict=True) if place is not None}
        spans = {place: np.zeros((len(text), 2), dtype=np.float32) for place, text in said.items()}
        find = _by_finder if isinstance(model, MomentFinder) else _by_windows
        known, done = list(said), 0
        for group in length_ordered(inputs.videos.rows[known], max(1, execution.batch_size // 4)):
            places = [known[i] for i in group]
            asked = [(place, i) for place in places for i in _alphabetical(said[place])]
            with torch.no_grad():
                answer = find(model, inputs, execution, [(place, said[place][i]) for place, i in asked])
            for (place, i), span in zip(asked, _checked(model, answer, len(asked)), strict=True):
                spans[place][i] = span
            done += len(places)
            progress(done, len(said), {})
        counts = tuple(len(said[place]) for place in known)
        return Spans(tuple(inputs.videos.ids[place] for place in known), counts, np.concatenate([*spans.values()]))

    def score(self, predictions: Spans, annotations: CaptionAnnotations, device: str) -> Scored:
        """Returns the measurements, and the overlap of each sentence as evidence, videos in the order of opaque ids.

        Raises: VerificationError when the predictions are not those of this test set.
        """
        import numpy as np

        said, overlaps, owners = predictions.by_video(), [], []
        for video, described in sorted(annotations.references[0].items()):
            truth = np.array(described.segments, dtype=np.float64).reshape(-1, 2)
            answer = said.get(video)
            if (answer is None) != (video in annotations.missing) or (answer is not None and len(answer) != len(truth)):
                raise VerificationError(
                    f"the predictions do not hold the {len(truth)} sentences of video {video}: they belong to another "
                    "test set. Rescore on the data of that run, or run with --no-resume."
                )
            overlaps.append(np.zeros(len(truth)) if answer is None else overlap(answer.astype(np.float64), truth))
            owners += [video] * len(truth)
        found = np.concatenate(overlaps)
        hits = [QueryValues(f"R1@{t}", 100.0 * (found >= t), share=True) for t in THRESHOLDS]
        measured = [*hits, QueryValues("mIoU", 100.0 * found, share=True)]
        evidence = values_evidence(measured, annotations.pool, len(annotations), owners)
        return Scored(measure(evidence), evidence)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns (n,) float64: the temporal IoU of spans `a` (n, 2) and `b` (n, 2), 0 where both are of no length."""
    import numpy as np

    shared = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    whole = np.maximum(a[:, 1], b[:, 1]) - np.minimum(a[:, 0], b[:, 0])
    return np.maximum(shared, 0.0) / np.where(whole > 0.0, whole, 1.0)


def _alphabetical(text: tuple[str, ...]) -> list[int]:
    """Returns the places of sentences in the order of the alphabet."""
    return sorted(range(len(text)), key=text.__getitem__)


def _by_finder(model: MomentFinder, inputs: Inputs, execution: Execution, asked: list[tuple[int, str]]) -> Tensor:
    videos = inputs.videos.batch([place for place, _ in asked])
    return model.find(videos.to(execution.device), [sentence for _, sentence in asked])


def _by_windows(model: ClipTextEncoder, inputs: Inputs, execution: Execution, asked: list[tuple[int, str]]) -> Tensor:
    from vtbench_moments.windows import nearest_windows

    places = list(dict.fromkeys(place for place, _ in asked))
    videos = inputs.videos.batch(places).to(execution.device)
    return nearest_windows(model, videos, [places.index(place) for place, _ in asked], [said for _, said in asked])


def _checked(model: Any, answer: Any, count: int) -> np.ndarray:
    """Returns (count, 2) from what a model answered. Raises: ModelError for another shape or type."""
    shape, kind = getattr(answer, "shape", None), str(getattr(answer, "dtype", type(answer).__name__))
    if shape is None or tuple(shape) != (count, 2) or kind != "torch.float32":
        raise ModelError(
            f"model {type(model).__name__!r} returned spans as {kind} {tuple(shape or ())}; expected a tensor of "
            f"torch.float32 ({count}, 2): start and end for each sentence. Fix the model's find method."
        )
    return answer.cpu().numpy()

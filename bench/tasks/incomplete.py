"""Incomplete video and paragraph: retrieval when only a part of the clips, or of the sentences, is there.

**What is asked.** Paragraph-video retrieval, as above, five times: with a fraction f = 0.2, 0.4, 0.6, 0.8 and 1.0 of
every test video, of every paragraph, or of both. The paper shows such curves; how it cuts is not known to us, so this
is a protocol of our own, called **prefix-f**, and its numbers are not the paper's. Models train on whole videos and
paragraphs: a curve costs no training, and shares the checkpoint of plain retrieval.

**What is kept.** Of n clips the first ceil(f n), of n sentences the first ceil(f n), both in the order of the
annotation file. The parameter `cut` says what is cut: `video` (the default), `text` or `both`. The other side stays
whole. What is cut is cut for all items, queries and gallery alike: under `cut=video`, `v2t` asks with incomplete videos
among whole paragraphs, and `t2v` ranks incomplete videos. Under `cut=both` the two tell the same part, and a part can
be easier to match than the whole: such a curve need not rise.

**Clips and frames.** An incomplete video is a shorter video, the same for every model. It is cut by its annotated clips
whatever segments a model sees: what is left are the feature rows up to the latest end of a kept clip. Models that look
at whole videos see these rows; `segments=gt` shows the kept clips in them, `uniform-K` lays K equal windows over them.
A video that keeps all its clips (always at f = 1, and with one clip at every f) is whole, with what follows its last
clip. In a dataset without annotated clips five equal windows stand for them. Beware: as clips are as many as
sentences, a kept count still tells something about a paragraph; read every number against `count-only`.

**Order.** The parameter `order`: `prefix` as above, or `random`: ceil(f n) clips or sentences drawn by a fixed hash of
the video and the position, kept in their order. A smaller fraction keeps a part of what a larger one keeps, and under
`cut=both` clips and sentences of the same positions are kept. What is left of a video are then the rows that lie in a
kept clip, one after the other, and its time is counted in these rows.

**Metrics.** `t2v/R@1[keep=0.4]`: R@1 at f = 0.4, in percent with a 95 % interval; likewise R@5, R@50 and `v2t`.
`t2v/R@1/AUC`: the area under the curve of R@1 over f by the trapezoidal rule, divided by its width of 0.8, so that it
is a mean recall in percent: (y(0.2)/2 + y(0.4) + y(0.6) + y(0.8) + y(1.0)/2) / 4. Its interval resamples videos, each
with its five outcomes. Ties as above. The primary metric is t2v/R@1/AUC. The evidence keeps the counts of every query
at every fraction. Of missing videos there are no bounds here.

**Sources.** The experiment: Zhang, Hu and Sha, ECCV 2018 (curves without their fractions on the poster). The idea of
leading clips: the released code of January 2018, which drops 0 to 9 trailing clips of the video alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from bench.annotations import AnnotationSource, RetrievalAnnotations
from bench.errors import UsageError, VerificationError
from bench.execution import Execution
from bench.inputs import Inputs, Order, View
from bench.metrics.names import FRACTIONS
from bench.models import VideoTextEncoder
from bench.predictions import EmbeddingCurve, Predictions
from bench.tasks.parameters import Parameter, Viewed, segments_of
from bench.tasks.task import Progress, Scored, Scratch, Support

if TYPE_CHECKING:
    import numpy as np

CUTS = ("video", "text", "both")


@dataclass(frozen=True)
class IncompleteRetrieval(Viewed):
    """Paragraph-video retrieval at five fractions of the clips, the sentences, or both.

    Attributes:
        view: what the model sees of whole videos.
        cut: what is incomplete: `video`, `text` or `both`.
        order: which clips and sentences are kept: `prefix` or `random`.
    """

    cut: str = "video"
    order: Order = "prefix"

    version: ClassVar[int] = 2
    per_segment: ClassVar[bool] = False
    support: ClassVar[tuple[Support, ...]] = ()
    accepts: ClassVar[tuple[type, ...]] = (VideoTextEncoder,)
    answers: ClassVar[tuple[type[Predictions], ...]] = (EmbeddingCurve,)
    primary: ClassVar[str] = "t2v/R@1/AUC"
    units: ClassVar[tuple[str, ...]] = ("paragraph",)
    _unsaid: ClassVar[Mapping[str, Any]] = {"cut": "video", "order": "prefix"}

    @property
    def summary(self) -> str:
        what = {"video": "of the clips", "text": "of the sentences", "both": "of clips and sentences"}[self.cut]
        return f"retrieval on {self.dataset} {self.split} with 0.2 to 1.0 {what} kept, segments {self.view.segments}"

    @property
    def declared(self) -> Mapping[str, Parameter]:
        return {
            "segments": segments_of(self.view),
            "set": self._asked_set,
            "cut": Parameter(self.cut, "what is incomplete", choices=CUTS),
            "order": Parameter(self.order, "which clips and sentences are kept", choices=get_args(Order)),
        }

    def with_parameters(self, chosen: Mapping[str, str]) -> IncompleteRetrieval:
        """Returns the same task under other parameters.

        Raises: UsageError for an unknown parameter or value.
        """
        task = self._on_set(chosen)
        parameters = task._with_values(chosen)
        order: Any = parameters["order"]
        return replace(
            task, view=replace(task.view, segments=parameters["segments"]), cut=parameters["cut"], order=order
        )

    @property
    def training_view(self) -> View:
        return self.view

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> RetrievalAnnotations:
        """Returns which text belongs to which video."""
        return dataset.annotations(self.split, limit, self.view.text)

    def rules(self) -> Mapping[str, str]:
        kept = "-".join(f"{fraction:.1f}" for fraction in (FRACTIONS[0], FRACTIONS[-1]))
        return {"ties": "expected", "dtype": "float32", "cut": self.cut, "order": self.order, "keep": kept}

    def predict(
        self,
        model: VideoTextEncoder,
        inputs: Inputs,
        execution: Execution,
        progress: Progress,
        scratch: Scratch | None = None,
    ) -> EmbeddingCurve:
        """Returns the model's embeddings at every fraction, float32 on the CPU, in the order of the inputs.

        A side that is not cut is embedded once.
        Raises: ModelError as soon as a batch has the wrong shape or type, or is not finite.
        """
        from bench.tasks.asking.embedding import embed_paragraphs, embed_videos

        n_videos, n_paragraphs = len(inputs.videos), len(inputs.paragraphs)
        of_videos, of_text = self._fractions("video"), self._fractions("text")
        total = len(of_videos) * n_videos + len(of_text) * n_paragraphs
        finished = 0

        def one(embed: Callable[..., np.ndarray], cut: Inputs, size: int) -> np.ndarray:
            nonlocal finished
            rows = embed(model, cut, execution, lambda done: progress(finished + done, total, {}))
            finished += size
            return rows

        view, under = replace(inputs.view, order=self.order), _recut(inputs)
        videos = {f: one(embed_videos, under(replace(view, keep_videos=f)), n_videos) for f in of_videos}
        texts = {f: one(embed_paragraphs, under(replace(view, keep_text=f)), n_paragraphs) for f in of_text}
        curve = EmbeddingCurve(inputs.videos.ids, videos, inputs.paragraph_ids, texts)
        curve.check(type(model).__name__)
        return curve

    def score(self, predictions: Predictions, annotations: RetrievalAnnotations, device: str) -> Scored:
        """Returns the measurements of the curve, and as evidence the counts per query at every fraction.

        Raises: VerificationError when the predictions are not those of this test set or of these fractions;
        ModelError when they cannot be ranked.
        """
        from bench.metrics.curves import joined, measure_curve
        from bench.tasks.counting import evidence_of

        if not isinstance(predictions, EmbeddingCurve) or predictions.fractions != FRACTIONS:
            raise VerificationError(
                f"the predictions are not embeddings at the fractions {', '.join(map(str, FRACTIONS))}: they belong to "
                f"another task than {self.base}. Run with --no-resume."
            )
        evidence = joined({f: evidence_of(predictions.at(f), annotations, device) for f in FRACTIONS})
        return Scored(measurements=measure_curve(evidence), evidence=evidence)

    def _fractions(self, side: str) -> tuple[float, ...]:
        return FRACTIONS if self.cut in (side, "both") else (1.0,)


def _recut(inputs: Inputs) -> Callable[[View], Inputs]:
    if inputs.under is None:
        raise UsageError("these inputs cannot be cut again. Take the inputs of a dataset.")
    return inputs.under

"""Action recognition: name what is done in a video, with no labelled video, with a few, or with all of them.

**What is asked.** Every video of the test split has one class or several, the main one first (that of most of its
segments); a model gives every class a score. The classes are those of the dataset: 200 in ActivityNet v1.3, of whose
4,926 validation videos 13 in both splits together have two classes. A prediction counts when it is among a video's
classes.

**`<name>-zero-shot`.** The names of the classes go through a model's text side as paragraphs of one sentence, the
videos through its video side, and cosine decides. The parameter `template`: `name`, the default, is the bare name
(`CleanAndJerk` and `clean_and_jerk` are spoken as words); a pattern such as `a_video_of_{}` puts it into a sentence;
`ensemble` averages the normalised vectors of eight sentences. The parameter `classes`: `all`, or `unseen-50-0` to
`unseen-75-9` and `seen-…`: one half of a random class split of the literature, read from `zero_shot_class_splits.json`
beside the labels; then only its videos are asked, and only its classes are answers.

**At which level.** A hierarchical model can be asked in several ways, and they give quite other numbers: the same HSE
is right on 30, 44 or 50 % of the generated sample. The parameter `level`: `video`, the default, compares what the model
itself compares in retrieval, one vector for a video and one for a paragraph; for HSE this is its sequence embedding,
and a name is a paragraph of one sentence, which it has not seen in training. `flat` compares whole videos and names
that were read in one go, past the hierarchy (`FlatTextEncoder`). `clips` compares each segment with the name as a
sentence, which is what the lower level of HSE is trained for, and takes the mean of the cosines over the segments of a
video (`ClipTextEncoder`). The level is part of the signature: rows of different levels are never ranked together. A
record from before this parameter is of level `video`. Which one the paper meant is not known.

A model that is asked in words may be told the classes and choose among them (`ZeroShotClassifier`), at the level
`video`, each class once, by its prompt. What it says of classes is its score, and how it was asked is its affair.

**Zero-shot with respect to what?** No label was used; that does not make the classes new. The videos that models of
ActivityNet Captions learn from are training videos of the same 200 classes, and their captions name many of them: a
video's own class stands word for word in 14.1 % of the training paragraphs. The features may have learned action labels
too. Both stand beside the score, for the dataset at hand: how many classes are named in training captions, and what the
feature extractor was trained on (`trained_on` in bench.yaml). The class splits change what is asked, not what was seen.

**`<name>-linear-probe`.** Frozen video embeddings, normalised to length 1, and multinomial logistic regression with an
L2 penalty on all labelled training videos, learning the main class of each. C is one of 1e-3, 1e-2, …, 1e4: the best on
a fifth of every class, drawn by the run's seed and held out of training; then the probe is fitted again on all. Fits
are minima to within one part in a million of what there is to gain, so a score does not depend on a solver. What is
right on the held-out part is no estimate of a test: it chose C, and near twins of its videos may be among the others,
as in the generated sample and in the groups of UCF101. Where bench.yaml says which videos come from one source
(`groups:`), groups are held out whole: drawn one after the other until each class has its fifth, passing over a group
that would take more than half of a class. The groups are then part of the signature, as another C may come of them. A
class without training videos is never predicted, and its test videos count. A model that brings a classifier of its own
(`VideoClassifier`) is asked for its scores instead. The parameter `shots=K`: a probe on K training videos of each
class, drawn by the run's seed; C is chosen within them, and is the largest for K = 1. More shots of a seed add videos
and replace none. A model that was itself fitted on classes has seen those of all training videos, whatever K is.

**Segments.** Nobody has marked segments of a video that is to be recognised, so models see four windows of equal
length by default where they learned from annotated segments, and the whole video otherwise; the parameter `segments`
says else. Which embedding of a hierarchical model a probe learns from is a setting of the model and stands in the
result.

**Metrics.** In percent, each with a 95 % interval by resampling videos: top1 and top5; mean_class/top1, the mean over
classes of the top1 of their videos, where a video counts in each of its classes; where videos have several classes,
main/top1, the share of videos whose main class comes first. As the official ActivityNet tool defines them: Hit@3 (one
of the classes is among the first 3), AvgHit@3 (the share of the classes that are), and mAP over the classes,
interpolated, without an interval. The primary metric is top1. Ties are broken at random and the expectation is
reported; for mAP equal scores are one threshold. A constant model gets exactly K/classes. Where classes have few
videos the interval of mean_class/top1 is too narrow: of 20 classes it held the true mean in 94 to 95 % of simulated
tests with 20 to 30 videos each, in 90 % with 2 to 12, and in 83 % with 2.

**Missing videos.** Under the policy `penalise` a test video without features is never recognised, and never listed in
the ranking of a class; under `exclude` it is left out, and the run is partial and never ranked. Training leaves videos
without features out. Shares of videos (top1, Hit@3 and the like) come with bounds: every missing video wrong, every one
right. Means over classes and mAP have none, for those depend on the classes and the ranks of the missing videos.

**Sources.** Zhang, Hu and Sha, ECCV 2018 (the experiment; prompts, segments and classifier are not described there, and
the protocol is our own); Caba Heilbron et al., "ActivityNet", CVPR 2015, and its evaluation code; Ju et al., "Prompting
Visual-Language Models for Efficient Video Understanding", ECCV 2022 (the class splits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from bench.annotations import AnnotationSource, ClassAnnotations
from bench.errors import UsageError
from bench.execution import Execution
from bench.inputs import Inputs, View
from bench.models import (
    ClipTextEncoder,
    FlatTextEncoder,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    ZeroShotClassifier,
)
from bench.predictions import ClassScores, Predictions
from bench.tasks.parameters import Parameter, Viewed, segments_of
from bench.tasks.prompts import BARE, ENSEMBLE, PATTERNS, patterns_of
from bench.tasks.task import Progress, Scored, Scratch, Support

ALL = "all"
WHOLE_VIDEO = "video"
LEVELS: Mapping[str, type] = {WHOLE_VIDEO: VideoTextEncoder, "flat": FlatTextEncoder, "clips": ClipTextEncoder}
"""The levels at which videos and names of classes are compared, and what a model has to provide for each."""


@dataclass(frozen=True)
class _Recognition(Viewed):
    """What both tasks share.

    Attributes:
        training_view: what models that learn from paragraphs were trained on.
    """

    training_view: View = field(default_factory=View)

    version: ClassVar[int] = 1
    per_segment: ClassVar[bool] = False
    answers: ClassVar[tuple[type[Predictions], ...]] = (ClassScores,)
    primary: ClassVar[str] = "top1"
    units: ClassVar[tuple[str, ...]] = ("video",)

    def score(self, predictions: Predictions, annotations: ClassAnnotations, device: str) -> Scored:
        """Returns the measurements, and as evidence what was counted for each label of each video.

        Raises: VerificationError when the predictions are not those of this test set.
        """
        from bench.metrics.class_measurements import measure
        from bench.tasks.asking.class_scores import class_evidence

        evidence = class_evidence(predictions, annotations, self.name)
        return Scored(measurements=measure(evidence), evidence=evidence)


@dataclass(frozen=True)
class ZeroShotRecognition(_Recognition):
    """Classes by cosine between their names and the videos.

    Attributes:
        level: a key of `LEVELS`.
        template: `name`, `ensemble`, or a pattern with `{}`.
        classes: `all`, or the half of a class split.
    """

    level: str = WHOLE_VIDEO
    template: str = BARE
    classes: str = ALL

    support: ClassVar[tuple[Support, ...]] = ("classes",)
    _unsaid: ClassVar[Mapping[str, Any]] = {"level": WHOLE_VIDEO, "template": BARE, "classes": ALL}

    @property
    def accepts(self) -> tuple[type, ...]:
        return (LEVELS[self.level], *[ZeroShotClassifier] * (self.level == WHOLE_VIDEO))

    @property
    def summary(self) -> str:
        return f"classes of {self.dataset} {self.split} from their names alone, segments {self.view.segments}"

    @property
    def declared(self) -> Mapping[str, Parameter]:
        return {
            "segments": segments_of(self.view),
            "set": self._asked_set,
            "level": Parameter(self.level, "what of a video is compared with the name of a class", tuple(LEVELS)),
            "template": Parameter(
                self.template, "the prompt made of a class name", form=f"{BARE}, {ENSEMBLE} or a pattern with {{}}"
            ),
            "classes": Parameter(self.classes, "which classes are told apart", form=f"{ALL}, or half of a class split"),
        }

    def with_parameters(self, chosen: Mapping[str, str]) -> ZeroShotRecognition:
        """Returns the same task under other parameters. Raises: UsageError for an unknown parameter or value."""
        task = self._on_set(chosen)
        values = task._with_values(chosen)
        patterns_of(values["template"])
        return replace(
            task,
            view=replace(task.view, segments=values["segments"]),
            level=values["level"],
            template=values["template"],
            classes=values["classes"],
        )

    def rules(self) -> Mapping[str, str]:
        template = f"{ENSEMBLE}-{len(PATTERNS)}" if self.template == ENSEMBLE else self.template
        asked = {"level": self.level, "template": template, "classes": self.classes}
        return {"ties": "expected", "dtype": "float32", **asked}

    def predict(
        self, model: Any, inputs: Inputs, execution: Execution, progress: Progress, scratch: Scratch | None = None
    ) -> ClassScores:
        """Returns the cosine of every video and class, in the order of the inputs.

        Raises: InvalidData when two classes have one prompt; ModelError when an answer cannot be used.
        """
        from bench.tasks.asking.class_scores import chosen, similarities

        if isinstance(model, ZeroShotClassifier) and self.level == WHOLE_VIDEO:
            told = chosen(model, inputs, self._one_pattern(), execution, progress)
            return ClassScores(inputs.videos.ids, told, inputs.class_names)
        scores = similarities(model, self.level, inputs, patterns_of(self.template), execution, progress)
        return ClassScores(inputs.videos.ids, scores, inputs.class_names)

    def _one_pattern(self) -> str:
        patterns = patterns_of(self.template)
        if len(patterns) > 1:
            raise UsageError(
                f"template={self.template}: a model that is told the classes is told each once. Leave it out."
            )
        return patterns[0]

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> ClassAnnotations:
        """Returns the classes of the test videos. Raises: UsageError for a class split that is not there."""
        return dataset.classes(self.split, limit, "" if self.classes == ALL else self.classes)

    def remarks(self, dataset: AnnotationSource) -> tuple[str, ...]:
        """Returns what training captions and features knew of the classes."""
        return dataset.seen_classes(captions=True)


@dataclass(frozen=True)
class LinearProbe(_Recognition):
    """Classes by a linear classifier on frozen embeddings, or by a model's own classifier.

    Attributes:
        shots: training videos of each class; 0 for all.
    """

    shots: int = 0

    support: ClassVar[tuple[Support, ...]] = ("classes", "labelled")
    _unsaid: ClassVar[Mapping[str, Any]] = {"shots": 0}

    @property
    def accepts(self) -> tuple[type, ...]:
        return (VideoEncoder,) if self.shots else (VideoClassifier, VideoEncoder)

    @property
    def summary(self) -> str:
        videos = f"{self.shots} training videos a class" if self.shots else "training videos"
        return f"classes of {self.dataset} {self.split} learned from {videos}, segments {self.view.segments}"

    @property
    def declared(self) -> Mapping[str, Parameter]:
        shots = Parameter(str(self.shots or ALL), "training videos of each class", form=f"{ALL}, or a number from 1")
        return {"segments": segments_of(self.view), "set": self._asked_set, "shots": shots}

    def with_parameters(self, chosen: Mapping[str, str]) -> LinearProbe:
        """Returns the same task under other parameters. Raises: UsageError for an unknown parameter or value."""
        task = self._on_set(chosen)
        values = task._with_values(chosen)
        shots = values["shots"]
        if shots != ALL and not (shots.isascii() and shots.isdecimal() and 0 < int(shots) < 10_000):
            raise UsageError(f"task {self.base!r}: shots={shots}: use {ALL}, or a number of videos a class from 1.")
        return replace(
            task, view=replace(task.view, segments=values["segments"]), shots=0 if shots == ALL else int(shots)
        )

    def rules(self) -> Mapping[str, str]:
        return {"ties": "expected", "dtype": "float32", "shots": str(self.shots or ALL)}

    def predict(
        self, model: Any, inputs: Inputs, execution: Execution, progress: Progress, scratch: Scratch | None = None
    ) -> ClassScores:
        """Returns log-probabilities of a probe, or the scores of the model's own classifier.

        Raises: InvalidData, UsageError when the training videos do not suffice; ModelError when an answer cannot be
        used.
        """
        import numpy as np

        from bench.tasks.asking.class_scores import classify_videos, probe_videos

        if isinstance(model, VideoClassifier) and not self.shots:
            scores = classify_videos(model, inputs, execution, progress)
        else:
            scores = probe_videos(model, inputs, self.shots, execution, progress, scratch)
        return ClassScores(inputs.videos.ids, np.ascontiguousarray(scores), inputs.class_names)

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> ClassAnnotations:
        """Returns the classes of the test videos."""
        return dataset.classes(self.split, limit)

    def remarks(self, dataset: AnnotationSource) -> tuple[str, ...]:
        """Returns what the features knew of the classes."""
        return dataset.seen_classes(captions=False)

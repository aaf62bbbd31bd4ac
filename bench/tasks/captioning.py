"""Captioning: say in words what happens in a video, one sentence for each of its segments.

**What is asked.** `<name>-captioning` shows a model every video of the test split with the segments that the annotators
marked, and asks for one sentence for each segment; the model may look at the whole video. `<name>-paragraph-captioning`
asks the same and joins the sentences of a video, in order of time, into one text. In a dataset that is declared with
`segments: none`, `<name>-captioning` asks for one sentence about each whole video, and every caption of the video is a
reference of its own. Models learn from `train`; of a test set they see frames and segments under opaque ids, and no
word. A sentence may be empty; an answer that lacks a sentence for some segment is an error, never a score.

**Three ways to score, never mixed.** The parameter `protocol` of `<name>-captioning` chooses one of the first two.
`corpus`, the default: every reference segment is an item of one corpus, as captions of images are scored. `densevid`:
every pair of a sentence and a reference whose temporal IoU is at least t is an item of its video's corpus; a score is
the mean over videos, then over t = 0.3, 0.5, 0.7 and 0.9. It is made for models that also find the segments; CIDEr then
counts how rare words are among a handful of captions, which gives quite other numbers. As segments are given here,
`corpus` is the default. `paragraph`, the only way of `<name>-paragraph-captioning`: the text of a video against the
text of each annotator, one item for each video.

**Beware when comparing.** In the paper's table the rows of DENSE and DVC seem to be those papers' own, scored by the
tool behind `densevid`; FSE and HSE have less BLEU and METEOR and far more CIDEr, as another scorer could give. How the
paper scored is not known to us. The protocol, the tokeniser and the version of METEOR are part of the signature.

**References.** `references=all`, the default: the test split and, where the dataset has one, its second annotation
(val_2 of ActivityNet Captions). A second annotator marks other segments. Under `corpus` a sentence is also an answer to
the segment of the second annotation that overlaps most with its own (temporal IoU at least 0.5, one to one): an item
more. A segment that no answer fits was not asked about and is left out: which ones these are depends on the segments
alone, and so is the same for every model. `references=first`: the test split alone.

**Metrics.** BLEU@1 to 4, METEOR 1.5, ROUGE-L and CIDEr as coco-caption computes them (CIDEr with clipped counts and
length penalty), times 100, as papers print them. Each has a 95 % interval by resampling videos with all their
sentences. The primary metric is CIDEr. METEOR and the tokens are our own, without Java, and equal those of the METEOR
program and of Stanford's PTB tokeniser. `java=required` counts by these two programs in Java. The signature says which
ones counted, and a table ranks both together.

**Stories, and how captions vary.** `densevid` also states `SODA_c`: the sentences of a video and of an annotation are
paired in order of time, without crossing, so that the sum of tIoU times METEOR is greatest; F1 over their numbers,
the better annotation of each video, mean over videos. It equals release 1.1 of the authors' program (fujiso/SODA,
with `--multi_reference`), which scores the annotation's sentence against the said one; METEOR is not symmetric. Where
videos are told about whole (`densevid`, `paragraph`) there are also `Rep-4`, the share of a video's 4-grams that came
before in it (R@4 of MART; less is better), `Div-2`, its distinct bigrams over its words, `Vocabulary`, distinct words
in lower case, `Words/sentence` and `Words/video`, of which neither more nor less is better. These equal
evaluateRepetition.py and evaluateCaptionsDiversity.py beside MART (jayleicn/recurrent-transformer); its
get_caption_stat.py counts NLTK's tokens, marks of punctuation among them, and so more words. They do not say whether a
caption is right: one sentence of few words, said of everything,
has no repetition. n-grams end where their sentence ends, videos of which nothing was said are left out, and the
vocabulary, being no mean, has no interval.

**Splits.** Sentences are asked for on the test split of the dataset (val_1). Paragraphs of ActivityNet Captions are
asked for on `ae-test`, the 2,457 videos that ActivityNet-Entities set aside for reporting; `split=ae-val` are the 2,460
others, for choosing a model; `split=val_1` are all. The id lists are read from `split_ids_anet_entities.json` beside
the annotations. The generated sample and own data use their whole test split.

**Missing videos.** Under the policy `penalise` a video without features has empty sentences: it scores nothing, its
references stay. Under `exclude` it is left out, and the run is partial and never ranked. There are no bounds of what
such videos would have made of a score: BLEU is a ratio of sums, and CIDEr weighs words by all references.

**Sources.** Zhang, Hu and Sha, ECCV 2018 (the experiment); Krishna et al., "Dense-Captioning Events in Videos", ICCV
2017, and its evaluation code; Vedantam, Zitnick and Parikh, "CIDEr: Consensus-based Image Description Evaluation",
CVPR 2015; Zhou et al., "Grounded Video Description", CVPR 2019 (the two halves of val_1); Fujita et al., "SODA", ECCV
2020; Lei et al., "MART", ACL 2020; Park et al., "Adversarial Inference for Multi-Sentence Video Description", CVPR
2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bench.annotations import AnnotationSource, CaptionAnnotations
from bench.errors import MissingData, UsageError, VerificationError
from bench.execution import Execution
from bench.inputs import Inputs, View
from bench.metrics.captions.items import Missing, Protocol, Rules, rules
from bench.models import VideoCaptioner
from bench.predictions import Captions, Predictions
from bench.reading.numbers import number_of
from bench.tasks.parameters import Parameter, Parametrised
from bench.tasks.task import Progress, Scored, Scratch, Support

if TYPE_CHECKING:
    from bench.metrics.captions.items import VideoCaptions

ALL, FIRST = "all", "first"
JAVA: Mapping[str, bool] = {"off": False, "required": True}
"""Whether METEOR and Stanford's tokeniser in Java count, or our own."""


@dataclass(frozen=True)
class Captioning(Parametrised):
    """A sentence for every segment of the videos of one split.

    Attributes:
        protocols: the ways to score; the first is the default.
        splits: the splits the task may be asked on; the first is the default.
        second: splits that hold further annotations of the same videos.
        view: what the model sees: annotated segments, or whole videos.
        protocol: the way to score that was chosen.
        references: `all` annotations, or the `first` one.
        java: whether the scorers in Java count.
        meteor: false only to score what was scored without METEOR.
    """

    protocols: tuple[Protocol, ...]
    splits: tuple[str, ...]
    second: tuple[str, ...] = ()
    view: View = field(default_factory=View)
    protocol: Protocol = "corpus"
    references: str = ALL
    java: str = "off"
    meteor: bool = True

    version: ClassVar[int] = 1
    per_segment: ClassVar[bool] = True
    support: ClassVar[tuple[Support, ...]] = ()
    accepts: ClassVar[tuple[type, ...]] = (VideoCaptioner,)
    answers: ClassVar[tuple[type[Predictions], ...]] = (Captions,)
    primary: ClassVar[str] = "CIDEr"

    def _usual(self) -> Captioning:
        return replace(self, split=self.splits[0], protocol=self.protocols[0], references=ALL, java="off")

    @property
    def summary(self) -> str:
        what = "a sentence for every whole video" if self.view.segments == "none" else "a sentence for every segment"
        if self.protocol == "paragraph":
            what = "a paragraph, a sentence for every segment,"
        return f"{what} of {self.dataset} {self.split}, scored by {self.protocol}"

    @property
    def declared(self) -> Mapping[str, Parameter]:
        references = (ALL, FIRST) if self.second else (ALL,)
        choices = {
            "split": Parameter(self.split, "whose videos are captioned", choices=self.splits),
            "protocol": Parameter(self.protocol, "how captions are scored", choices=self.protocols),
            "references": Parameter(self.references, "whose references count", choices=references),
            "java": Parameter(self.java, "whether METEOR and the tokeniser in Java count", choices=tuple(JAVA)),
        }
        return {name: parameter for name, parameter in choices.items() if len(parameter.choices) > 1}

    def with_parameters(self, chosen: Mapping[str, str]) -> Captioning:
        """Returns the same task under other parameters.

        Raises: UsageError for an unknown parameter or value.
        """
        if "segments" in chosen:
            raise UsageError(
                f"task {self.base!r} has no parameter 'segments' (one sentence is asked for each annotated segment). "
                f"Parameters: {', '.join(self.declared)}."
            )
        values: dict[str, Any] = self._with_values(chosen)
        return replace(self, **values)

    @property
    def training_view(self) -> View:
        return self.view

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> CaptionAnnotations:
        """Returns the references of every video, one set for each annotation.

        Raises: MissingData where segments are asked about and a video has none.
        """
        annotations = dataset.captions(self._annotations(), limit)
        bare = sum(not told.segments for told in annotations.references[0].values())
        if bare and self.view.segments != "none":
            raise MissingData(
                f"dataset {self.dataset!r}: {bare:,} of {number_of(len(annotations), 'video')} of {self.split} have no "
                "segments to describe. To caption whole videos, declare the dataset with 'segments: none'."
            )
        return annotations

    def _annotations(self) -> tuple[str, ...]:
        return (self.split, *self.second) if self.references == ALL else (self.split,)

    def rules(self) -> Mapping[str, str]:
        parts = self.scoring.parts()
        parts.pop("missing")  # the signature says by this name what became of videos without features
        return {"references": "+".join(self._annotations()), **parts}

    @property
    def scoring(self) -> Rules:
        """The rules of scoring: every segment was answered, but for segments that nobody asked about."""
        others: Missing = "skip" if self.protocol == "corpus" and len(self._annotations()) > 1 else "error"
        missing: Missing = "zero" if self.protocol == "densevid" else others
        chosen = rules(self.protocol, missing=missing, java=JAVA[self.java])
        return chosen if self.meteor else replace(chosen, meteor="none")

    def as_signed(self, signature: Mapping[str, str]) -> tuple[Captioning, ...]:
        """Returns the same task scored by our tools, which need no Java, and then by those a signature names."""
        ours = replace(self, java="off", meteor=signature.get("meteor", "none") != "none")
        named = replace(self, java="required")
        return (ours, named) if signature.get("tokens", "").startswith("ptb-") else (ours,)

    def predict(
        self,
        model: VideoCaptioner,
        inputs: Inputs,
        execution: Execution,
        progress: Progress,
        scratch: Scratch | None = None,
    ) -> Captions:
        """Returns what the model says of every segment, in the order of the inputs.

        Raises: ModelError as soon as a batch lacks a sentence.
        """
        from bench.tasks.asking.captions import captions_of

        return captions_of(model, inputs, execution, lambda done: progress(done, len(inputs.videos), {}))

    def score(self, predictions: Predictions, annotations: CaptionAnnotations, device: str) -> Scored:
        """Returns the measurements, and as evidence what was counted for every item, in the order of the opaque ids.

        Raises: VerificationError when the predictions are not those of this test set; ToolError when Java fails.
        """
        from bench.metrics.captions.scoring import score

        scores = score(self.items(predictions, annotations), self.scoring, annotations.pool)
        return Scored(measurements=scores.measurements, evidence=scores.evidence)

    def items(self, predictions: Predictions, annotations: CaptionAnnotations) -> list[VideoCaptions]:
        """Returns what was said of every video beside its references, in the order of the opaque ids.

        Raises: VerificationError when the predictions are not those of this test set.
        """
        from bench.tasks.asking.captions import answered

        if not isinstance(predictions, Captions):
            raise VerificationError(
                f"the predictions are of another kind ({predictions.kind}) than those of {self.base}. "
                "Score them under the task they were made for, or run with --no-resume."
            )
        return answered(predictions, annotations, whole=self.view.segments == "none")

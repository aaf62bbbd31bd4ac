"""Text-video retrieval: find the video that a paragraph or a caption describes, and the text that describes a video.

**What is asked.** Where sentences describe segments, every video of the test split comes with one paragraph: all its
sentences, in the order of the annotation file. Where a video has captions that all describe the whole of it (`segments:
none`), the dataset's declaration says how they are asked: `captions: each`, every caption is a query of its own, as
MSR-VTT, MSVD and VATEX are evaluated; `captions: together`, all captions of a video are one text. The part `text` of
the signature says which: `paragraph`, `caption` or `captions-together`; they are other tests and never ranked together.
What follows says paragraph for the text that is asked. A model turns each video and each paragraph into one vector; it
sees videos and paragraphs in unrelated orders under opaque ids, and learns nothing about which belong together. `t2v`
asks with a paragraph and ranks all videos; `v2t` asks with a video and ranks all paragraphs. The gallery is the whole
split: 4,917 videos for val_1 of ActivityNet Captions (val_2, a second wording of a subset, has 4,885), 1,004 for the
test split of DiDeMo. Papers differ in this number, so every result carries it with a digest of the test set (`pool` in
the signature).

**Named sets.** The parameter `set` asks a test set of the field by name, such as `msrvtt-retrieval:set=1k-A`: its
videos and captions out of the dataset's files, each query as that set says, whatever `captions:` says. The name stands
in the signature as the split, `split=msrvtt:1k-A`. [Test sets](sets.md) says where the files must hold it, and what is
compared.

**Pairs.** A model may instead score each pair of a video and a paragraph, as generative models do by the likelihood of
the paragraph given the video (`VideoTextScorer`). It is shown tiles of videos and paragraphs, every pair once; the
score of a pair depends on that pair alone. Scores are ranked as they are, in float32; a NaN or infinite one is an
error. Metrics, ties and galleries are the same, so both kinds of model stand in one table. A model may also rank again
the best videos of each text's list that another model made (`VideoTextReranker`): pairs that were asked rank before all
others of their text, so at K = as many as were asked, t2v/R@K is the list's own and the most that can be reached.

**Ranking.** The harness normalises the vectors to length 1 and ranks by their inner product (cosine) in float32, with
TF32 off: the same similarities truncated to bfloat16 moved R@1 by 9 points under one widely copied scorer. A vector
that is all zeros, NaN or infinite is an error, never a rank: under naive comparisons a matrix of NaN scores R@1 = 100.

**Metrics.** R@K for K = 1, 5, 10 and 50, in percent: the share of queries whose own item is among the first K. MedR and
MeanR: median and mean rank, counted from 1. Each comes with a 95 % interval, the middle of what resampling the videos
gives (means: exactly; MedR, and means over unequal numbers of captions: by 10,000 resamples). Every resample of a
recall of 0 or 100 % is the same, so that one gets the interval of Clopper and Pearson. The primary metric is t2v/R@1.

**Ties** are broken at random and the expectation is reported. With g items above a query's own item and e others equal
to it, R@K = mean of clip((K - g) / (e + 1), 0, 1), MeanR = mean of 1 + g + e/2, MedR = floor(median of g + e/2) + 1.
A model that answers the same to everything gets exactly K/N. Where nothing ties, these are the numbers of the published
scripts; where something does, those disagree with one another. Optimistic and pessimistic values can be recomputed from
the evidence that every result keeps. Beware when reading code: the variable `r10` of the authors of HSE is R@50.

**Several captions a video.** Every caption asks for its video; videos are resampled with their captions. In training a
video stands beside each of its captions in turn, and no loss takes a second caption of the same video for a negative.
Similarities that were computed elsewhere are asked likewise (`bench score retrieval --video-of`). Where a video asks,
two conventions are in use, and from one matrix they give numbers that are far apart (43 and 43 % at K = 1, 45 and 70 at
5, 49 and 85 at 10 for 100 videos with 20 to 59 captions). Both are measured, and `hits=any+best-caption` in the
signature says so. `v2t/any-hit R@K`: all captions are ranked, and a video is found when one of its own is among the
first K. So count Collaborative Experts and MMT. `v2t/best-caption R@K`: videos are ranked, each by the caption of its
that is most similar, and a video is found when it is among the first K. So count CLIP4Clip, X-CLIP and TS2-Net. The
second needs features of all videos and one right video for each caption.

**Post-processing.** A run ranks similarities as a model gives them. Dual softmax, inverted softmax and QB-Norm change
them by other queries, the first two by all queries of the test at once, which nobody can do who asks one question.
They are applied to, or declared of, similarities that were computed elsewhere (`bench score retrieval --transform`),
stand in the signature as `transform=…`, and have boards of their own; [scoring.md](scoring.md) has the formulas.

**Other right answers.** `relevance:` in the declaration names judgements in TREC form, `TEXT 0 VIDEO GRADE`: texts of
which several videos are right, or none. A text is called by its video, or `VIDEO#K` for caption K counted from 0.
`queries:` names texts that are asked instead of the captions, JSON by id, and the signature says `text=query`; a run
with `--limit` asks those that have a right video left. Texts without a right video and videos that no text asks for are
among what others are compared with. A query with several right answers is counted by the best of them among the wrong
ones, and its measurements say `any-hit`; `P@K` and `nDCG@K`, shown where asked for (`--metric t2v/nDCG@10`), count all
of them, the second by their grades. Of tied answers each is taken at its expected worth, as if ties were broken at
random. Intervals resample videos: a text goes with the video that it describes, a query that describes none with the
first of its best.

**Segments.** The parameter `segments` says which clips a model sees beside the whole video, in training and test:
`gt`, the segments that the annotators marked; `uniform-K`, K windows of equal length that cover the video; `none`, one
segment, the whole video. It is part of the signature, and only results of the same source are ranked together; models
that look at whole videos only may stand in any group.

**Beware of `gt`.** The segments of a *test* video are knowledge that no application has, and there is one for each
sentence. Counting alone, with no look at a frame or a word, gives R@1 / R@5 / R@50 = 0.33 / 1.36 / 9.01 on val_1
(chance: 0.02 / 0.10 / 1.02), and 0.70 / 3.09 / 20.9 on the test split of DiDeMo (chance: 0.10 / 0.50 / 4.98).
The control `count-only` measures this floor; read every `gt` number against it.

**Splits.** Train on `train`, report on the test split. There is no second test split with public captions, and
published models were chosen on the split they report; here models are selected at a fixed epoch or on a held-out part
of `train`, and the record says which.

**Missing videos.** A run on a test set of which some videos have no features fails, unless the dataset's declaration
says what to do with them (`missing:`); the record then says how many they were. `exclude`: they and their paragraphs
are left out of queries and galleries alike; such a run is partial and never ranked. `penalise`: nothing is left out. A
video without features stands behind all others for every paragraph; the paragraph that asks for it, and it as a query,
rank last (g = N - 1, e = 0); its paragraph stays among those that other videos are compared with.
`missing=penalise-<count>` is part of the signature. Training leaves videos without features out.

**Bounds.** Neither number is that of the whole test set, and `penalise` is no lower bound of t2v: a missing video could
also have stood before right ones. Each measurement therefore says between what it lies for any features of the missing
videos (`bounds` of the record, lines below it on the terminal). `worst`: everything missing stands above the right
answer of every query, and the queries of missing videos find theirs last. `best`: nothing missing stands above, and
these find theirs first. `present`: the queries of the videos that are there. With m videos missing, t2v of the others
has g + m in the worst case and g in the best; v2t has g + the number of texts that were left out, which under
`penalise` is none. Some scores of the missing videos reach each bound, though not all bounds at once, and vectors of
few dimensions may not. A dataset that is declared to be a set (`set:`) and has fewer videos is bounded likewise, where
each of the others is known to have one text. There are no bounds of P@K and nDCG@K where several are right, nor where
`relevance:` or `queries:` say what is asked.

**Sources.** Zhang, Hu and Sha, "Cross-Modal and Hierarchical Modeling of Video and Text", ECCV 2018, and the released
code; Krishna et al., "Dense-Captioning Events in Videos", ICCV 2017 (annotations); Liu et al., "Use What You Have:
Video Retrieval Using Representations From Collaborative Experts", arXiv 1907.13487, corrected second version (the
paragraph protocol on 4,917 videos).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.annotations import AnnotationSource, RetrievalAnnotations
from bench.errors import VerificationError
from bench.execution import Execution
from bench.inputs import Inputs, View
from bench.matching import TEXTS
from bench.models import VideoTextEncoder, VideoTextReranker, VideoTextScorer
from bench.predictions import Embeddings, PairScores, Predictions
from bench.tasks.parameters import Parameter, Viewed, segments_of
from bench.tasks.task import Progress, Scored, Scratch, Support

ASKED = {"paragraph": "one", **{unit: word for word, unit in TEXTS.items()}}
"""The parameter `captions` for each unit: where nobody said how captions are asked, a video has one."""


@dataclass(frozen=True)
class ParagraphVideoRetrieval(Viewed):
    """Paragraph to video and video to paragraph: the videos of one split of one dataset are the gallery."""

    version: ClassVar[int] = 2
    per_segment: ClassVar[bool] = False
    support: ClassVar[tuple[Support, ...]] = ()
    accepts: ClassVar[tuple[type, ...]] = (VideoTextEncoder, VideoTextScorer)
    answers: ClassVar[tuple[type[Predictions], ...]] = (Embeddings, PairScores)
    primary: ClassVar[str] = "t2v/R@1"
    units: ClassVar[tuple[str, ...]] = ("caption", "paragraph")

    @property
    def summary(self) -> str:
        asked = {"paragraph": "paragraph", "caption": "caption", "captions-together": "captions together"}[
            self.view.text
        ]
        return f"{asked} to video and video to {asked} on {self.dataset} {self.split}, segments {self.view.segments}"

    @property
    def declared(self) -> Mapping[str, Parameter]:
        segments = {"segments": segments_of(self.view), "set": self._asked_set}
        if self.default.segments != "none" or self.whole:  # a set says itself how its captions are asked
            return segments
        asked = Parameter(ASKED[self.view.text], "how the captions of a video are asked", choices=tuple(TEXTS))
        return {**segments, "captions": asked}

    def with_parameters(self, chosen: Mapping[str, str]) -> ParagraphVideoRetrieval:
        """Returns the same task under other parameters.

        Raises: UsageError for an unknown parameter or value.
        """
        task = self._on_set(chosen)
        values = task._with_values(chosen)
        view = replace(task.view, segments=values["segments"])
        if "captions" in chosen:
            view = replace(view, text=TEXTS[chosen["captions"]])
        return replace(task, view=view)

    @property
    def training_view(self) -> View:
        return self.view

    def annotations(self, dataset: AnnotationSource, limit: int | None = None) -> RetrievalAnnotations:
        """Returns which text belongs to which video."""
        return dataset.annotations(self.split, limit, self.view.text)

    def rules(self) -> Mapping[str, str]:
        return {"ties": "expected", "dtype": "float32"}

    def predict(
        self,
        model: VideoTextEncoder | VideoTextScorer,
        inputs: Inputs,
        execution: Execution,
        progress: Progress,
        scratch: Scratch | None = None,
    ) -> Predictions:
        """Returns what the model says of all videos and paragraphs, float32 on the CPU, in the order of the inputs.

        Embeddings from a model that embeds, else a score for every pair.
        Raises: ModelError as soon as a batch has the wrong shape or type, or is not finite.
        """
        if isinstance(model, VideoTextReranker) and model.best:
            from bench.tasks.asking.reranking import reranked

            return reranked(model, inputs, execution, progress, scratch)
        if not isinstance(model, VideoTextEncoder):
            from bench.tasks.asking.pair_scoring import score_pairs

            return score_pairs(model, inputs, execution, progress, scratch)
        from bench.tasks.asking.embedding import embed_paragraphs, embed_videos

        n_videos, n_all = len(inputs.videos), len(inputs.videos) + len(inputs.paragraphs)
        videos = embed_videos(model, inputs, execution, lambda done: progress(done, n_all, {}))
        paragraphs = embed_paragraphs(model, inputs, execution, lambda done: progress(n_videos + done, n_all, {}))
        embeddings = Embeddings(inputs.videos.ids, videos, inputs.paragraph_ids, paragraphs)
        embeddings.check(type(model).__name__)
        return embeddings

    def score(self, predictions: Predictions, annotations: RetrievalAnnotations, device: str) -> Scored:
        """Returns the measurements, and as evidence the counts per query in the order of the sorted opaque ids.

        Raises: VerificationError when the predictions are not those of this test set; ModelError when they cannot be
        ranked.
        """
        from bench.metrics.retrieval import hit_rule, measure
        from bench.tasks.counting import evidence_of

        if not isinstance(predictions, Embeddings | PairScores):
            raise VerificationError(
                f"the predictions are of another kind ({predictions.kind}) than those of {self.base}. "
                "Score them under the task they were made for, or run with --no-resume."
            )
        evidence = evidence_of(predictions, annotations, device)
        first = f"t2v/{hit_rule(evidence.counts['t2v'])}R@1"
        return Scored(measurements=measure(evidence), evidence=evidence, primary=first)

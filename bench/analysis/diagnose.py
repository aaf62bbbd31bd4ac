"""Does a hierarchical model use its hierarchy? Three questions to one fitted model, asked through its inputs alone.

**What is asked.** The model, the test set, the view and the pool are those of one finished run of paragraph-video
retrieval; nothing is trained. Numbers are in percent, ties count in expectation, 95 % intervals resample videos.

**1. Clips and sentences** (`clips`). A sentence asks for its clip (`s2c`) and a clip for its sentence (`c2s`), by
cosine. `s2c/video/R@1`: among the clips of its own video; videos with one clip are left out, there is nothing to
choose. Chance is the mean of 1 / clips over queries. `s2c/pool/R@1`, R@5, R@50: among all clips of the test set. Clip i
belongs to sentence i, so this needs `segments=gt`, as many clips as sentences (other videos are left out and counted),
and a model that embeds clips and sentences; else the part is left out, with the reason. The queries of a video are
resampled together.

**2. Order** (`order`). Retrieval of whole videos again, with the clips of every video in another order (all that a
model sees of a segment, its times too, goes with it; the frames of the whole video stay), then with the sentences of
every paragraph in another order. Two or more always change their order; one stays. R@1 after minus before, query by
query, with interval and p-value (McNemar's exact test where nothing ties, else sign flips). A model that does not look
at order loses nothing; one that looks at whole videos only sees no clips, so only its sentences can move.

**3. One swapped sentence** (`swap`). Of every paragraph a distractor is made, in which one sentence is replaced by a
sentence of another one. How often is the true one closer to its video? Equal scores count as a half; chance is 50.

All draws are hashes of the shuffle seed and the video or paragraph: equal for every model. One that scores pairs scores
all four times; use `--limit`. Videos without features stay last in part 2, out of parts 1 and 3. The protocol is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bench.annotations import RetrievalAnnotations
from bench.catalogue.lookup import RunCell
from bench.data.distractors import with_one_sentence_swapped
from bench.errors import UnsupportedTask, VerificationError
from bench.evidence.verified import RESULT
from bench.execution import Execution
from bench.inputs import Inputs
from bench.metrics.hierarchy import preferences, rank_within, unit_rows
from bench.metrics.rank_statistics import expected_hits
from bench.metrics.statistics import SEED, Comparison, Statistic, compare, interval, of_clusters
from bench.models import ClipTextEncoder
from bench.predictions import Embeddings, PairScores, Predictions
from bench.reading.numbers import number_of
from bench.results import Result
from bench.runs.execute import chosen_device
from bench.runs.fit import Fitted, fitted_model
from bench.runs.naming import own_names
from bench.runs.plan import RunPlan
from bench.runs.progress import Reporter, Silent
from bench.tasks.asking.embedding import EmbeddedParts, embed_clips, embed_sentences
from bench.tasks.retrieval import ParagraphVideoRetrieval

SCHEMA = "bench-diagnosis/1"
REPORT = "diagnosis.json"
POOL_KS = (1, 5, 50)


@dataclass(frozen=True)
class DiagnosedNumber:
    """One number of a diagnosis, in percent.

    Attributes:
        part: `clips`, `order` or `swap`.
        name: what was measured, such as `s2c/pool/R@5`, or `t2v/R@1 change by clip order`.
        value: the number; a change is after minus before.
        ci95: its interval by resampling videos; None of too few.
        n: number of queries.
        chance: what guessing gives; None for a change.
        p_value, test: of no change, and how it was tested; None for anything else.
    """

    part: str
    name: str
    value: float
    ci95: tuple[float, float] | None
    n: int
    chance: float | None = None
    p_value: float | None = None
    test: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What was found about one run; `left_out` says of each part that is not whole what is missing, and why."""

    result: Result
    device: str
    segments: str
    shuffle_seed: int
    findings: tuple[DiagnosedNumber, ...]
    left_out: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Returns the report with all that is needed to make it again."""
        record = self.result
        return {
            "schema": SCHEMA,
            "run": record.run,
            "model": record.model.name,
            "settings": record.model.settings,
            "task": record.task.name,
            "data": record.data.label,
            "signature": record.signature,
            "status": record.status,
            "segments_seen": self.segments,
            "seed": record.seed,
            "shuffle_seed": self.shuffle_seed,
            "resampling_seed": SEED,
            "checkpoint": record.provenance.checkpoint.sha256 if record.provenance.checkpoint else None,
            "precision": record.provenance.precision,
            "device": self.device,
            "findings": [asdict(finding) for finding in self.findings],
            "left_out": dict(self.left_out),
        }


def check_task(cell: RunCell) -> None:
    """Raises UnsupportedTask unless the task is paragraph-video retrieval of whole videos."""
    if not isinstance(cell.task, ParagraphVideoRetrieval):
        raise UnsupportedTask(
            f"task {cell.task.name!r} cannot be diagnosed: it is no retrieval of whole videos by paragraphs. "
            "Use one such as anet-retrieval."
        )


def diagnose(chosen: RunPlan, shuffle_seed: int = 0, reporter: Reporter | None = None) -> Diagnosis:
    """Returns the diagnosis of a finished run.

    Raises: UnsupportedTask, ModelError, DataError; UsageError when the test set is too small for a swap;
    VerificationError when the weights are not those of the run.
    """
    check_task(chosen.cell)
    result = Result.load(chosen.folder / RESULT)
    reporter = reporter or Silent()
    request, cell = chosen.request, chosen.cell
    execution = Execution(chosen_device(request.device), request.precision, request.seed, request.batch_size)
    fitted = fitted_model(chosen.fit, chosen.folder, execution, reporter)
    made_with = result.provenance.checkpoint
    if fitted.checkpoint and made_with and fitted.checkpoint.sha256 != made_with.sha256:
        raise VerificationError(
            f"the checkpoint is not the one that {chosen.folder} was made with. Run again with --no-resume."
        )
    inputs = cell.dataset.inputs(cell.task.split, chosen.view, max_rows=cell.spec.max_rows, limit=request.limit)
    assert isinstance(chosen.annotations, RetrievalAnnotations)  # noqa: S101 (of such a task)
    asked = _AskedModel(cell, fitted, execution, chosen.annotations, reporter)
    findings, left_out = _clips(asked, inputs)
    before = asked.predict("as it is", inputs)
    findings += _order(asked, inputs, before, shuffle_seed)
    findings += _swap(asked, inputs, before, shuffle_seed)
    return Diagnosis(result, execution.device, chosen.view.segments, shuffle_seed, tuple(findings), left_out)


@dataclass(frozen=True)
class _AskedModel:
    """A model that answers, and what it takes to ask and to judge it."""

    cell: RunCell
    fitted: Fitted
    execution: Execution
    annotations: RetrievalAnnotations
    reporter: Reporter

    def predict(self, stage: str, inputs: Inputs) -> Predictions:
        def progress(done: int, total: int, values: Mapping[str, float]) -> None:
            self.reporter.step(stage, done, total, values)

        cell = self.cell
        with (
            own_names(cell.dataset, cell.task.split, inputs.view),
            self.fitted.guard.during("predict"),
            cell.task_code.during("predict", self.fitted.model),
        ):
            predictions = cell.task.predict(self.fitted.model, inputs, self.execution, progress)
            predictions.check(cell.spec.name)
        return predictions

    def hits(self, predictions: Predictions) -> dict[str, np.ndarray]:
        """Returns direction -> (n,) float64, whether each query finds its item first, in the order of opaque ids."""
        evidence = self.cell.task.score(predictions, self.annotations, self.execution.device).evidence
        return {direction: expected_hits(evidence.counts[direction], 1) for direction in evidence.n_items}

    def pairs(self, video_ids: tuple[str, ...], paragraph_ids: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Returns (n,) int64 places of videos and of their paragraphs, for all videos that have features."""
        place = {name: i for i, name in enumerate(video_ids)}
        own = [self.annotations.matching.own[name] for name in paragraph_ids]
        places = [(place[video], i) for i, video in enumerate(own) if video in place]
        videos, paragraphs = np.array(places, dtype=np.int64).reshape(-1, 2).T
        return videos, paragraphs


def _clips(asked: _AskedModel, inputs: Inputs) -> tuple[list[DiagnosedNumber], dict[str, str]]:
    """Returns the findings of part 1, or why there are none."""
    model, name = asked.fitted.model, asked.cell.spec.name
    if not isinstance(model, ClipTextEncoder):
        return [], {"clips": f"model {name!r} embeds no clips and sentences (it is no ClipTextEncoder)"}
    if not inputs.view.aligned:
        return [], {
            "clips": f"under segments={inputs.view.segments} no clip belongs to a sentence; segments=gt has them"
        }
    videos, paragraphs = asked.pairs(inputs.videos.ids, inputs.paragraph_ids)
    totals = len(inputs.videos), len(inputs.paragraphs)
    with (
        own_names(asked.cell.dataset, asked.cell.task.split, inputs.view),
        asked.fitted.guard.during("embed clips and sentences"),
    ):
        clips = embed_clips(
            model, inputs, asked.execution, lambda done: asked.reporter.step("clips", done, totals[0], {})
        ).at(videos)
        sentences = embed_sentences(
            model, inputs, asked.execution, lambda done: asked.reporter.step("sentences", done, totals[1], {})
        ).at(paragraphs)
    equal = np.flatnonzero(clips.counts == sentences.counts)
    apart = len(videos) - len(equal)
    uneven = f"{apart} of {number_of(len(videos), 'video')} have other numbers of clips than of sentences"
    if not len(equal):
        return [], {"clips": uneven}
    findings = clip_findings(clips.at(equal), sentences.at(equal), asked.execution.device)
    return findings, {} if len(equal) == len(videos) else {"clips": f"{uneven} and are not in it"}


def clip_findings(clips: EmbeddedParts, sentences: EmbeddedParts, device: str) -> list[DiagnosedNumber]:
    """Returns how well sentences find their clips and clips their sentences, in their video and in the whole pool.

    Clip i belongs to sentence i; both have the same counts.
    """
    import torch

    from bench.metrics.ranking import rank_pairs

    findings = []
    several = clips.at(np.flatnonzero(clips.counts > 1)), sentences.at(np.flatnonzero(clips.counts > 1))
    if len(several[0].counts):
        of_clips, of_sentences = several
        counts = of_clips.counts
        by_sentence, by_clip = rank_within(of_sentences.values, of_clips.values, counts)
        for direction, ranks in (("s2c", by_sentence), ("c2s", by_clip)):
            chance = 100.0 * len(counts) / float(counts.sum())
            findings.append(_recall(f"{direction}/video/R@1", expected_hits(ranks, 1), counts, chance))
    size = len(clips.values)
    ranked = rank_pairs(
        torch.from_numpy(sentences.values).to(device), torch.from_numpy(clips.values).to(device), torch.arange(size)
    )
    for direction, ranks in (("s2c", ranked.queries), ("c2s", ranked.items)):
        for k in POOL_KS:
            hits = expected_hits(ranks, k)
            findings.append(_recall(f"{direction}/pool/R@{k}", hits, clips.counts, 100.0 * min(k, size) / size))
    return findings


def _recall(name: str, hits: np.ndarray, counts: np.ndarray, chance: float) -> DiagnosedNumber:
    bounds = interval(of_clusters(Statistic(100.0 * hits, share=True), counts))
    return DiagnosedNumber("clips", name, float(100.0 * hits.mean()), bounds, len(hits), chance)


def _order(asked: _AskedModel, inputs: Inputs, before: Predictions, seed: int) -> list[DiagnosedNumber]:
    """Returns R@1 before and after each of the two shuffles, and the change."""
    assert inputs.under is not None  # noqa: S101 (a dataset's inputs can always be cut again)
    start = asked.hits(before)
    findings = [_retrieval(f"{direction}/R@1", hits) for direction, hits in start.items()]
    shuffles = {
        "clip order": replace(inputs.view, shuffle="clips", seed=seed),
        "sentence order": replace(inputs.view, shuffle="sentences", seed=seed),
    }
    for what, view in shuffles.items():
        after = asked.hits(asked.predict(f"other {what}", inputs.under(view)))
        for direction, hits in after.items():
            findings.append(_retrieval(f"{direction}/R@1 in other {what}", hits))
            findings.append(_change(f"{direction}/R@1 change by {what}", compare([hits], [start[direction]])))
    return findings


def _retrieval(name: str, hits: np.ndarray) -> DiagnosedNumber:
    percent = Statistic(100.0 * hits, share=True)
    return DiagnosedNumber("order", name, percent.value(), interval(percent), len(hits), 100.0 / len(hits))


def _change(name: str, change: Comparison) -> DiagnosedNumber:
    difference, ends = 100.0 * change.difference, change.ci95
    bounds = ends and (100.0 * ends[0], 100.0 * ends[1])
    return DiagnosedNumber("order", name, difference, bounds, change.n, p_value=change.p_value, test=change.test)


def _swap(asked: _AskedModel, inputs: Inputs, before: Predictions, seed: int) -> list[DiagnosedNumber]:
    """Returns how often the true paragraph is preferred to the one with a swapped sentence."""
    after = asked.predict("one sentence swapped", with_one_sentence_swapped(inputs, seed))
    videos, paragraphs = asked.pairs(inputs.videos.ids, inputs.paragraph_ids)
    hits = preferences(own_scores(before, videos, paragraphs), own_scores(after, videos, paragraphs))
    percent = Statistic(100.0 * hits, share=True)
    return [DiagnosedNumber("swap", "true paragraph preferred", percent.value(), interval(percent), len(hits), 50.0)]


def own_scores(predictions: Predictions, videos: np.ndarray, paragraphs: np.ndarray) -> np.ndarray:
    """Returns (n,) floats: the score of each pair of places, a cosine in float64 or what the model said."""
    if isinstance(predictions, PairScores):
        return np.asarray(predictions.scores[paragraphs, videos])
    assert isinstance(predictions, Embeddings)  # noqa: S101 (retrieval of whole videos gives nothing else)
    return np.asarray((unit_rows(predictions.videos[videos]) * unit_rows(predictions.paragraphs[paragraphs])).sum(1))

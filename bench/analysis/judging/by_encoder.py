"""Captions of a run set beside its videos in the space of a dual encoder: CLIPScore and RefCLIPScore, in no record.

Every sentence counts once, beside the frames of the segment it was asked for, and beside the references that it answers
in every annotation. Frames are the rows of features that the encoder made, each brought to length 1; their mean is what
is seen. A sentence without a word counts 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from bench.analysis.examples.scored import ScoredRun
from bench.analysis.judging.seen_features import SeenFeatures
from bench.errors import InvalidData, UnsupportedTask, UsageError
from bench.execution import Execution
from bench.metrics.captions.clipscore import WEIGHT, clip_scores, ref_clip_scores
from bench.metrics.captions.pairing import Item, sentence_items
from bench.metrics.statistics import Statistic, ci95, of_clusters
from bench.models import TextEncoder
from bench.models.frozen import Directions, MeanOfFrames
from bench.plugins.code import Guard
from bench.reading.numbers import number_of
from bench.results import signature

SCHEMA = "bench-clipscore/1"
SCORES = ("CLIPScore", "RefCLIPScore")


@dataclass(frozen=True)
class MeanScore:
    """A score of all captions.

    Attributes:
        name: what it is called.
        value: mean over captions.
        ci95: 95 % interval by resampling videos; None for a single video.
        values: (n,) of each caption.
    """

    name: str
    value: float
    ci95: tuple[float, float] | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class ClipScored:
    """CLIPScore and RefCLIPScore of a run's captions.

    Attributes:
        run: which run.
        signature: how the figures were made: run, encoder, features, pooling, words before captions.
        items: the captions, by what files call their videos.
        scores: of all captions, and of each.
        empty: captions without a word.
        remarks: what else a reader has to know, one line each.
    """

    run: str
    signature: str
    items: tuple[Item, ...]
    scores: tuple[MeanScore, ...]
    empty: int
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns all of it."""
        n = len(self.items)
        each = zip(self.items, *(score.values for score in self.scores), strict=True)
        return {
            "schema": SCHEMA,
            "run": self.run,
            "signature": self.signature,
            "measurements": [{"name": s.name, "value": s.value, "ci95": s.ci95, "n": n} for s in self.scores],
            "empty": self.empty,
            "remarks": self.remarks,
            "captions": [
                {
                    "video": item.video,
                    "segment": item.segment,
                    "caption": item.caption,
                    **dict(zip((score.name for score in self.scores), values, strict=True)),
                }
                for item, *values in each
            ],
        }


def clip_scored(run: ScoredRun, seen: SeenFeatures, template: str, execution: Execution, guard: Guard) -> ClipScored:
    """Returns CLIPScore and RefCLIPScore of a run's captions.

    Args:
        template: what is read for a caption, and for a reference, with `{}` where it stands.
        guard: runs the encoder.

    Raises: UsageError for a template without a place; UnsupportedTask for an encoder that reads no text with its
    settings; InvalidData where no caption has a word; MissingData where a video has captions and no features.
    """
    if template.count("{}") != 1:
        raise UsageError(f"--template {template!r}: write {{}} once, where the caption stands.")
    videos = [sentence_items(run.said[video]) for video in sorted(run.said)]
    items = list(chain.from_iterable(videos))
    worded = np.array(list(map(_has_words, items)))
    if not worded.any():
        raise InvalidData(f"{run.result.run}: not one of {len(items):,} captions has a word, so each counts 0.")
    encoder = seen.encoder.open(execution)
    if not isinstance(encoder, TextEncoder):
        raise UnsupportedTask(f"{seen.encoder.spec.name} reads no text with these settings. `bench list encoders`.")
    model = MeanOfFrames(Directions(encoder, execution.device, whole=False))
    told = [said for said in videos if any(map(_has_words, said))]
    said = [item for item in items if _has_words(item)]
    texts = list(dict.fromkeys(text for item in said for text in (item.caption, *item.references)))
    read = [template.replace("{}", text) for text in texts]
    with guard.during("embed captions and what they are about"):
        pictures = seen.pictures(run, told, model, execution.device)
        vectors = dict(zip(texts, _embedded(model, read, execution.batch_size), strict=True))
        cut = encoder.truncated(read)
    seen.encoder.weights.check_unchanged()
    pictures = pictures[[_has_words(item) for item in chain.from_iterable(told)]]
    captions = np.stack([vectors[item.caption] for item in said])
    references = np.stack([vectors[text] for item in said for text in item.references])
    values = np.zeros((len(SCORES), len(items)))
    values[0, worded] = clip_scores(pictures, captions)
    counts = np.array([len(item.references) for item in said])
    values[1, worded] = ref_clip_scores(values[0, worded], captions, references, counts)
    sizes, count = np.array(list(map(len, videos))), number_of(len(texts), "text")
    remark = f"{seen.encoder.spec.name} reads the first {encoder.max_tokens} tokens: {cut:,} of {count} were cut off"
    return ClipScored(
        run=run.result.run,
        signature=_signature(run, seen, template),
        items=tuple(Item(run.names[i.video], i.segment, i.caption, i.references) for i in items),
        scores=tuple(_mean(name, row, sizes) for name, row in zip(SCORES, values, strict=True)),
        empty=int((~worded).sum()),
        remarks=(remark,) if cut else (),
    )


def _has_words(item: Item) -> bool:
    return bool(item.caption.strip())


def _mean(name: str, values: np.ndarray, sizes: np.ndarray) -> MeanScore:
    """Returns the mean of values (n,) of captions, the `sizes` (videos,) captions of a video beside one another."""
    by_video = of_clusters(Statistic(values), sizes)
    return MeanScore(name, by_video.value(), ci95(by_video), tuple(values.tolist()))


def _embedded(model: MeanOfFrames, texts: Sequence[str], step: int) -> np.ndarray:
    """Returns (n, d), a vector of each text, `step` of them at a time."""
    parts = [[(text,) for text in texts[start : start + step]] for start in range(0, len(texts), step)]
    return np.concatenate([model.embed_sentences(part).values.cpu().numpy() for part in parts])


def _signature(run: ScoredRun, seen: SeenFeatures, template: str) -> str:
    parts = {
        "run": run.result.run,
        "captions": run.result.predictions.sha256[:8] if run.result.predictions else "none",
        "segments": run.task.view.segments,
        **seen.parts,
        "pooling": "mean-of-directions",
        "template": template,
        "w": f"{WEIGHT:g}",
        "references": run.task.references,
        "empty": "zero",
    }
    return signature("clipscore", 1, {key: re.sub(r"[|=\s]", "_", value) for key, value in parts.items()})

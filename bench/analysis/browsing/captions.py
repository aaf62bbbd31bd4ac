"""The captions of one or more runs beside their references, video by video, the worst of the first run first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

from bench.analysis.browsing.marking import Pieces, matched, pieces, taken
from bench.analysis.browsing.scenes import Scene, scenes_of
from bench.analysis.browsing.sections import Browsed, BrowsedSection, ListedLine, in_pages
from bench.analysis.examples.pages import LONGEST
from bench.analysis.examples.scored import ScoredRun
from bench.errors import UsageError
from bench.evidence.verified import Stored, verified
from bench.metrics.captions.items import Sentence, VideoCaptions

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.metrics.captions.pairing import Item

SHOWN = ("CIDEr", "METEOR", "ROUGE-L", "BLEU@1")
"""Scores that stand beside a caption, where its record has them; the first is what lists are ordered by."""
Segment = tuple[float, float] | None


@dataclass(frozen=True)
class MarkedSentence:
    """A sentence with its matched words marked, and the segment it describes, seconds; None for the whole video."""

    segment: Segment
    pieces: Pieces


@dataclass(frozen=True)
class ScoredCaption:
    """What one run wrote.

    Attributes:
        sentences: one, or all of a paragraph in order of time.
        scores: measurement -> of this caption alone, percent.
        words, matched: how many tokens it has, and how many of them are in the references.
    """

    sentences: tuple[MarkedSentence, ...]
    scores: Mapping[str, float]
    words: int
    matched: int

    @property
    def text(self) -> str:
        return " ".join("".join(piece for piece, _ in sentence.pieces) for sentence in self.sentences)


@dataclass(frozen=True)
class BrowsedCaption:
    """What every run wrote of one segment, or of a whole video, and what people wrote.

    Attributes:
        segment: start and end in seconds; None for the whole video.
        answers: in the order of the runs.
        references: the sentences of each; a word that some run says is marked.
    """

    segment: Segment
    answers: tuple[ScoredCaption, ...]
    references: tuple[tuple[MarkedSentence, ...], ...]

    def score(self, run: int) -> float:
        """Returns what lists are ordered by."""
        return self.answers[run].scores[SHOWN[0]]


@dataclass(frozen=True)
class CaptionedVideo:
    """One video with its captions in order of time.

    Attributes:
        scene: what is known of it.
        captions: at least one.
        first: how many captions stand before it.
    """

    scene: Scene
    captions: tuple[BrowsedCaption, ...]
    first: int = 0

    def mean(self, run: int) -> float:
        """Returns the mean score of its captions."""
        return sum(caption.score(run) for caption in self.captions) / len(self.captions)

    @property
    def length(self) -> float:
        """Where its time line ends, seconds: the end of the video, or of the last segment that anybody names."""
        sentences = [
            sentence
            for caption in self.captions
            for told in (*caption.references, *(answer.sentences for answer in caption.answers))
            for sentence in told
        ]
        return max([self.scene.length, *(sentence.segment[1] for sentence in sentences if sentence.segment)])


@dataclass(frozen=True)
class BrowsedCaptions(BrowsedSection):
    """All captions.

    Attributes:
        protocol: how they were scored one by one.
        videos: the worst of the first run first.
    """

    noun: ClassVar[str] = "caption"
    value: ClassVar[str] = SHOWN[0]
    higher: ClassVar[bool] = True
    text: ClassVar[str] = "caption"
    counts: ClassVar[str] = "Captions"
    template: ClassVar[str] = "browse_captions.html.j2"

    protocol: str
    videos: tuple[CaptionedVideo, ...]

    def lines(self) -> list[ListedLine]:
        return [
            _line(video.scene, caption, page)
            for page, part in enumerate(self.parts(), 1)
            for video in part
            for caption in video.captions
        ]

    def parts(self) -> list[tuple[Any, ...]]:
        return in_pages(self.videos)

    def span(self, part: Sequence[Any]) -> str:
        return f"videos of mean {self.value} {part[0].mean(0):,.1f} to {part[-1].mean(0):,.1f}"

    def told(self) -> str:
        return f"scored one by one, protocol {self.protocol}"

    def shown_videos(self) -> list[str]:
        return [video.scene.video for video in self.videos]


def captions_of(runs: Sequence[tuple[Stored, ScoredRun]], dataset: Dataset) -> Browsed:
    """Returns all captions of runs of captioning on one test set. Raises: UsageError when they answer other items."""
    first = runs[0][1]
    keys = [[(item.video, item.segment, item.references) for item in run.scores.items] for _, run in runs]
    for (record, _), asked in zip(runs, keys, strict=True):
        if asked != keys[0]:
            raise UsageError(
                f"{record.folder}: its captions are scored against other segments or references than those of "
                f"{runs[0][0].folder}. Browse runs of one protocol, or each of them alone."
            )
    cut = _tokens(run for _, run in runs)
    scores = [_scores(record, run) for record, run in runs]
    scenes = {scene.video: scene for scene in scenes_of(dataset, first.task.split)}
    videos: dict[str, list[BrowsedCaption]] = {}
    for place, item in enumerate(first.scores.items):
        answers = [(_written(run, run.scores.items[place]), scores[i][place]) for i, (_, run) in enumerate(runs)]
        videos.setdefault(item.video, []).append(_browsed(item.segment, answers, _told(first, item), cut))
    ordered = sorted(
        (CaptionedVideo(scenes[first.names[video]], tuple(captions)) for video, captions in videos.items()),
        key=lambda video: video.mean(0),
    )
    numbered, before = [], 0
    for video in ordered:
        numbered.append(CaptionedVideo(video.scene, video.captions, before))
        before += len(video.captions)
    section = BrowsedCaptions("captions", "Captions", first.task.protocol, tuple(numbered))
    return Browsed(tuple(run.result for _, run in runs), (section,))


def _line(scene: Scene, caption: BrowsedCaption, page: int) -> ListedLine:
    when = "" if caption.segment is None else " {:.1f}–{:.1f} s".format(*caption.segment)
    first = caption.references[0]
    return ListedLine(
        name=scene.video + when,
        texts=tuple(answer.text for answer in caption.answers),
        values=tuple(round(answer.scores[SHOWN[0]], 2) for answer in caption.answers),
        page=page,
        beside=" ".join("".join(piece for piece, _ in sentence.pieces) for sentence in first),
        classes=scene.classes,
    )


def _written(run: ScoredRun, item: Item) -> tuple[Sentence, ...]:
    """Returns what a run wrote: the caption of an item, or the sentences that were joined to it."""
    if run.task.protocol != "paragraph":
        return (Sentence(item.caption, item.segment),)
    return _in_time(run.said[item.video].predicted or ())


def _told(run: ScoredRun, item: Item) -> list[tuple[Sentence, ...]]:
    """Returns what people wrote: the references of an item, or the sentences of each that was joined."""
    if run.task.protocol != "paragraph":
        return [(Sentence(text, item.segment),) for text in item.references]
    video: VideoCaptions = run.said[item.video]
    return [_in_time(annotation) for annotation in video.references if annotation]


def _in_time(sentences: Sequence[Sentence]) -> tuple[Sentence, ...]:
    return tuple(sorted(sentences, key=lambda sentence: sentence.segment or (0.0, 0.0)))


def _tokens(runs: Any) -> dict[str, list[str]]:
    """Returns the tokens of every sentence that is shown, cut as it was for scoring."""
    from bench.metrics.captions.tokenising import tokenised

    cut: dict[str, list[str]] = {}
    for run in runs:
        told = [s for item in run.scores.items for said in (_written(run, item), *_told(run, item)) for s in said]
        new = [text for text in dict.fromkeys(sentence.text for sentence in told) if text not in cut]
        words = tokenised(new, run.task.scoring.tokeniser)
        cut |= {text: tokens.split() for text, tokens in zip(new, words, strict=True)}
    return cut


def _scores(record: Stored, run: ScoredRun) -> list[dict[str, float]]:
    """Returns the scores of each item: those of the record's evidence where it is of single items."""
    from bench.metrics.captions.evidence import item_values, names_of, protocol_of

    evidence = verified(record).evidence
    if protocol_of(evidence) != run.task.protocol:
        evidence = run.scores.evidence
    values = {name: item_values(evidence, name).tolist() for name in SHOWN if name in names_of(evidence)}
    return [{name: values[name][place] for name in values} for place in range(len(run.scores.items))]


def _browsed(
    segment: Segment,
    answers: Sequence[tuple[tuple[Sentence, ...], dict[str, float]]],
    references: Sequence[tuple[Sentence, ...]],
    cut: Mapping[str, list[str]],
) -> BrowsedCaption:
    """Returns captions and references with their matched words marked.

    Args:
        answers: of each run, what it wrote and its scores.
        cut: text -> tokens.
    """
    of_references = [_words(told, cut) for told in references]
    captions, said = [], []
    for written, scores in answers:
        words = _words(written, cut)
        marks = matched(words, of_references)
        said.append(Counter(words))
        captions.append(ScoredCaption(_marked(written, marks, cut), scores, len(words), sum(marks)))
    most: Counter[str] = reduce(lambda one, other: one | other, said)
    told = tuple(
        _marked(sentences, taken(words, most), cut) for sentences, words in zip(references, of_references, strict=True)
    )
    return BrowsedCaption(segment, tuple(captions), told)


def _words(sentences: Sequence[Sentence], cut: Mapping[str, list[str]]) -> list[str]:
    return [word for sentence in sentences for word in cut[sentence.text]]


def _marked(
    sentences: Sequence[Sentence], marks: Sequence[bool], cut: Mapping[str, list[str]]
) -> tuple[MarkedSentence, ...]:
    marked, end = [], 0
    for sentence in sentences:
        words = cut[sentence.text]
        marked.append(
            MarkedSentence(sentence.segment, pieces(sentence.text, words, marks[end : end + len(words)], LONGEST))
        )
        end += len(words)
    return tuple(marked)

"""Captions graded by a model that reads words: a metric of its own kind, which never ranks and stands in no record.

The judge sees the references and the caption, not the video. A grade is a whole number from 0 to 100; any other answer
is no grade, is counted, and is left out. Its figures lie in a file beside the record.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from bench.analysis.examples.scored import ScoredRun
from bench.analysis.judging.labels import LabelledCaption
from bench.endpoints import Answer, Asker, Prompt, Question, read_prompt
from bench.errors import InvalidData, UsageError
from bench.files import digest
from bench.metrics.agreement import RankAgreement, agreement
from bench.metrics.captions.pairing import Item
from bench.metrics.statistics import Statistic, interval, of_clusters
from bench.reading.numbers import number_of
from bench.results import signature

SCHEMA = "bench-caption-judge/1"
OURS = Path(__file__).with_name("caption.txt")
PLACES = ("caption", "references")
_GRADE = re.compile(r"\D{0,20}?(\d{1,3})(?:\s*/\s*100|\.)?\s*")


@dataclass(frozen=True)
class JudgedCaptions:
    """What a judge made of a run's captions.

    Attributes:
        run: which run.
        signature: how the figure was made: run, protocol, judge, its build, prompt, sampling, and the answers.
        value: mean grade, percent.
        ci95: 95 % interval by resampling videos; None of too few.
        items: the captions that were asked about, by what files call their videos.
        grades: of each, or None.
        unread: answers without a grade, by how they ended.
        labelled: agreement with people; None where no labels were given.
    """

    run: str
    signature: str
    value: float
    ci95: tuple[float, float] | None
    items: tuple[Item, ...]
    grades: tuple[int | None, ...]
    unread: Counter[str]
    labelled: RankAgreement | None

    @property
    def n(self) -> int:
        """How many captions were graded."""
        return sum(grade is not None for grade in self.grades)

    def as_json(self, asker: Asker, cost: float) -> dict[str, Any]:
        """Returns all of it, with what was spent."""
        tally = asker.tally
        return {
            "schema": SCHEMA,
            "run": self.run,
            "signature": self.signature,
            "measurement": {"name": "judge", "value": self.value, "unit": "percent", "ci95": self.ci95, "n": self.n},
            "unread": dict(self.unread),
            "agreement": asdict(self.labelled) if self.labelled else None,
            "spent": {
                "answers": tally.hows.total(),
                "tokens_in": tally.tokens_in,
                "tokens_out": tally.tokens_out,
                "seconds": round(tally.seconds, 3),
                "cost": cost,
            },
            "grades": [
                {"video": item.video, "segment": item.segment, "grade": grade}
                for item, grade in zip(self.items, self.grades, strict=True)
            ],
        }


def judge_prompt(path: Path | None) -> Prompt:
    """Returns the prompt in a file, or ours. Raises: MissingData, InvalidData."""
    return read_prompt(path or OURS, *PLACES)


def judged_captions(
    run: ScoredRun, asker: Asker, prompt: Prompt, labels: Sequence[LabelledCaption], count: int | None
) -> JudgedCaptions:
    """Returns the grades of a run's captions.

    Args:
        labels: captions that people labelled, which are graded as well; none for no agreement.
        count: how many videos, drawn by their opaque ids, which are digests; None for all.

    Raises: UsageError, ToolError where the judge does not answer; InvalidData where it gives no grade at all.
    """
    chosen = _drawn(run, count)
    asked = [*(_question(prompt, item.caption, item.references) for item in chosen),
             *(_question(prompt, one.caption, one.references) for one in labels)]  # fmt: skip
    answers = asker.answers(asked, lambda questions: (() for _ in questions))
    grades = [grade_in(answer) for answer in answers]
    mine, theirs = grades[: len(chosen)], grades[len(chosen) :]
    unread = Counter[str](a.how for a, grade in zip(answers, mine, strict=False) if grade is None)
    if len(chosen) == unread.total():
        said = answers[0].sentence[:60]
        raise InvalidData(
            f"the judge gave no grade: {number_of(len(chosen), 'answer is', 'answers are')} no whole number from 0 "
            f"to 100, such as {said!r}. Try another --prompt, or more --max-tokens for a model that thinks aloud."
        )
    value, ci95 = _mean(chosen, mine)
    both = [(grade, one) for grade, one in zip(theirs, labels, strict=True) if grade is not None]
    told = agreement([g for g, _ in both], [one.label for _, one in both], [one.video for _, one in both])
    of = None if len(chosen) == len(run.scores.items) else count
    return JudgedCaptions(
        run=run.result.run,
        signature=_signature(run, asker, prompt, asked, answers, of),
        value=value,
        ci95=ci95,
        items=tuple(Item(run.names[i.video], i.segment, i.caption, i.references) for i in chosen),
        grades=tuple(mine),
        unread=unread,
        labelled=told if labels else None,
    )


def _drawn(run: ScoredRun, count: int | None) -> tuple[Item, ...]:
    items = run.scores.items
    if count is None:
        return items
    if count < 1:
        raise UsageError(f"--count {count}: judge the captions of at least 1 video.")
    videos = set(sorted({item.video for item in items})[:count])
    return tuple(item for item in items if item.video in videos)


def _question(prompt: Prompt, caption: str, references: Sequence[str]) -> Question:
    one_line = [" ".join(text.split()) for text in (caption, *references)]
    return Question(prompt, prompt.filled(caption=one_line[0], references="\n".join(one_line[1:])))


def grade_in(answer: Answer) -> int | None:
    """Returns the grade in an answer, 0 to 100; None for a refusal, and for one that holds anything else."""
    said = _GRADE.fullmatch(answer.sentence)
    grade = int(said[1]) if said and "-" not in answer.sentence and answer.how == "said" else None
    return grade if grade is not None and grade <= 100 else None


def _mean(items: Sequence[Item], grades: Sequence[int | None]) -> tuple[float, tuple[float, float] | None]:
    graded = [(item.video, float(grade)) for item, grade in zip(items, grades, strict=True) if grade is not None]
    sizes = np.array([len(list(group)) for _, group in groupby(graded, key=lambda pair: pair[0])])
    values = of_clusters(Statistic(np.array([grade for _, grade in graded]), share=True), sizes)
    return values.value(), interval(values)


def _signature(
    run: ScoredRun,
    asker: Asker,
    prompt: Prompt,
    asked: Sequence[Question],
    answers: Sequence[Answer],
    count: int | None,
) -> str:
    """Returns how the figure was made. The answers are part of it: a server may answer one question in two ways."""
    served, sampling = asker.served, asker.sampling
    kept = [[question.key(served, sampling), answer.text] for question, answer in zip(asked, answers, strict=True)]
    parts = {
        "run": run.result.run,
        "captions": run.result.predictions.sha256[:8] if run.result.predictions else "none",
        "protocol": run.task.protocol,
        "videos": "all" if count is None else str(count),
        "judge": "+".join(f"{served.model} {served.fingerprint}".split()),
        "prompt": prompt.words,
        "sampling": f"temperature:{sampling.temperature:g},tokens:{sampling.max_tokens},seed:{sampling.seed}",
        "answers": digest(kept)[:8],
    }
    return signature("caption-judge", 1, {key: re.sub(r"[|=\s]", "_", value) for key, value in parts.items()})

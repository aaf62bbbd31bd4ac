"""Questions asked several at a time: each answer is kept as soon as it comes, and nothing is asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from bench.endpoints.kept import KeptAnswers
from bench.endpoints.questions import Answer, Question, Sampling, Served
from bench.reading.numbers import number_of

Show = Callable[[Sequence[Question]], Iterator[Sequence[bytes]]]
"""From questions to what is shown beside each, in their order: JPEG pictures, or one video. Called for new ones."""


class Answerer(Protocol):
    """What answers questions: an endpoint, or a model in this process."""

    def hello(self, alternatives: int) -> Served:
        """Returns what answers. Raises: UsageError, ToolError where nothing will."""

    def ask(self, question: Question, shown: Sequence[bytes], sampling: Sampling) -> Answer:
        """Returns an answer; called by several threads. Raises: UsageError, ToolError."""

    def stop(self) -> None:
        """Waits are over: whoever waits to ask again gives up."""


@dataclass
class Tally:
    """What the answers of a run come to, whenever they were given; equal for a run that was killed and went on.

    Attributes:
        hows: answers by how they ended.
        models: answers by what gave them.
        tokens_in, tokens_out, seconds: of all answers.
        found: answers that were there before.
    """

    hows: Counter[str] = field(default_factory=Counter)
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    found: int = 0

    def add(self, answer: Answer) -> None:
        """Counts an answer."""
        self.hows[answer.how] += 1
        self.models[answer.served.model, answer.served.fingerprint] += 1
        self.tokens_in += answer.tokens_in
        self.tokens_out += answer.tokens_out
        self.seconds += answer.seconds

    def cost(self, per_million_in: float, per_million_out: float) -> float:
        """Returns what the tokens cost, in the money that the prices are in."""
        return (self.tokens_in * per_million_in + self.tokens_out * per_million_out) / 1e6

    def words(self) -> list[str]:
        """Returns a line on what was answered, and one where several builds of a model answered."""
        total = self.hows.total()
        lines = [
            f"{number_of(total, 'answer')}, {self.hows['refused']:,} refused, {self.hows['cut off']:,} cut off; "
            f"{self.tokens_in:,} tokens in, {self.tokens_out:,} out"
        ]
        builds = [f"{' '.join(filter(None, build))} {count:,}" for build, count in sorted(self.models.items())]
        lines.append(f"answered by {', '.join(builds) or 'nobody'}")
        return lines


class Asker:
    """Asks what was not answered before."""

    def __init__(self, answerer: Answerer, sampling: Sampling, kept: KeptAnswers, at_once: int = 8) -> None:
        """Asks nothing yet."""
        self.sampling, self.tally = sampling, Tally()
        self._answerer, self._kept, self._at_once = answerer, kept, at_once
        self._served: Served | None = None
        self._counted: set[str] = set()
        self._is_watched = False

    @property
    def served(self) -> Served:
        """What answers; asked once. Raises: UsageError, ToolError."""
        if self._served is None:
            self._served = self._answerer.hello(self.sampling.alternatives)
        return self._served

    def answers(self, questions: Sequence[Question], show: Show) -> list[Answer]:
        """Returns the answer to each question. Equal questions are asked once.

        Raises: UsageError, ToolError, SaveError after all that is under way was answered and kept.
        """
        keys = [question.key(self.served, self.sampling) for question in questions]
        answers = {key: answer for key in dict.fromkeys(keys) if (answer := self._kept.find(key)) is not None}
        found = set(answers)
        new = {key: question for key, question in zip(keys, questions, strict=True) if key not in answers}
        answers |= self._asked(new, show)
        for key in dict.fromkeys(keys):
            if key not in self._counted:
                self._counted.add(key)
                self.tally.add(answers[key])
                self.tally.found += key in found
        return [answers[key] for key in keys]

    def _asked(self, new: dict[str, Question], show: Show) -> dict[str, Answer]:
        """Returns the answers to new questions; at most twice as many as are asked at once are held in memory.

        The first whole video is asked alone: not every server can read them.
        """
        answers: dict[str, Answer] = {}
        if not new:
            return answers
        pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="asking")
        under_way: dict[Future[Answer], str] = {}
        try:
            for (key, question), shown in zip(new.items(), show(list(new.values())), strict=True):
                under_way[pool.submit(self._one, question, shown)] = key
                if len(under_way) >= 2 * self._at_once or (question.is_video and not self._is_watched):
                    self._take(under_way, answers)
            while under_way:
                self._take(under_way, answers)
        except BaseException:  # a failure of one, or Ctrl-C: what is under way is paid for
            self._answerer.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return answers

    def _take(self, under_way: dict[Future[Answer], str], answers: dict[str, Answer]) -> None:
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            answers[under_way.pop(future)] = future.result()

    def _one(self, question: Question, shown: Sequence[bytes]) -> Answer:
        answer = self._answerer.ask(question, shown, self.sampling)
        self._is_watched |= question.is_video
        self._kept.keep(question, self.sampling, answer)
        return answer

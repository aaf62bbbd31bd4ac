"""`video-llm`: captions, yes or no, and classes, by asking a model in words about the frames of our sampler."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.api import (
    Answerer,
    Asker,
    Embeddings,
    Execution,
    InvalidData,
    PairScores,
    Paragraph,
    Pictures,
    Sampling,
    UsageError,
    VideoBatch,
    asker_of,
    endpoint_of,
)
from bench_video_llms.asked import About, Looking, prompt_of
from bench_video_llms.choosing import LETTERS, Bias, scores_of
from bench_video_llms.verdicts import is_unclear, log_odds, shares

ALTERNATIVES = 20
"""First tokens whose probabilities are asked for: as many as endpoints give."""
PRICES = ("price_in", "price_out")
SHORT = 4
"""Tokens of an answer that is one word."""

WHOLE = (
    "video-llm: send=video leaves decoding to the server, and frames of our sampler are not used. `transformers serve` "
    "needs torchcodec (0.3 or later), FFmpeg's shared libraries, a model that reads videos, and a sound track in every "
    "file, also for models without ears; vLLM, SGLang and llama.cpp were not tried. docs/video-llms.md tells more."
)


@dataclass(frozen=True)
class Seen:
    """The videos of a tile."""

    ids: tuple[str, ...]
    pictures: Pictures | None


class VideoLLM:
    """A model that reads frames and words."""

    def __init__(self, settings: Mapping[str, Any], execution: Execution) -> None:
        """Asks nothing yet. Raises: UsageError, CatalogueError, InvalidData."""
        self._settings, self._execution = settings, execution
        if bool(settings["model"]) == bool(settings["repository"]):
            raise UsageError(
                "video-llm asks an endpoint (--set model=ID) or weights in this process (--set repository=./FOLDER): "
                "name one of them."
            )
        if settings["repository"] and settings["send"] == "video":
            raise UsageError("send=video is for endpoints; weights in this process are shown frames. Leave it out.")
        if settings["send"] == "video":
            sys.stderr.write(f"{WHOLE}\n")
        self._prompts = {kind: prompt_of(kind, settings) for kind in ("caption", "pair", "choice")}
        self._answerer = self._opened()
        self._looking: dict[str, Looking] = {}
        self._bias: Bias | None = None
        self._unclear = 0
        self.best = int(settings["best"]) if settings["list"] else 0

    def _opened(self) -> Answerer:
        settings = self._settings
        if settings["repository"]:
            from bench_video_llms.in_process import InProcess

            return InProcess(settings["repository"], self._execution)
        return endpoint_of(settings["endpoint"], settings["model"], settings["timeout"], settings["at_once"])

    def _asking(self, kind: str, max_tokens: int, alternatives: int) -> Looking:
        """Returns what asks the prompt of a kind."""
        if kind not in self._looking:
            settings = self._settings
            sampling = Sampling(settings["temperature"], max_tokens, self._execution.seed, alternatives)
            at_once = 1 if settings["repository"] else settings["at_once"]
            asker = asker_of(self._answerer, sampling, self._execution.kept, at_once)
            self._looking[kind] = Looking(asker, self._prompts[kind], settings)
        return self._looking[kind]

    @property
    def _askers(self) -> list[Asker]:
        """What asked, each with its tally: one for each kind of question, and a run asks one kind."""
        return [looking.asker for looking in self._looking.values()]

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns a sentence for each segment; "" where the model refused."""
        looking = self._asking("caption", self._settings["max_tokens"], 0)
        clips = videos.pictures.clips if videos.pictures else ()
        answers = iter(looking.answers(videos.pictures, [About(clip, {}) for clip in clips]))
        return [
            tuple(answer.sentence for answer in islice(answers, count)) for count in videos.segments.lengths.tolist()
        ]

    def encode_videos(self, videos: VideoBatch) -> Seen:
        """Returns the videos as they are."""
        return Seen(videos.ids, videos.pictures)

    def encode_paragraphs(self, paragraphs: Sequence[Paragraph]) -> list[str]:
        """Returns each paragraph as one text."""
        return [" ".join(paragraph) for paragraph in paragraphs]

    def score(self, videos: Seen, paragraphs: list[str]) -> Tensor:
        """Returns (paragraphs, videos): how much likelier yes is than no, as the logarithm of the odds."""
        return self.score_listed(videos, paragraphs, np.ones((len(paragraphs), len(videos.ids)), dtype=bool))

    def score_listed(self, videos: Seen, paragraphs: list[str], asked: np.ndarray) -> Tensor:
        """Returns (paragraphs, videos), of the pairs that are `asked`; 0 for the others."""
        looking = self._asking("pair", SHORT, ALTERNATIVES)
        whole = videos.pictures.whole if videos.pictures else ()
        scores = torch.zeros(asked.shape)
        pairs = np.argwhere(asked.T).tolist()  # by video, so that each is decoded once
        answers = looking.answers(videos.pictures, [About(whole[v], {"text": paragraphs[p]}) for v, p in pairs])
        for (video, paragraph), answer in zip(pairs, answers, strict=True):
            scores[paragraph, video] = log_odds(answer)
            self._unclear += is_unclear(answer, ("yes", "no"))
        return scores

    def listed(self, paragraph_ids: Sequence[str], video_ids: Sequence[str]) -> np.ndarray:
        """Returns (n, m): the scores of the list. Raises: InvalidData for one of another test set."""
        given = _list_in(self._settings["list"])
        rows = {name: place for place, name in enumerate(given.paragraph_ids)}
        columns = {name: place for place, name in enumerate(given.video_ids)}
        lacking = [name for name in (*paragraph_ids, *video_ids) if name not in rows and name not in columns]
        if lacking:
            raise InvalidData(
                f"the list lacks {len(lacking):,} of the {len(paragraph_ids):,} texts and {len(video_ids):,} videos: "
                "it is of another test set. Name the predictions.safetensors of a run on this one."
            )
        if isinstance(given, PairScores):
            scores = given.scores
        else:
            sides = (given.paragraphs, given.videos)
            texts, videos = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in sides)
            scores = texts @ videos.T
        chosen = np.ix_([rows[name] for name in paragraph_ids], [columns[name] for name in video_ids])
        return np.ascontiguousarray(scores[chosen], dtype=np.float32)

    def choose(self, videos: VideoBatch, options: Sequence[str]) -> Tensor:
        """Returns (B, options): rounds won, and the share of the last, over shuffled orders."""
        looking = self._asking("choice", SHORT, ALTERNATIVES)
        bias = self._bias = self._bias or Bias()
        whole = videos.pictures.whole if videos.pictures else ()

        def ask(asked: Sequence[tuple[int, Sequence[int]]]) -> list[list[float]]:
            abouts = [About(whole[video], {"options": _lettered(options, chunk)}) for video, chunk in asked]
            told = []
            for (_, chunk), answer in zip(asked, looking.answers(videos.pictures, abouts), strict=True):
                letters = LETTERS[: len(chunk)]
                self._unclear += is_unclear(answer, letters)
                told.append(shares(answer, letters))
            return told

        seed = self._execution.seed
        seeds = [[f"{seed} {shown.digest} {order}" for order in range(self._settings["orders"])] for shown in whole]
        return torch.from_numpy(scores_of(len(options), seeds, self._settings["options"], ask, bias))

    def spent(self) -> dict[str, float]:
        """Returns the tokens of all answers of the run, found ones too, and what they cost where prices are set."""
        if not self._looking:
            return {}
        tallies, prices = [asker.tally for asker in self._askers], [self._settings[name] for name in PRICES]
        cost = {"cost": sum(tally.cost(*prices) for tally in tallies)} if any(prices) else {}
        tokens_in, tokens_out = (sum(getattr(tally, side) for tally in tallies) for side in ("tokens_in", "tokens_out"))
        return {"tokens_in": tokens_in, "tokens_out": tokens_out, **cost}

    def remarks(self) -> tuple[str, ...]:
        """Returns what was answered, what it cost, and what to know of the score."""
        return tuple(self._said())

    def _said(self) -> Iterator[str]:
        if not self._looking:
            return
        if self._settings["send"] == "video":
            yield "videos were sent whole (`video_url`), and the server took the frames: no sampler of ours"
        for asker in self._askers:
            yield from asker.tally.words()
        if (cost := self.spent().get("cost")) is not None:
            yield f"cost {cost:.4f}, cached answers too"
        if any(asker.sampling.alternatives and not asker.served.has_alternatives for asker in self._askers):
            yield "no probabilities were given: the word alone counts, so many scores are equal, and ties are shared"
        if self._unclear:
            yield f"{self._unclear:,} answers were none of the words asked for"
        if self.best:
            yield (
                f"ranks the best {self.best} of each text's list again: t2v/R@{self.best} is the list's own, and no "
                "recall of t2v below it can be higher; what v2t says is of these pairs"
            )
        if self._bias is not None:
            yield self._bias.words()


def _lettered(options: Sequence[str], chunk: Sequence[int]) -> str:
    return "\n".join(f"{letter}. {options[place]}" for letter, place in zip(LETTERS, chunk, strict=False))


def _list_in(path: str) -> PairScores | Embeddings:
    """Returns predictions of a retrieval run. Raises: MissingData, InvalidData for any other file."""
    try:
        return PairScores.load(path)
    except InvalidData:
        return Embeddings.load(path)

"""A question to a model that reads text and pictures, its answer, and the key that all of it has that changes one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bench.endpoints.prompts import Prompt
from bench.files import digest

How = Literal["said", "cut off", "refused"]
"""How an answer ended: by itself, at the most tokens, or by the endpoint's declared refusal."""


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn.

    Attributes:
        temperature: 0 takes the likeliest token.
        max_tokens: where an answer is cut off.
        seed: of the draw, for endpoints that take one.
        alternatives: likeliest first tokens whose log-probabilities are asked for; 0 for none.
    """

    temperature: float = 0.0
    max_tokens: int = 128
    seed: int = 0
    alternatives: int = 0


@dataclass(frozen=True)
class Served:
    """What answers, as it says itself: an endpoint's model id and the fingerprint of its build, or digests of weights.

    Attributes:
        has_alternatives: whether it gives log-probabilities.
    """

    model: str
    fingerprint: str = ""
    has_alternatives: bool = True


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        prompt: the file that the text was made from.
        text: the prompt, filled in.
        shown: digest of the frames, or of the whole video, that are shown beside it; "" for none.
        form: how these become what is sent, in words, such as `jpeg side 448 quality 90`.
        is_video: whether a whole video is shown, in place of frames.
    """

    prompt: Prompt
    text: str
    shown: str = ""
    form: str = ""
    is_video: bool = False

    def parts(self, served: Served, sampling: Sampling) -> dict[str, Any]:
        """Returns everything that changes an answer, as JSON."""
        return {
            "served": {"model": served.model, "fingerprint": served.fingerprint},
            "prompt": [self.prompt.name, self.prompt.version, self.prompt.sha256],
            "text": self.text,
            "shown": [self.shown, self.form, self.is_video],
            "sampling": asdict(sampling),
        }

    def key(self, served: Served, sampling: Sampling) -> str:
        """Returns the SHA-256 of everything that changes an answer."""
        return digest(self.parts(served, sampling))


@dataclass(frozen=True)
class Answer:
    """What came back. Its text is untrusted: it is data, whatever it says.

    Attributes:
        text: as it was given.
        how: how it ended.
        alternatives: the likeliest first tokens with their natural log-probabilities, the likeliest first.
        tokens_in, tokens_out: as the endpoint counts them; 0 where it does not.
        served: what gave it.
        seconds: that it took, waits for other tries left out.
    """

    text: str
    how: How
    served: Served
    alternatives: tuple[tuple[str, float], ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The text as one line: all white space single, nothing that cannot be printed; "" for a refusal."""
        if self.how == "refused":
            return ""
        return "".join(letter for letter in " ".join(self.text.split()) if letter.isprintable())

    def as_json(self) -> dict[str, Any]:
        """Returns all of it, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Answer:
        """Returns what `as_json` wrote. Raises: KeyError, TypeError, ValueError for anything else."""
        pairs = tuple((str(token), float(value)) for token, value in said["alternatives"])
        if not all(math.isfinite(value) for _, value in pairs) or said["how"] not in ("said", "cut off", "refused"):
            raise ValueError("no answer")
        return cls(**{**said, "alternatives": pairs, "served": Served(**said["served"])})

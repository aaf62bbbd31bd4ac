"""What caption scoring takes: each video's predicted sentences and its references, and the rules of a protocol.

`corpus`: every reference segment is an item, as in coco-caption. Each annotation's segments are matched one to one with
the predicted sentences by time (greatest temporal IoU first, at least 0.5); equal segments of several annotations are
one item with several references. Sentences without times belong to the whole video.

`densevid`: every pair of a prediction and a reference with tIoU >= t is an item of its video's corpus; a score is that
corpus's aggregate, its mean over all videos with references, then over t = 0.3, 0.5, 0.7, 0.9. Characters beyond ASCII
become spaces. Source: densevid_eval by Krishna et al.

`paragraph`: a video's sentences in order of time, joined by a space, against the same of each annotation.

Needs neither numpy nor torch: a task can say its rules before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.errors import UsageError

Protocol = Literal["corpus", "densevid", "paragraph"]
Missing = Literal["zero", "skip", "error"]
Unmatched = Literal["random-string", "skip"]
Tokeniser = Literal["ptb", "regex"]
Meteor = Literal["python", "java", "none"]

PROTOCOLS: tuple[Protocol, ...] = ("corpus", "densevid", "paragraph")
TIOUS = (0.3, 0.5, 0.7, 0.9)
"""Temporal IoUs of `densevid`."""
MATCH_TIOU = 0.5
"""Least temporal IoU of a predicted sentence with the reference segment it describes, in `corpus`."""
TOKENISERS: Mapping[Tokeniser, str] = {"ptb": "ptb-3.4.1", "regex": "regex-2"}
METEORS: Mapping[Meteor, str] = {"java": "1.5", "python": "1.5-py", "none": "none"}


@dataclass(frozen=True)
class Sentence:
    """A sentence and the segment it describes: start and end in seconds, or None for the whole video."""

    text: str
    segment: tuple[float, float] | None = None


@dataclass(frozen=True)
class VideoCaptions:
    """One video's predicted sentences and what people wrote about it.

    Attributes:
        video: its id; any string.
        predicted: the sentences a model wrote, in any order; None when there is no answer for this video.
        references: for each annotation of the video its sentences. Independent captions of a whole video are
            annotations of one sentence each.
    """

    video: str
    predicted: tuple[Sentence, ...] | None
    references: tuple[tuple[Sentence, ...], ...]


@dataclass(frozen=True)
class Rules:
    """How captions are scored; each rule changes the numbers, so each stands in the signature.

    Attributes:
        protocol: see the module.
        tokeniser: `ptb` is Stanford's in Java, `regex` our own.
        meteor: METEOR 1.5 in `python` is our own, which counts what the program in `java` does; or `none`.
        missing: what a video or segment without a prediction counts: zero, nothing, or an error.
        unmatched: in `densevid` a prediction that overlaps no reference is compared with a random string, or left out.
    """

    protocol: Protocol
    tokeniser: Tokeniser
    meteor: Meteor
    missing: Missing
    unmatched: Unmatched = "random-string"

    def parts(self) -> dict[str, str]:
        """Returns the parts of the signature that caption scoring decides."""
        parts = {
            "protocol": self.protocol,
            "tokens": TOKENISERS[self.tokeniser],
            "meteor": METEORS[self.meteor],
            "cider": "coco",
            "missing": self.missing,
        }
        if self.protocol == "densevid":
            parts |= {"tiou": ",".join(map(str, TIOUS)), "unmatched": self.unmatched}
        return parts


def rules(
    protocol: Protocol,
    *,
    missing: Missing | None = None,
    unmatched: Unmatched = "random-string",
    java: bool = False,
) -> Rules:
    """Returns the rules of a protocol.

    Args:
        missing: default: zero for `densevid`, as in its own code; error for the others.
        java: count by the reference programs, METEOR and Stanford's tokeniser, instead of our own that equal them.

    Raises: UsageError for a protocol that is not there; ToolError when Java is asked for and missing.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"unknown caption protocol {protocol!r}. Known: {', '.join(PROTOCOLS)}.")
    if java:
        from bench.metrics.captions.java import java_program

        java_program(required=True)
    return Rules(
        protocol=protocol,
        tokeniser="ptb" if java else "regex",
        meteor="java" if java else "python",
        missing=missing or ("zero" if protocol == "densevid" else "error"),
        unmatched=unmatched,
    )

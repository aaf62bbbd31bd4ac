"""Class names as sentences: the bare name, a pattern, or an ensemble of patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.errors import InvalidData, UsageError

BARE, ENSEMBLE = "name", "ensemble"
PATTERNS = (
    "{}",
    "a video of {}",
    "a video of a person {}",
    "a person is {}",
    "someone is {}",
    "people are {}",
    "{} is shown in the video",
    "an example of {}",
)
"""The ensemble: plain descriptions, of one or several people; a name that is no verb reads oddly in some."""
_PATTERN = re.compile(r"[A-Za-z0-9_.'-]*\{\}[A-Za-z0-9_.'-]*")
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def patterns_of(template: str) -> tuple[str, ...]:
    """Returns the patterns that a template stands for, with `{}` for the class name.

    Raises: UsageError for one that is neither `name`, `ensemble` nor a pattern.
    """
    if template == BARE:
        return ("{}",)
    if template == ENSEMBLE:
        return PATTERNS
    if not _PATTERN.fullmatch(template):
        raise UsageError(
            f"template={template}: no template. Use {BARE}, {ENSEMBLE}, or a pattern with {{}} for the class name and "
            "_ for spaces, such as a_video_of_{}."
        )
    return (template.replace("_", " "),)


def spoken(name: str) -> str:
    """Returns a class name in words: `CleanAndJerk` and `clean_and_jerk` become `Clean And Jerk`, `clean and jerk`."""
    return " ".join(_WORD_STARTS.sub(" ", name).replace("_", " ").split())


def prompts_of(class_names: Sequence[str], pattern: str) -> list[str]:
    """Returns one sentence for each class. Raises: InvalidData when two classes have the same, but for case."""
    prompts = [pattern.replace("{}", spoken(name)) for name in class_names]
    first: dict[str, str] = {}
    for name, prompt in zip(class_names, prompts, strict=True):
        earlier = first.setdefault(prompt.casefold(), name)
        if earlier != name:
            raise InvalidData(
                f"classes {earlier!r} and {name!r} have one prompt, {prompt!r}: no model can tell them apart. Rename "
                "one of them in the file of labels."
            )
    return prompts

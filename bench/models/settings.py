"""Settings of models and encoders: typed, with a default, and a file or a repository where they name weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from bench.errors import UsageError
from bench.reading.numbers import real_in, whole_in

Value = bool | int | float | str
"""What a setting can be."""
Settings = Mapping[str, Value]
"""The settings of a model by name, as its loader gets them."""


@dataclass(frozen=True)
class Setting:
    """One typed setting of a model. Its type is that of its default.

    Attributes:
        default: the value when nothing is said.
        doc: one line: what it does, and where it comes from.
        choices: the values allowed, or () for any.
        minimum: the smallest number allowed, or None.
        trained: whether it changes training; if not, it is no part of the checkpoint key.
        kind: `value`; `file`, a path, of which the SHA-256 enters keys and records, or "" for none; `hub`, a repository
            of the Hugging Face Hub, `OWNER/NAME` or `OWNER/NAME@REVISION`, which is pinned to its commit in the local
            cache, or a folder like one, `./FOLDER`, pinned by its files, or "" for none. The loader gets the path of
            the file or folder.
    """

    default: Value
    doc: str
    choices: tuple[Value, ...] = ()
    minimum: float | None = None
    trained: bool = True
    kind: Literal["value", "file", "hub", "encoder"] = "value"

    def check(self, name: str, value: object) -> Value:
        """Returns `value` in the type of the default; text is parsed.

        Raises: UsageError when it has another type or is not allowed.
        """
        parsed = self._parse(name, value)
        if self.choices and parsed not in self.choices:
            raise UsageError(f"setting {name}={value}: not allowed. Choose from {', '.join(map(str, self.choices))}.")
        if self.minimum is not None and not isinstance(parsed, (str, bool)) and not parsed >= self.minimum:
            raise UsageError(f"setting {name}={value}: must be at least {self.minimum:g}.")
        return parsed

    def _parse(self, name: str, value: object) -> Value:
        kind = type(self.default)
        if isinstance(value, bool) or kind is bool:
            text = str(value).lower()
            if kind is bool and text in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
                return text in {"true", "1", "yes", "on"}
        elif kind is str and isinstance(value, str):
            return value
        elif isinstance(value, str):
            number = whole_in(value.strip()) if kind is int else real_in(value.strip())
            if number is not None:
                return number
        elif isinstance(value, (int, float)):
            try:
                return kind(value) if kind(value) == value else self._refuse(name, value)
            except (ValueError, OverflowError):
                pass
        return self._refuse(name, value)

    def _refuse(self, name: str, value: object) -> Value:
        raise UsageError(
            f"setting {name}={value}: expected {type(self.default).__name__}, such as {name}={self.default}."
        )


SCHEDULE: Mapping[str, Setting] = MappingProxyType(
    {
        "lr": Setting(1e-3, "learning rate of Adam", minimum=0),
        "batch": Setting(64, "videos per step", minimum=1),
        "epochs": Setting(15, "passes over the training videos", minimum=0),
        "lr_drop": Setting(10, "the learning rate is divided by 10 after each of so many epochs", minimum=1),
        "selection": Setting("fixed", "which epoch: the last, or the best on held-out videos", ("fixed", "held-out")),
    }
)
"""How fast and how long a network is trained: `settings={..., **SCHEDULE}`. The bundled networks all take these."""


WORDS: Mapping[str, Setting] = MappingProxyType({"word_dim": Setting(300, "size of the word vectors", minimum=1)})
"""Words by vectors that are learnt with the network: `settings={..., **WORDS}`."""


SEARCH: Mapping[str, Setting] = MappingProxyType(
    {
        "beam": Setting(1, "hypotheses of the search for a caption; 1 is greedy", minimum=1, trained=False),
        "max_words": Setting(30, "the most words of a caption's sentence", minimum=1, trained=False),
    }
)
"""How a captioner searches for what it says: `settings={..., **SEARCH}`."""


TEXT: Mapping[str, Setting] = MappingProxyType(
    {
        "text": Setting(
            "", "a frozen text encoder, whose sentence vectors are read in place of words (`bench list encoders`)",
            kind="encoder",
        )
    }
)  # fmt: skip
"""Sentences by a frozen text encoder: `settings={..., **TEXT}`. The bundled models that match text take it."""


def resolved(owner: str, given: Mapping[str, object], settings: Mapping[str, Setting]) -> dict[str, Value]:
    """Returns every setting of `owner`, such as `model 'hse'`, with its value: as given, checked, else its default.

    Raises: UsageError for a name that is no setting, and for a value of another type or not allowed.
    """
    for name in given:
        if name not in settings:
            import difflib  # here: settings that are in order need none of it

            near = difflib.get_close_matches(name, settings, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = ", ".join(sorted(settings)) or "none"
            raise UsageError(f"{owner} has no setting {name!r}.{hint} Settings: {known}.")
    return {
        name: setting.check(name, given[name]) if name in given else setting.default
        for name, setting in settings.items()
    }

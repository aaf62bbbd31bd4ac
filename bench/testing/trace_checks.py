"""The promises of all code that was watched, of models and encoders alike: what it reads, reaches and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bench.models import EncoderSpec, ModelSpec
from bench.testing.isolation import Traces
from bench.testing.opened import unstated
from bench.testing.report import CheckFailed


class UnderCheck(Protocol):
    """A model or an encoder under check.

    Attributes:
        traces: what it did beside its work, over all checks.
    """

    traces: Traces

    @property
    def spec(self) -> ModelSpec | EncoderSpec:
        """What was offered."""

    @property
    def places(self) -> Mapping[str, str]:
        """Setting -> the path of the weights it names."""


def no_network_is_used(subject: UnderCheck) -> str:
    """Nothing was asked of a network in any of the checks."""
    if subject.traces.reached:
        raise CheckFailed(f"it tried to reach {', '.join(sorted(set(subject.traces.reached)))}")
    return ""


def what_it_loads_is_stated(subject: UnderCheck) -> str:
    """Files it reads outside its own package are named by settings of kind `file` or `hub`, or by a fingerprint."""
    spec = subject.spec
    unnamed = unstated(subject.traces.read, spec.loader.partition(":")[0], list(subject.places.values()))
    if unnamed and not spec.fingerprint:
        named = ", ".join(path.name for path in unnamed[:3]) + (", …" if len(unnamed) > 3 else "")
        raise CheckFailed(
            f"it reads {named} and nothing says so: other content would pass for the same model. "
            'Name it by a setting of kind="file" or kind="hub", or state a fingerprint'
        )
    stated = [*subject.places, *(["a fingerprint"] if spec.fingerprint else [])]
    return f"stated: {', '.join(stated)}" if stated else "it loads nothing"


def nothing_else_is_changed(subject: UnderCheck) -> str:
    """Random states, working directory and torch's defaults are as they were, and stdout is empty."""
    changed = {f"{what} in {action}" for action, names in subject.traces.changed.items() for what in names}
    if changed:
        raise CheckFailed(f"it changes {', '.join(sorted(changed))}. Draw from generators of your own, or inside "
                          "torch.random.fork_rng()")  # fmt: skip
    if subject.traces.printed:
        raise CheckFailed(f"it prints to stdout in {', '.join(sorted(set(subject.traces.printed)))}")
    return ""

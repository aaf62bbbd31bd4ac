"""What the commands share: flags, and how their values are read."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.saying import echo
from bench.errors import UsageError
from bench.reading.numbers import whole_in

if TYPE_CHECKING:
    from bench.catalogue.config import Config

config_option = click.option(
    "--config", "-C", type=click.Path(path_type=Path), help="bench.yaml to use (default: nearest upwards)."
)

_WIDE = "bench.cli.options.wide"


def _remember(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[_WIDE] = value


wide_option = click.option(
    "--wide", is_flag=True, expose_value=False, callback=_remember,
    help="Print whole tables on a terminal that has no room for them.",
)  # fmt: skip


def asked_wide() -> bool:
    """Returns whether the command that runs was given --wide."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_WIDE))


metric_option = click.option(
    "--metric", "metrics", multiple=True,
    help="Show a further measurement, such as t2v/R@100 or t2v/MRR, wherever the evidence gives it; repeatable.",
)  # fmt: skip
_FORMS = (
    "Retrieval has R@K, P@K, nDCG@K, MRR, MedR and MeanR behind t2v/ or v2t/ (v2t/any-hit R@K where videos have "
    "several captions; P@K and nDCG@K of several right answers where the record kept all of them: "
    "`bench rescore --write RUN`), incomplete retrieval R@K[keep=0.4] and R@K/AUC, classes topK, Hit@K and AvgHit@K."
)


def say_not_given(metrics: Iterable[str], given: Container[str]) -> None:
    """Says on stderr which of the measurements that were asked for no record gives."""
    for metric in dict.fromkeys(metrics):
        if metric not in given:
            echo(f"--metric {metric}: no record here gives it, so it is not shown. {_FORMS}", err=True)


def _plain(value: Any) -> Any:
    """Returns `value` unless it is a text that click takes for a number, and nobody else: `1_0`, other scripts' digits.

    Raises: click.BadParameter.
    """
    if isinstance(value, str) and whole_in(value) is None:
        raise click.BadParameter(f"{value!r} is not a valid integer.")
    return value


class Whole(click.types.IntParamType):
    """A whole number in plain digits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_plain(value), param, ctx)


class WholeRange(click.IntRange):
    """A whole number in plain digits, within a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_plain(value), param, ctx)


WHOLE = Whole()


def parse_seeds(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Returns the seeds that `0,1,2` names; none for no text."""
    seeds = tuple(number for part in text.split(",") if (number := whole_in(part.strip())) is not None) if text else ()
    if text and len(seeds) < text.count(",") + 1:
        raise click.BadParameter(f"{text!r} is not a list of whole numbers such as 0,1,2.")
    if len(set(seeds)) < len(seeds):
        raise click.BadParameter(f"{text!r} names a seed twice: that is one run. Leave it out.")
    return seeds


def chosen_settings(models: tuple[str, ...], texts: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Returns the chosen settings of each model: KEY=VALUE for all of them, MODEL.KEY=VALUE for one, which counts more.

    base.KEY is a setting of the model that a model builds on.

    Raises: UsageError for what is no KEY=VALUE, for a model that is not run, and for a key that is given twice.
    """
    shared: dict[str, str] = {}
    own: dict[str, dict[str, str]] = {model: {} for model in models}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {text!r}: write KEY=VALUE, such as --set hidden=256.")
        owner = next((model for model in models if key.startswith(f"{model}.")), "")
        name = key.removeprefix(f"{owner}.") if owner else key
        stranger = name.removeprefix("base.").rpartition(".")[0]
        if stranger:
            raise UsageError(f"--set {text!r}: model {stranger!r} is not run here. Models: {', '.join(models)}.")
        given = own[owner] if owner else shared
        if name in given:
            raise UsageError(
                f"--set {key} was given twice, as {given[name]!r} and {value!r}: a run has one value. Give the command "
                "once for each; runs with other settings lie side by side."
            )
        given[name] = value
    return {model: {**shared, **own[model]} for model in models}


def command_line() -> tuple[str, ...]:
    """Returns the command as it was typed, for the record."""
    return ("bench", *sys.argv[1:])


def say_default(config: Config) -> None:
    """Says on stderr that no bench.yaml was found, where none was."""
    if config.path is None:
        echo("no bench.yaml found: using the packaged default (the generated sample)", err=True)

"""What a shell completes after <Tab>: models, tasks, settings and whatever else has a name; none of it is loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue
    from bench.models import Setting

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]
BREAKS = ":="
"""Bash takes words apart at these, which stand in names of ours: `COMP_WORDBREAKS`."""


def _completing(known: Callable[[click.Context, str], Iterable[tuple[str, str]]]) -> Complete:
    """Makes what click asks of what is known: (name, summary) by context and what was typed so far.

    Where it cannot be known, as bench.yaml is wrong, nothing is completed: the command itself will say why.
    """

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        try:
            offered = dict(known(context, incomplete))
        except BenchError:
            return []
        return [CompletionItem(name, help=summary) for name, summary in offered.items() if name.startswith(incomplete)]

    return complete


def _catalogue(context: click.Context) -> Catalogue:
    from bench.catalogue import catalogue
    from bench.catalogue import config as configuration

    return catalogue.discover(configuration.load(context.params.get("config")).datasets)


def _models(context: click.Context, _: str) -> Iterable[tuple[str, str]]:
    return ((name, spec.summary) for name, spec in sorted(_catalogue(context).models.items()))


def _tasks(context: click.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    """Yields the tasks, or behind the ':' of one its parameters, and behind their '=' the values that can be listed."""
    from bench.tasks.parameters import Explaining

    catalogue = _catalogue(context)
    base, colon, _ = incomplete.partition(":")
    if not colon:
        yield from ((name, task.summary) for name, task in sorted(catalogue.tasks.items()))
        return
    task = catalogue.task(base)
    begun = incomplete[: max(incomplete.rfind(":"), incomplete.rfind(",")) + 1]
    for name, parameter in task.declared.items() if isinstance(task, Explaining) else ():
        if not incomplete.startswith(f"{begun}{name}="):
            yield f"{begun}{name}=", parameter.doc
        else:
            yield from ((f"{begun}{name}={choice}", parameter.doc) for choice in parameter.choices)


def _settings(context: click.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    """Yields the settings of the models that the line names before, and behind a '=' the values that can be listed."""
    catalogue, named = _catalogue(context), context.params.get("models") or context.params.get("model")
    for model in [named] if isinstance(named, str) else named or context.args[:1]:  # an argument is not parsed yet
        for name, setting in catalogue.model(model).settings.items():
            for key in (name, f"{model}.{name}"):
                if incomplete.startswith(f"{key}="):
                    yield from ((f"{key}={value}", setting.doc) for value in _values(setting))
                elif key == name or "." in incomplete:
                    yield f"{key}=", setting.doc


def _values(setting: Setting) -> tuple[str, ...]:
    return ("true", "false") if isinstance(setting.default, bool) else tuple(map(str, setting.choices))


def _datasets(context: click.Context, _: str) -> Iterable[tuple[str, str]]:
    return ((name, declared.reader) for name, declared in sorted(_catalogue(context).datasets.items()))


def _papers(context: click.Context, _: str) -> Iterable[tuple[str, str]]:
    return ((name, paper.title) for name, paper in sorted(_catalogue(context).papers.items()))


def _paper_tables(context: click.Context, _: str) -> Iterable[tuple[str, str]]:
    from bench.papers.tables import read_paper

    tables = read_paper(_catalogue(context).paper(str(context.params.get("paper"))))
    return ((name, table.title) for name, table in tables.items())


def _features(context: click.Context, _: str) -> Iterable[tuple[str, str]]:
    from bench.catalogue import config as configuration

    features = configuration.load(context.params.get("config")).features
    return ((name, declared.extractor) for name, declared in sorted(features.items()))


def _sources(context: click.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    yield from _features(context, incomplete)
    yield from _datasets(context, incomplete)


def _names(context: click.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    """Yields all that `bench info` knows: models, encoders, tasks, datasets, test sets, papers, launchers, features."""
    from bench.data.sets.named import all_sets

    yield from _models(context, incomplete)
    yield from ((name, spec.summary) for name, spec in sorted(_catalogue(context).encoders.items()))
    yield from _datasets(context, incomplete)
    yield from _papers(context, incomplete)
    yield from ((name, spec.summary) for name, spec in sorted(_catalogue(context).launchers.items()))
    yield from _features(context, incomplete)
    yield from ((name, one.rule) for name, one in all_sets().items())
    if ":" not in incomplete or incomplete.partition(":")[0] in _catalogue(context).tasks:
        yield from _tasks(context, incomplete)


models = _completing(_models)
tasks = _completing(_tasks)
settings = _completing(_settings)
datasets = _completing(_datasets)
papers = _completing(_papers)
paper_tables = _completing(_paper_tables)
features = _completing(_features)
sources = _completing(_sources)
names = _completing(_names)


@add_completion_class
class WholeWords(BashComplete):
    """Completion in bash of words with ':' and '=' in them, which bash hands over in pieces and completes in pieces."""

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' reply type value
    COMPREPLY=()
    reply=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value"); [[ $value == *[:=] ]] && compopt -o nospace ;;
        esac
    done <<< "$reply"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
    _already = 0
    """Characters of the word that stand before the piece which bash completes."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Returns the words before the one to complete, and what there is of that, put together again."""
        pieces = split_arg_string(os.environ["COMP_WORDS"])[: int(os.environ["COMP_CWORD"]) + 1]
        pieces += [""] * (int(os.environ["COMP_CWORD"]) + 1 - len(pieces))
        last = "" if pieces[-1] and not pieces[-1].strip(BREAKS) else pieces[-1]
        words: list[str] = []
        glued = False
        for piece in pieces:
            is_break = bool(piece) and not piece.strip(BREAKS)
            if words and (glued or is_break):
                words[-1] += piece
            else:
                words.append(piece)
            glued = is_break
        option = words[-1].partition("=")[0] + "=" if words[-1].startswith("-") and "=" in words[-1] else ""
        self._already = len(words[-1]) - len(option) - len(last)
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Returns a completion without what stands before the piece that bash completes."""
        return f"{item.type},{item.value[self._already :]}"

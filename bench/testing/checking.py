"""Runs all checks that apply to a plugin, and reports."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.catalogue.catalogue import Catalogue
from bench.catalogue.encoders import plan_encoder
from bench.catalogue.lookup import Session
from bench.endpoints import answered_by
from bench.errors import BenchError, CatalogueError, MissingData, ModelError, UsageError, unknown_name
from bench.plugins.code import resolve
from bench.plugins.discovery import Plugin
from bench.testing.encoder_checks import ENCODER_CHECKS, EncoderSubject
from bench.testing.model_checks import MODEL_CHECKS
from bench.testing.offer_checks import check_dataset, check_import, check_task
from bench.testing.offered import StandIn
from bench.testing.report import CheckFailed, Finding, NotApplicable, Report
from bench.testing.subject import Subject, subjects
from bench.testing.task_to_board import ToBoard


def check_plugin(session: Session, name: str, settings: Mapping[str, object] | None = None) -> Report:
    """Returns what the kit finds about the plugin `name`, or about one model or encoder of that name.

    Args:
        settings: settings under which its models and encoders are checked, beside the recipe of the sample; a setting
            called `epochs` is 2 unless it is named here. A plugin's encoders take those that they have.

    Raises: UnknownName; CatalogueError for a plugin that cannot be used or is blocked; for one model or encoder by its
    name also what it says that it lacks, such as a setting that names weights or an endpoint's model.
    """
    catalogue = session.catalogue
    plugin = _plugin(catalogue, name)
    whole = plugin.name == name
    is_encoder = name.partition(":")[0] in catalogue.encoders
    models = plugin.provides.get("model", ()) if whole else () if is_encoder else [name]
    encoders = plugin.provides.get("encoder", ()) if whole else [name] if is_encoder else ()
    findings = [_finding(f"plugin {plugin.name}", "import cost", partial(check_import, plugin))]
    findings.append(_finding(f"plugin {plugin.name}", "well-behaved when listed", partial(_remarks, plugin)))
    for model in models:
        findings += _of_model(catalogue, model, settings or {}, lenient=whole)
    for encoder in encoders:
        findings += _of_encoder(catalogue, encoder, settings or {}, lenient=whole)
    if whole:
        findings += _offers(session, plugin)
    return Report(plugin.name, plugin.distribution, _environment(), tuple(findings))


def _of_model(catalogue: Catalogue, name: str, chosen: Mapping[str, object], *, lenient: bool) -> Iterator[Finding]:
    """Yields findings about a model in each of its roles. Endpoints that it opens are answered by the kit.

    Args:
        lenient: takes of the settings those that it has, and skips it where it lacks a package or a user's setting.
    """
    known = catalogue.model(name).settings
    settings = {key: value for key, value in chosen.items() if key in known or not lenient}
    with answered_by(StandIn()):
        for subject_name, subject in subjects(catalogue.model(name), settings, catalogue):
            lacking: list[BenchError] = []
            loads = _finding(subject_name, "loads", partial(_loaded, subject, lacking))
            if lacking and not lenient:
                raise lacking[0]
            if loads.outcome != "passed":
                yield loads
                continue
            for check, ask in MODEL_CHECKS.items():
                yield _finding(subject_name, check, partial(_asked, ask, subject, check))


def _of_encoder(catalogue: Catalogue, name: str, chosen: Mapping[str, object], *, lenient: bool) -> Iterator[Finding]:
    """Yields findings about an encoder.

    Args:
        lenient: takes of the settings those that it has, and skips it where it lacks a package or the user's weights.
    """
    known = catalogue.encoder(name).settings
    settings = {key: value for key, value in chosen.items() if key in known or not lenient}
    try:
        subject = EncoderSubject(plan_encoder(catalogue, name, settings))
        if lenient:
            subject.opened()
    except BenchError as error:
        if not lenient:
            raise
        yield Finding(f"encoder {name}", "opens", "skipped", str(error))
        return
    for check, ask in ENCODER_CHECKS.items():
        yield _finding(f"encoder {name}", check, partial(_asked, ask, subject, check))


def _loaded(subject: Subject, lacking: list[BenchError]) -> str:
    """Loads a model. Raises: NotApplicable where it lacks what the user has to give; `lacking` has its words then.

    That is a setting, a package, or weights that were not fetched.
    """
    try:
        subject.loaded()
    except ModelError:
        raise
    except (UsageError, CatalogueError, MissingData) as error:
        lacking.append(error)
        raise NotApplicable(f"not checked: {error}") from error
    return ""


def _asked(ask: Callable[[Any], str], subject: Any, check: str) -> str:
    with subject.traces.watching(check):
        return ask(subject)


def _plugin(catalogue: Catalogue, name: str) -> Plugin:
    by_name = {plugin.name: plugin for plugin in catalogue.plugins}
    by_model = {model: plugin for plugin in catalogue.plugins for model in plugin.provides.get("model", ())}
    by_encoder = {encoder: plugin for plugin in catalogue.plugins for encoder in plugin.provides.get("encoder", ())}
    plugin = by_name.get(name) or by_model.get(name) or by_encoder.get(name.partition(":")[0])
    if plugin is None:
        raise unknown_name("plugin", name, by_name)
    if plugin.status != "ok":
        raise CatalogueError(f"plugin {plugin.name!r} ({plugin.distribution}) is {plugin.status}: "
                             f"{plugin.error or 'it was switched off'}")  # fmt: skip
    return plugin


def _remarks(plugin: Plugin) -> str:
    if plugin.remarks:
        raise CheckFailed("; ".join(plugin.remarks))
    return plugin.slow


def _offers(session: Session, plugin: Plugin) -> Iterator[Finding]:
    """Yields findings about everything that is no model."""
    catalogue = session.catalogue
    for name in plugin.provides.get("task", ()):
        task = catalogue.tasks[name]
        yield _finding(f"task {name}", "predicts and scores", partial(check_task, session, task))
        with tempfile.TemporaryDirectory() as folder:
            for step, taken in ToBoard(session, plugin, task, Path(folder)).steps():
                yield _finding(f"task {name}", step, taken)
    for name in plugin.provides.get("reader", ()):
        yield _finding(f"reader {name}", "loader", partial(_resolved, catalogue.readers[name].loader))
        yield _finding(f"reader {name}", "datasets open", partial(check_dataset, session, name))
    named: dict[str, Mapping[str, Any]] = {
        "feature reader": catalogue.feature_readers,
        "exporter": catalogue.exporters,
        "watcher": {spec.name: spec for spec in catalogue.extensions.watchers},
        "column": {spec.name: spec for spec in catalogue.extensions.columns},
    }
    for kind, offered in named.items():
        for name in plugin.provides.get(kind, ()):
            yield _finding(f"{kind} {name}", "loader", partial(_resolved, offered[name].loader))


def _resolved(loader: str) -> str:
    if not callable(resolve(loader)):
        raise CheckFailed(f"{loader} cannot be called")
    return loader


def _finding(subject: str, check: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, check, "passed", ask())
    except NotApplicable as reason:
        return Finding(subject, check, "skipped", str(reason))
    except UsageError as needs:
        return Finding(subject, check, "skipped", f"not checked: {needs}")
    except CheckFailed as failure:
        return Finding(subject, check, "failed", str(failure))
    except BenchError as error:
        return Finding(subject, check, "failed", f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 (other people's code may raise anything)
        where = _place(error)
        return Finding(subject, check, "failed", f"{type(error).__name__}: {error}{where}")


def _place(error: BaseException) -> str:
    """Returns the last line of code that an exception came from, in words."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f" ({code.co_filename.rpartition('/')[2]}, line {trace.tb_lineno}, in {code.co_name})"


def _environment() -> tuple[str, ...]:
    versions = [f"{name} {metadata.version(name)}" for name in ("vtbench", "torch", "numpy")]
    return (*versions, f"Python {platform.python_version()}")

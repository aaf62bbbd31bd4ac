"""`study.yaml`: models with grids over their settings, tasks and seeds, written down once.

version: 1
models:
  hse: {tau: [0, 5e-4], epochs: 5}     # a list is a grid; every combination is run
  fse: {epochs: 5}
tasks: [mine-retrieval]
seeds: [0, 1, 2]
choose_on: mine-dev-retrieval          # settings are chosen on this task, never on those above
output: runs
resources: {cpus: 4, gpus: 1, memory: 16}   # of each cell on a cluster, memory in GB, in place of what models say
ranks: {hse: 2}                        # processes that fit one model together; a number is for every model
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.catalogue.lookup import Session
from bench.errors import ConfigError, DataError
from bench.execution import Precision
from bench.reading.outside import read_text
from bench.reading.sections import Misfit, by_name, key, listed, one_of, pathname, section, text, whole
from bench.reading.yaml_files import YAML, NotYaml, parse_yaml
from bench.study.cells import StudyCells
from bench.study.expanding import Asked, expanded


def _value(value: Any, where: str) -> str:
    """Reads a number, a word or a switch, as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else text()(value, where)


def _values(value: Any, where: str) -> tuple[str, ...]:
    """Reads a value, or a list of values that make a grid."""
    if isinstance(value, list) and not value:
        raise Misfit(f"{where}: an empty list leaves nothing to run. Give a value.")
    return listed(_value)(value, where) if isinstance(value, list) else (_value(value, where),)


_settings = by_name(_values)


def _models(value: Any, where: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Reads the names of models, in a list, or with the settings of each."""
    named = dict.fromkeys(listed(text())(value, where)) if isinstance(value, list) else value
    if not isinstance(named, Mapping) or not named:
        raise Misfit(f"{where}: name models, such as [hse, fse], or with settings, such as hse: {{tau: [0, 5e-4]}}.")
    return {str(name): _settings(chosen or {}, f"{where}.{name}") for name, chosen in named.items()}


@dataclass(frozen=True)
class _ResourcesSection:
    cpus: int | None = key(whole(1), None)
    gpus: int | None = key(whole(0), None)
    memory: int | None = key(whole(1), None)


def _resources(value: Any, where: str) -> Mapping[str, int]:
    """Reads what each cell needs on a cluster: what is said of it."""
    said = section(_ResourcesSection)(value, where)
    return {name: number for name, number in vars(said).items() if number is not None}


def _ranks(value: Any, where: str) -> int | Mapping[str, int]:
    """Reads how many processes fit every model together, or each by its name."""
    return by_name(whole(1))(value, where) if isinstance(value, Mapping) else whole(1)(value, where)


@dataclass(frozen=True)
class _StudyFile:
    version: int = key(one_of(1))
    models: Mapping[str, Mapping[str, tuple[str, ...]]] = key(_models)
    tasks: tuple[str, ...] = key(listed(text()))
    seeds: tuple[int, ...] = key(listed(whole(0)), (0,))
    choose_on: str = key(text(), "")
    precision: Precision = key(one_of("fp32", "bf16"), "fp32")
    batch_size: int = key(whole(1), 64)
    limit: int | None = key(whole(1), None)
    output: Path | None = key(pathname, None)
    resources: Mapping[str, int] = key(_resources, {})
    ranks: int | Mapping[str, int] = key(_ranks, 1)


@dataclass(frozen=True)
class Study:
    """What a study file asks for.

    Attributes:
        asked: before it is taken apart; the task to choose on is one of its tasks.
        choose_on: the task on which settings are chosen, or "".
        cells: all of it.
        resources: what each cell needs on a cluster, by name, in place of what models say.
        ranks: how many processes fit a model together, by its name.
    """

    asked: Asked
    choose_on: str
    cells: StudyCells
    resources: Mapping[str, int]
    ranks: Mapping[str, int]


def read_study(path: Path, session: Session) -> Study:
    """Returns the study that a file describes.

    Raises: ConfigError for a file that is missing, is no YAML, or says something unknown; UnknownName, UsageError for
    models, tasks and settings that are not there.
    """
    try:
        content = read_text(path, YAML)
    except DataError as error:  # it names the file
        raise ConfigError(str(error)) from None
    try:
        file = section(_StudyFile)(parse_yaml(content), "")
    except NotYaml as error:
        raise ConfigError(f"{path.name}: {error}. Fix the YAML.") from None
    except Misfit as error:
        raise ConfigError(f"{path.name}: {error}") from None
    if not file.tasks or not file.seeds:
        raise ConfigError(f"{path.name}: {'seeds' if file.tasks else 'tasks'}: an empty list leaves nothing to run.")
    if file.choose_on in file.tasks:
        raise ConfigError(
            f"{path.name}: choose_on: {file.choose_on} is one of the tasks. Choose on a task whose videos none of them "
            "tests on, or leave it out: the table then says that settings were chosen on the test split."
        )
    ranks = dict.fromkeys(file.models, file.ranks) if isinstance(file.ranks, int) else file.ranks
    if unknown := [model for model in ranks if model not in file.models]:
        raise ConfigError(f"{path.name}: ranks.{unknown[0]}: is none of the models. Name one that the study runs.")
    tasks = (*([file.choose_on] if file.choose_on else []), *file.tasks)
    asked = Asked(
        tuple(file.models), tasks, file.seeds, file.models, file.precision, file.batch_size, file.limit
    )  # fmt: skip
    output = path.resolve().parent / file.output if file.output else None
    cells = StudyCells.under(session, expanded(asked, session.catalogue), output)
    return Study(asked, file.choose_on, cells, file.resources, ranks)

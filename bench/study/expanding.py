"""What a command or a study file asks for, taken apart into cells: each model, setting, task and seed with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from bench.catalogue.catalogue import Catalogue
from bench.execution import Precision
from bench.models import ModelSpec, Setting
from bench.models.settings import resolved
from bench.runs.plan import BASE
from bench.study.cells import StudyCell


@dataclass(frozen=True)
class Asked:
    """Cells before they are taken apart.

    Attributes:
        models, tasks, seeds: each of them with each other.
        settings: of every model by its name: the values of each setting, as text; several make a grid.
        precision, batch_size, limit: of all cells.
    """

    models: Sequence[str]
    tasks: Sequence[str]
    seeds: Sequence[int]
    settings: Mapping[str, Mapping[str, Sequence[str]]]
    precision: Precision = "fp32"
    batch_size: int = 64
    limit: int | None = None


def expanded(asked: Asked, catalogue: Catalogue) -> tuple[StudyCell, ...]:
    """Returns the cells that are asked for, task by task, model by model; those that come to the same stand once.

    Looks at names only: no dataset is opened.

    Raises: UnknownName, CatalogueError for a model or a task; UsageError for a setting that the model has not.
    """
    for task in asked.tasks:
        catalogue.task(task)
    grids = {model: list(_grid(catalogue, model, asked.settings.get(model, {}))) for model in asked.models}
    cells = (
        StudyCell(model, task, seed, settings, asked.precision, asked.batch_size, asked.limit)
        for task in dict.fromkeys(asked.tasks)
        for model in dict.fromkeys(asked.models)
        for settings in grids[model]
        for seed in asked.seeds
    )
    return tuple({cell.id: cell for cell in cells}.values())


def values_of(catalogue: Catalogue, model: str, name: str, text: str) -> list[str]:
    """Returns the values that `--set NAME=TEXT` gives a model's setting: several where commas part numbers or switches.

    In text a comma is a comma. Raises: UnknownName, UsageError for a setting that the model has not.
    """
    setting = setting_of(catalogue, catalogue.model(model), name)
    return [text] if isinstance(setting.default, str) else text.split(",")


def setting_of(catalogue: Catalogue, spec: ModelSpec, name: str) -> Setting:
    """Returns a setting of a model, or, as `base.NAME`, of the model that it builds on.

    Raises: UsageError for one that it has not.
    """
    of_base = bool(spec.base) and name.startswith(BASE)
    owner, own = (catalogue.model(spec.base), name.removeprefix(BASE)) if of_base else (spec, name)
    if own not in owner.settings:
        resolved(f"model {owner.name!r}", {own: ""}, owner.settings)  # says what is near
    return owner.settings[own]


def _grid(catalogue: Catalogue, model: str, settings: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yields every combination of settings, each value written as the model reads it: 5e-4 and 0.0005 are one."""
    spec = catalogue.model(model)
    read = {}
    for name, values in settings.items():
        setting = setting_of(catalogue, spec, name)
        read[name] = [_written(setting.check(name, value)) for value in values]
    for combination in product(*read.values()):
        yield dict(zip(read, combination, strict=True))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Names become cells: the look-ups that the command line and `bench.run` share. Each dataset is opened once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial

from bench.catalogue import catalogue as catalogues
from bench.catalogue.catalogue import Catalogue
from bench.catalogue.config import Config
from bench.catalogue.encoders import EncoderPlan, plan_encoder
from bench.catalogue.weights import FindEncoder
from bench.data.dataset import Dataset
from bench.data.declared import DatasetDeclaration, FeatureDeclaration
from bench.errors import CatalogueError
from bench.models import ModelSpec
from bench.plugins.code import TaskCode, resolve
from bench.plugins.offers import Extensions
from bench.tasks.task import Task


@dataclass(frozen=True)
class RunCell:
    """A model and a task that were looked up, with the task's dataset opened.

    Attributes:
        task_code: runs what is the task's own.
        base: the model it builds on.
        extensions: what the installed plugins add to the run; they change none of its numbers.
        encoder: looks up the encoders that the model's settings name.
    """

    spec: ModelSpec
    distribution: str
    task: Task
    dataset: Dataset
    task_code: TaskCode
    base: RunCell | None = None
    extensions: Extensions = field(default_factory=Extensions)
    encoder: FindEncoder | None = None


class Session:
    """A configuration with its catalogue, and the datasets opened so far."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.catalogue: Catalogue = catalogues.discover(config.datasets)
        self._extensions = self.catalogue.extensions.with_trackers(config.trackers)
        self._opened: dict[str, Dataset] = {}

    def cell(self, model: str, task: str, features: FeatureDeclaration | None = None) -> RunCell:
        """Returns a model and a task ready to plan, on other than the declared features where `features` names them.

        Raises: UnknownName, CatalogueError, DataError.
        """
        spec = self.catalogue.model(model)
        chosen = self.catalogue.task(task)
        dataset = self.dataset(chosen.dataset, features)
        code = self.catalogue.task_code(chosen)
        find = self._encoders(dataset)
        made = partial(RunCell, task=chosen, dataset=dataset, task_code=code, encoder=find)
        base = None
        if spec.base:
            base = made(self.catalogue.model(spec.base), self.catalogue.distribution(spec.base))
        kind = "model" if model in self.catalogue.models else "encoder"
        if kind == "encoder":  # it is called after what it loads, not after where that lies
            spec = replace(spec, name=find(model).spec.name)
        return made(spec, self.catalogue.distribution(model, kind), base=base, extensions=self._extensions)

    def _encoders(self, dataset: Dataset) -> FindEncoder:
        """Returns what looks encoders up; the one that makes the features of a dataset is as bench.yaml declares it."""
        videos = dataset.declaration.features.videos

        @cache  # looking one up reads all of its weights
        def find(name: str) -> EncoderPlan:
            return plan_encoder(self.catalogue, name, videos.settings if videos and videos.encoder == name else None)

        return find

    def dataset(self, name: str, features: FeatureDeclaration | None = None) -> Dataset:
        """Returns an opened dataset, with other than its declared features where `features` names them.

        Raises: UnknownName, DataError, CatalogueError for a reader that fails.
        """
        if features is None and name in self._opened:
            return self._opened[name]
        declaration, reader = self.catalogue.dataset(name)
        try:
            open_dataset: Callable[[DatasetDeclaration], Dataset] = resolve(reader.loader)
        except (ImportError, AttributeError) as error:
            raise CatalogueError(
                f"reader {reader.name!r} cannot be loaded from {reader.loader}: {error}. Fix or remove its plugin."
            ) from error
        if features is not None:
            return open_dataset(replace(declaration, features=features))
        self._opened[name] = open_dataset(declaration)
        return self._opened[name]

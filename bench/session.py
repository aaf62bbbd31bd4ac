"""Names become cells: the look-ups that the command line and `bench.run` share. Each dataset is opened once."""

from __future__ import annotations

from bench import catalogue as catalogues
from bench.catalogue import Catalogue
from bench.config import Config
from bench.data.dataset import Dataset
from bench.errors import CatalogueError
from bench.fitting import resolve
from bench.planning import Cell


class Session:
    """A configuration with its catalogue, and the datasets opened so far."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.catalogue: Catalogue = catalogues.discover(config.datasets)
        self._opened: dict[str, Dataset] = {}

    def cell(self, model: str, task: str) -> Cell:
        """Returns a model and a task ready to plan. Raises: UnknownName, CatalogueError, DataError."""
        spec = self.catalogue.model(model)
        chosen = self.catalogue.task(task)
        return Cell(spec, self.catalogue.distribution(model), chosen, self.dataset(chosen.dataset))

    def dataset(self, name: str) -> Dataset:
        """Returns an opened dataset. Raises: UnknownName, DataError, CatalogueError for a reader that fails."""
        if name not in self._opened:
            declaration, reader = self.catalogue.dataset(name)
            try:
                open_dataset = resolve(reader.loader)
            except (ImportError, AttributeError) as error:
                raise CatalogueError(
                    f"reader {reader.name!r} cannot be loaded from {reader.loader}: {error}. Fix or remove its plugin."
                ) from error
            self._opened[name] = open_dataset(declaration)
        return self._opened[name]

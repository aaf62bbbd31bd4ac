"""Which cells share one fit, as far as their names say: no dataset is opened, so that 10,000 cells take a second."""

from __future__ import annotations

from bench.catalogue.catalogue import Catalogue
from bench.files import digest
from bench.models import Trainable
from bench.study.cells import StudyCell
from bench.study.expanding import setting_of


def shared_fit(catalogue: Catalogue, cell: StudyCell) -> str:
    """Returns what cells have in common that fit the same; "" for a model that does not train."""
    spec, task = catalogue.model(cell.model), catalogue.task(cell.task)
    if Trainable not in spec.provides:
        return ""
    trained = {name: value for name, value in cell.settings.items() if setting_of(catalogue, spec, name).trained}
    role = next((capability.__name__ for capability in task.accepts if capability in spec.roles), "")
    view = task.training_view if spec.learns_from == "paragraphs" else task.view
    segments = view.segments if spec.uses_segments or task.per_segment else "none"
    text = view.text if spec.learns_from == "paragraphs" else ""
    data = [task.dataset, spec.learns_from, segments, text, cell.limit]
    return digest([spec.name, sorted(trained.items()), role, *data, cell.seed, cell.precision])[:12]

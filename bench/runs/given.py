"""What a model is given, and what its checkpoint is therefore made from: settings resolved, weights pinned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.catalogue.lookup import RunCell
from bench.catalogue.weights import Weights, fingerprint, pinned
from bench.errors import UnsupportedTask
from bench.files import sha256
from bench.inputs import Inputs
from bench.models import TEXT, ModelSpec, TextEncoder
from bench.reading.numbers import number_of
from bench.runs import checkpoints
from bench.runs.checkpoints import Ingredients
from bench.runs.request import Request
from bench.tasks.task import Task

if TYPE_CHECKING:
    from bench.data.lessons import TrainingSet


def weights_of(cell: RunCell, request: Request, own: Mapping[str, object], task: Task | None) -> Weights:
    """Returns every setting of a model with the weights they name pinned down, and what the model itself states."""
    spec = cell.spec
    known = pinned(spec, own, find=cell.encoder)
    chosen = {**own, **known.settings}
    if request.checkpoint:
        settings = checkpoints.settings_from(request.checkpoint, spec, chosen)
    else:
        reading = _reading(spec, request.text) if request.text else spec
        settings = reading.resolve(cell.dataset.recipe, chosen, task.accepts if task else ())
    weights = pinned(spec, settings, known, cell.encoder)
    return replace(weights, fingerprint=fingerprint(spec, weights))


def ingredients_of(cell: RunCell, request: Request, weights: Weights, training_set: TrainingSet) -> Ingredients:
    """Returns all that the checkpoint of a model depends on."""
    spec = cell.spec
    return Ingredients(
        model=spec.name,
        distribution=cell.distribution.split(" ")[0],
        revision=spec.revision,
        settings={name: value for name, value in weights.settings.items() if spec.settings[name].trained},
        training=cell.dataset.training_digest(training_set, request.limit),
        max_rows=spec.max_rows,
        word_vectors=sha256(request.word_vectors) if request.word_vectors else "random",
        seed=request.seed,
        precision=checkpoints.ARITHMETIC[request.precision],
        fingerprint=weights.fingerprint,
        held_out=checkpoints.GROUPS if cell.dataset.declaration.groups else "",
    )


def check_features(cell: RunCell, weights: Weights) -> None:
    """Raises UnsupportedTask for features that a model's own encoder did not make, where it reads no others."""
    if not cell.spec.reads_own:
        return
    made = cell.dataset.feature_identity([cell.task.split]).made
    who = weights.encoders[cell.spec.reads_own].stranger(made)
    if not who:
        return
    of, by = cell.dataset.declaration.features.name, cell.spec.settings[cell.spec.reads_own].default
    raise UnsupportedTask(
        f"model {cell.spec.name!r} reads features that it made itself; {of!r} of dataset {cell.dataset.name!r} were "
        f"made by {who}. Declare features: {{NAME: {{videos: FOLDER, encoder: '{by}', sampler: frames=16}}}} in "
        f"bench.yaml, write features: NAME for {cell.dataset.name!r}, and `bench features extract NAME`."
    )


def cut_off(weights: Weights, encoders: Mapping[str, Any], inputs: Inputs) -> list[str]:
    """Returns a line for each text encoder that does not read all sentences of a test set to their ends."""
    sentences = list(dict.fromkeys(sentence for paragraph in inputs.paragraphs for sentence in paragraph))
    lines = []
    for name, encoder in encoders.items():
        if isinstance(encoder, TextEncoder) and (count := encoder.truncated(sentences)):
            called = weights.encoders[name].spec.name
            lines.append(
                f"{called} reads the first {encoder.max_tokens} tokens: {count:,} of "
                f"{number_of(len(sentences), 'sentence')} of the test set were cut off"
            )
    return lines


def _reading(spec: ModelSpec, text: str) -> ModelSpec:
    """Returns a spec with the text encoder that the configuration names as the default where it takes one."""
    settings = {name: replace(spec.settings[name], default=text) for name in TEXT if name in spec.settings}
    return replace(spec, settings={**spec.settings, **settings}) if settings else spec

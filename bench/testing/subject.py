"""A model under check: loaded, fitted on a little of the sample, saved and restored, as a run would do it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from bench.catalogue.catalogue import Catalogue
from bench.catalogue.encoders import plan_encoder
from bench.catalogue.weights import Weights, pinned
from bench.errors import Interrupted
from bench.execution import Execution, State, Training
from bench.models import ModelSpec, Trainable, Value
from bench.plugins.code import resolve
from bench.plugins.global_state import undisturbed
from bench.runs.checkpoints import CheckpointFolder, Ingredients, load_state
from bench.testing.isolation import Traces
from bench.testing.material import Material, material_for
from bench.testing.opened import listening

FEW_EPOCHS = 2
"""A setting called `epochs` is lowered to this: the kit asks whether training works, not what it reaches."""


@dataclass
class Subject:
    """A model with the settings it is checked under.

    Attributes:
        spec: its spec.
        settings: every setting with its value, weights as they are recorded.
        base: the model it builds on, where it names one.
        weights: the same, with the places of weights and the encoders for the loader.
        traces: what it did beside its work, over all checks.
    """

    spec: ModelSpec
    settings: Mapping[str, Value]
    base: Subject | None = None
    weights: Weights | None = None
    traces: Traces = field(default_factory=Traces)

    @property
    def places(self) -> dict[str, str]:
        """Setting -> the path of the weights that it names; those of its encoders among them."""
        if self.weights is None:
            return {}
        of_encoders = [plan.weights.places for plan in self.weights.encoders.values()]
        return {**self.weights.places, **{name: path for places in of_encoders for name, path in places.items()}}

    @cached_property
    def material(self) -> Material:
        """What it is trained and tried on."""
        return material_for(self.spec)

    @cached_property
    def model(self) -> Any:
        """The model, fitted under seed 0."""
        return self.fitted(0)

    @property
    def trains(self) -> bool:
        return Trainable in self.spec.provides

    def loaded(self, seed: int = 0) -> Any:
        """Returns the object its loader makes, not fitted."""
        with undisturbed(capture=True), listening(self.traces.read):
            make = resolve(self.spec.loader)  # what importing a library changes is not the model's doing
        execution = Execution(seed=seed)
        given = {**self.weights.given, **self.weights.opened(execution)} if self.weights else dict(self.settings)
        with self.traces.watching("load"):
            return make(given, execution)

    def fitted(self, seed: int) -> Any:
        """Returns the model fitted from scratch; as loaded where it does not train."""
        model = self.loaded(seed)
        if self.trains:
            self.fit(model, seed)
        return model

    def fit(self, model: Any, seed: int, **changes: Any) -> State | None:
        """Fits the model and returns the last state it saved on the way; `changes` are parts of `Training`."""
        saved: list[State] = []
        training = Training(
            execution=Execution(seed=seed),
            word_vectors=None,
            progress=lambda done, total, values: None,
            checkpoint=saved.append,
            resume=lambda: None,
            stop_requested=lambda: False,
            base=self.base.model if self.base else None,
        )
        with self.traces.watching("fit"):
            try:
                model.fit(self.material.training, replace(training, **changes))
            except Interrupted:
                if "stop_requested" not in changes:
                    raise
        return saved[-1] if saved else None

    def restored(self, state: State) -> Any:
        """Returns a fresh model restored from `state` by way of a file."""
        model = self.loaded()
        with tempfile.TemporaryDirectory() as folder:
            read_back = through_file(state, Path(folder), self.spec.name)
        with self.traces.watching("load_state"):
            model.load_state(read_back)
        return model


def through_file(state: State, folder: Path, model: str) -> State:
    """Returns `state` after it was saved as a checkpoint and read again."""
    ingredients = Ingredients(model, "", 1, {}, "", 80, "random", 0, "fp32")
    place = CheckpointFolder(folder, ingredients)
    place.save(state)
    return load_state(place.model)[0]


def subjects(spec: ModelSpec, chosen: Mapping[str, object], catalogue: Catalogue) -> list[tuple[str, Subject]]:
    """Returns a model in each role it can take, with a name for each; `catalogue` has what it builds on."""

    def weighed(spec: ModelSpec, settings: Mapping[str, Value], base: Subject | None = None) -> Subject:
        weights = pinned(spec, settings, find=partial(plan_encoder, catalogue))
        return Subject(spec, weights.settings, base, weights)

    base = None
    if spec.base:
        below = catalogue.model(spec.base)
        base = weighed(below, below.resolve("sample", few_epochs(below)))
    given = {**few_epochs(spec), **chosen}
    in_roles = [(f"model {spec.name}", weighed(spec, spec.resolve("sample", given), base))]
    for role in spec.roles:
        settings = spec.resolve("sample", given, (role,))
        in_roles.append((f"model {spec.name} as {role.__name__}", weighed(spec, settings, base)))
    return in_roles


def few_epochs(spec: ModelSpec) -> dict[str, object]:
    """Returns a lower setting `epochs` where the model has one."""
    setting = spec.settings.get("epochs")
    return {"epochs": FEW_EPOCHS} if setting is not None and isinstance(setting.default, int) else {}

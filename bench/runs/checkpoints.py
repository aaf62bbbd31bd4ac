"""Checkpoints of fitted models: one folder per key, holding whole files only.

A checkpoint belongs to a model and a training view, not to a task. Its key hashes everything that changes the trained
weights; device, workers and prediction batch size are not among them. An unfinished fit leaves `training.safetensors`
beside where `model.safetensors` will be, and the same command goes on from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import InvalidData, UsageError
from bench.execution import State
from bench.files import digest, read_tensors, remove_leftovers, sha256, slug, write_json, write_tensors
from bench.locks import LOCK, Hold, held
from bench.models import ModelSpec, Value
from bench.reading.numbers import real_in
from bench.reading.outside import Form, reading, regular_file

KIND = "checkpoint"
CHECKPOINT = Form(
    "a whole checkpoint", ("safetensors",), "Give the model.safetensors that a run names in its checkpoint.json."
)
ARITHMETIC = {"fp32": "fp32", "bf16": "bf16/2"}
"""What a precision is called in a key: counted up when it comes to mean something else for many models. Under the first
bf16, CUDA took GRUs in float16."""


@dataclass(frozen=True)
class Ingredients:
    """Everything that decides the weights of a fitted model.

    Attributes:
        model: the model's name.
        distribution: the distribution that offers it, without version.
        revision: `ModelSpec.revision`.
        settings: the settings that change training.
        training: digest of the training data under its view.
        max_rows: the loader's row cap.
        word_vectors: digest of the word-vector file, or `random`.
        seed: as asked for.
        precision: as `ARITHMETIC` calls what was asked for.
        base: the key of the model it builds on, or "".
        fingerprint: of the weights it loads, as the model states it, or "".
        held_out: `GROUPS` where whole groups of training videos are held out, or "".
    """

    model: str
    distribution: str
    revision: int
    settings: Mapping[str, Value]
    training: str
    max_rows: int
    word_vectors: str
    seed: int
    precision: str
    base: str = ""
    fingerprint: str = ""
    held_out: str = ""

    @property
    def key(self) -> str:
        """SHA-256 of all of them."""
        return digest(self.as_json())

    def as_json(self) -> dict[str, Any]:
        said = {**self.__dict__, "settings": dict(self.settings)}
        for name in ("fingerprint", "held_out"):
            if not said[name]:
                del said[name]  # keys from before there were any stay valid
        return said

    @property
    def selection(self) -> str:
        """What chose the epoch, as a record says it: `fixed`, `held-out` or `held-out groups`."""
        chosen = str(self.settings.get("selection", "fixed"))
        return f"{chosen} {self.held_out}" if self.held_out and chosen == "held-out" else chosen


GROUPS = "groups"
"""What is held out of training where bench.yaml says which videos come from one source."""


class Pace:
    """When the state of an unfinished fit is saved: after every epoch, or whenever so many minutes have passed.

    A state can be larger than what an epoch costs; by the clock, a kill costs those minutes whatever an epoch takes.
    """

    def __init__(self, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """`minutes` between the end of a save and the next, None for after every epoch; `clock` gives seconds."""
        self._seconds = None if minutes is None else 60 * minutes
        self._clock = clock
        self._last = clock()

    def due(self, epoch_done: bool) -> bool:
        """Returns whether to save now, an epoch having just ended or not."""
        return epoch_done if self._seconds is None else self._clock() - self._last >= self._seconds

    def saved(self) -> None:
        """Takes note that a state was saved."""
        self._last = self._clock()


def minutes_between(every: float | str) -> float | None:
    """Returns the minutes that `every` asks for, None for `epoch`. Raises: UsageError for anything else."""
    if every == "epoch":
        return None
    minutes = real_in(str(every))
    if minutes is None or minutes <= 0:
        raise UsageError(
            f"--checkpoint-every {every}: minutes above 0 are wanted, such as 5 or 0.5, or `epoch` for after each."
        )
    return minutes


class CheckpointFolder:
    """Where the checkpoint of one key lies, finished or not."""

    def __init__(self, root: Path, ingredients: Ingredients) -> None:
        self.ingredients = ingredients
        self.folder = root / f"{slug(ingredients.model)}-{ingredients.key[:16]}"
        self.model = self.folder / "model.safetensors"
        self._unfinished = self.folder / "training.safetensors"
        self._hold: Hold | None = None

    @contextmanager
    def held(self, say: Callable[[str], None]) -> Iterator[None]:
        """Keeps other processes from fitting the same model while its body lasts; tidies what a killed one left."""
        with held(self.folder / LOCK, say) as self._hold:
            remove_leftovers(self.folder)
            if self.model.exists():
                self._unfinished.unlink(missing_ok=True)
            yield

    def save_unfinished(self, state: State) -> None:
        """Keeps the state of a fit that is not done yet. Raises: TakenOver where another process goes on with it."""
        self._save(self._unfinished, state, {})

    def unfinished(self) -> State | None:
        """Returns the last state of an interrupted fit, or None."""
        return load_state(self._unfinished)[0] if self._unfinished.exists() else None

    def discard(self) -> None:
        """Forgets what an earlier fit left."""
        self._unfinished.unlink(missing_ok=True)
        self.model.unlink(missing_ok=True)

    def save(self, state: State, ranks: int = 1) -> None:
        """Keeps a fitted model and forgets the unfinished fit. Raises: TakenOver where another process fits it.

        Args:
            ranks: processes that fitted it together.
        """
        write_json(self.folder / "ingredients.json", self.ingredients.as_json())
        self._save(self.model, state, {"ranks": ranks} if ranks > 1 else {})
        self._unfinished.unlink(missing_ok=True)

    def _save(self, path: Path, state: State, more: Mapping[str, int]) -> None:
        if self._hold:
            self._hold.check()
        values = {"kind": KIND, "ingredients": self.ingredients.as_json(), "state": state.values, **more}
        write_tensors(path, state.arrays, values)


def load_state(path: Path) -> tuple[State, Ingredients, int | None]:
    """Returns the state in a checkpoint file, what it was made from, and the ranks that fitted it where several did.

    Raises: MissingData when there is no such file; InvalidData when it is not whole, or not a checkpoint.
    """
    from pydantic import TypeAdapter

    regular_file(path, CHECKPOINT.remedy)
    arrays, values = read_tensors(path)
    if values.get("kind") != KIND:
        raise InvalidData(f"{path} is no checkpoint. {CHECKPOINT.remedy}")
    with reading(path, CHECKPOINT):
        made_from = TypeAdapter(Ingredients).validate_python(values["ingredients"])
        state = State(arrays, TypeAdapter(dict[str, Any]).validate_python(values["state"], strict=True))
        return state, made_from, TypeAdapter(int | None).validate_python(values.get("ranks"), strict=True)


def settings_from(path: Path, spec: ModelSpec, chosen: Mapping[str, object]) -> dict[str, Value]:
    """Returns the settings to use with a checkpoint the user names: its own, and what the user chose beside them.

    Raises: UsageError when it belongs to another model or revision, or contradicts a chosen setting.
    """
    _, made_from, _ = load_state(path)
    if (made_from.model, made_from.revision) != (spec.name, spec.revision):
        raise UsageError(
            f"checkpoint {path} is of model {made_from.model!r} revision {made_from.revision}; asked for "
            f"{spec.name!r} revision {spec.revision}. Name another checkpoint, or none to train."
        )
    settings = spec.resolve(None, {**made_from.settings, **chosen})
    for name, value in made_from.settings.items():
        if settings[name] != value:
            raise UsageError(
                f"checkpoint {path} was trained with {name}={value}; asked for {name}={settings[name]}. "
                "Leave the setting out, or name no checkpoint."
            )
    return settings


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a checkpoint file. Raises: InvalidData when it cannot be read."""
    try:
        return sha256(path)
    except OSError as error:
        raise InvalidData(f"checkpoint {path} cannot be read: {error.strerror}. Name another --checkpoint.") from error

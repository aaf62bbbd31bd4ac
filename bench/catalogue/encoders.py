"""An encoder by its name: settings checked, weights pinned, code loaded, its mistakes in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bench.catalogue.catalogue import Catalogue
from bench.catalogue.weights import Weights, fingerprint, not_installed, pinned
from bench.errors import BenchError, ModelError, out_of_memory
from bench.execution import Execution
from bench.files import digest
from bench.models import EncoderSpec
from bench.plugins.code import resolve
from bench.plugins.global_state import undisturbed


@dataclass(frozen=True)
class EncoderPlan:
    """An encoder that was looked up, with its settings: all that is known of it before its code is imported.

    Attributes:
        spec: its spec, under the name that was asked for.
        distribution: what offers it, with version.
        weights: its settings, with the weights they name pinned, and its fingerprint.
    """

    spec: EncoderSpec
    distribution: str
    weights: Weights

    @property
    def digest(self) -> str:
        """SHA-256 of all that its vectors depend on: name, revision, settings, weights."""
        return digest([self.spec.name, self.spec.revision, self.weights.settings, self.weights.fingerprint])

    @property
    def words(self) -> dict[str, str]:
        """What features say of the encoder that made them, as texts by name, without what is empty."""
        told = {"encoder": self.spec.name, "revision": self.spec.revision, "weights": self.weights.fingerprint}
        return {name: str(value) for name, value in {**told, **self.weights.settings}.items() if value != ""}

    def stranger(self, made: Mapping[str, str]) -> str:
        """Returns who made features in place of this encoder, in words; "" where it made them.

        Args:
            made: what features say of what made them (`FeatureIdentity.made`).
        """
        stated = made.get("encoder", "")
        name, other = (text.partition(":")[0] for text in (self.spec.name, stated))
        asked = {**self.words, "encoder": stated}  # what its argument names is pinned among its settings
        if name == other and asked.items() <= made.items():
            return ""
        return f"encoder {stated!r}" + " with other weights or settings" * (name == other) if stated else "others"

    def open(self, execution: Execution) -> Any:
        """Returns the encoder. Raises: CatalogueError for a package that is missing; ModelError when its code fails."""
        with undisturbed(seed=execution.seed):
            try:
                encoder = resolve(self.spec.loader)(self.weights.given, execution)
            except BenchError:
                raise
            except ImportError as error:
                raise not_installed(self.spec, error) from error
            except Exception as error:  # whatever the code of a plugin raises
                raise _failed(self.spec, error) from error
        _require_capabilities(self.spec, encoder)
        return encoder


def plan_encoder(catalogue: Catalogue, name: str, chosen: Mapping[str, object] | None = None) -> EncoderPlan:
    """Returns the plan of the encoder that `name` or `name:argument` names, with the settings chosen.

    Raises: UnknownName, UsageError; CatalogueError for a package that is missing; MissingData for weights that are not
    there; VerificationError for weights of another digest than asked for.
    """
    spec = catalogue.encoder(name)
    weights = pinned(spec, spec.resolve(chosen or {}))
    weights = replace(weights, fingerprint=fingerprint(spec, weights))
    if spec.argument in weights.places:  # what was named is pinned, and where it lies on this machine is nobody's name
        spec = replace(spec, name=f"{name.partition(':')[0]}:{weights.settings[spec.argument]}")
    return EncoderPlan(spec, catalogue.distribution(spec.name, "encoder"), weights)


def _require_capabilities(spec: EncoderSpec, encoder: Any) -> None:
    lacking = [kind for kind in spec.provides if not isinstance(encoder, kind) and kind not in spec.by_setting]
    if spec.by_setting and not isinstance(encoder, spec.by_setting):
        lacking.extend(spec.by_setting)
    if lacking:
        asked = ", ".join(kind.__name__ for kind in lacking)
        raise ModelError(f"encoder {spec.name!r}: {spec.loader} lacks what {asked} asks for.")


def _failed(spec: EncoderSpec, error: Exception) -> ModelError:
    reason = f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
    remedy = " Use a device with more memory." if out_of_memory(error) else ""
    return ModelError(f"encoder {spec.name!r} failed to load: {reason}.{remedy}")

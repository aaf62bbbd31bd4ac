"""Which weights a model or an encoder is given: files, repositories and encoders that settings name, pinned.

A record holds a file as `NAME@sha256:DIGEST`, a repository of the Hugging Face Hub as `OWNER/NAME@COMMIT`, an encoder
as `NAME@sha256:DIGEST` of all that vectors depend on; where they lie on this machine is told to the model alone.
Nothing is downloaded: a repository is what the local cache has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.data.features.row_contents import Stamp, stamp
from bench.errors import BenchError, CatalogueError, InvalidData, MissingData, UsageError, VerificationError
from bench.execution import Execution
from bench.files import digest, sha256
from bench.models import EncoderSpec, ModelSpec, Value
from bench.plugins.code import resolve
from bench.reading.outside import regular_file

if TYPE_CHECKING:
    from bench.catalogue.encoders import EncoderPlan

MARK = "@sha256:"
FOLDER = ("/", ".", "~")
"""What the name of a local folder begins with, where a repository may stand."""

FindEncoder = Callable[[str], "EncoderPlan"]
"""Looks an encoder up by its name."""


@dataclass(frozen=True)
class Weights:
    """The settings of a model with the weights they name pinned down.

    Attributes:
        settings: what keys and records hold.
        places: setting -> the path that the model gets instead.
        stamps: the files, as they were before their digests were taken.
        fingerprint: what the model itself states of what it loads; "" for nothing.
        encoders: setting -> the encoder that it names.
    """

    settings: Mapping[str, Value]
    places: Mapping[str, str]
    stamps: Stamp
    fingerprint: str = ""
    encoders: Mapping[str, EncoderPlan] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, Value]:
        """What the model's loader gets, encoders by name."""
        return {**self.settings, **self.places}

    def opened(self, execution: Execution) -> dict[str, Any]:
        """Returns the encoders that settings name, ready to embed. Raises: CatalogueError, ModelError."""
        return {name: plan.open(execution) for name, plan in self.encoders.items()}

    @property
    def digest(self) -> str:
        """SHA-256 of all that is loaded; "" for a model that loads nothing."""
        named = {name: self.settings[name] for name in (*self.places, *self.encoders)}
        return digest([named, self.fingerprint]) if named or self.fingerprint else ""

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file is not what it was when its digest was taken."""
        if self.stamps and stamp([Path(file[0]) for file in self.stamps]) != self.stamps:
            names = ", ".join(Path(file[0]).name for file in self.stamps)
            raise InvalidData(f"the weights {names} were changed while they were used. Run again.")
        for plan in self.encoders.values():
            plan.weights.check_unchanged()


def pinned(
    spec: ModelSpec | EncoderSpec,
    settings: Mapping[str, object],
    known: Weights | None = None,
    find: FindEncoder | None = None,
) -> Weights:
    """Returns settings with the files, repositories and encoders they name pinned down.

    Args:
        settings: some or all of the settings; those of `known` may be among them as they are there.
        find: looks encoders up; None where no setting can name one.

    Raises: MissingData for what is not there; VerificationError for a file with another digest than asked for.
    """
    pins, places, stamps = dict(settings), dict(known.places if known else {}), list(known.stamps if known else [])
    encoders = dict(known.encoders if known else {})
    for name, setting in spec.settings.items():
        value = settings.get(name)
        if setting.kind == "value" or not isinstance(value, str) or name in places or name in encoders:
            continue
        if setting.kind == "encoder" and find and value:
            pins[name], encoders[name] = _encoder(name, value, find)
        elif setting.kind == "encoder":
            del pins[name]  # as if the model had no such setting
        if setting.kind == "encoder" or not value:
            continue
        if setting.kind == "file":
            stamps += stamp([regular_file(_path(value), f"Name a file: --set {name}=PATH.")])
            pins[name], places[name] = _file(name, value)
        elif value.startswith(FOLDER):
            stamps += stamp(_files_of(name, value))
            pins[name], places[name] = _folder(name, value)
        else:
            pins[name], places[name] = _repository(name, value)
    kept = {name: value for name, value in pins.items() if isinstance(value, Value)}
    return Weights(kept, places, stamps, encoders=encoders)


def _encoder(name: str, value: str, find: FindEncoder) -> tuple[str, EncoderPlan]:
    """Returns an encoder's name with the digest of what its vectors depend on, and its plan."""
    asked, _, digest_asked = value.partition(MARK)
    plan = find(asked)
    if digest_asked and plan.digest != digest_asked:
        raise VerificationError(
            f"setting {name}: encoder {asked!r} has the digest {plan.digest[:16]}…, asked for {digest_asked[:16]}…. "
            "Install the release and give the weights that it was used with, or name it without a digest."
        )
    return f"{plan.spec.name}{MARK}{plan.digest}", plan  # not as asked for: that may say where it lies


def fingerprint(spec: ModelSpec | EncoderSpec, weights: Weights) -> str:
    """Returns what a model or an encoder states of what it loads; "" for one that states nothing.

    Raises: CatalogueError for code that cannot be found, fails, or returns no text of one line.
    """
    if not spec.fingerprint:
        return ""
    named = f"{spec.kind} {spec.name!r}: its fingerprint {spec.fingerprint}"
    try:
        stated = resolve(spec.fingerprint)(weights.given)
    except BenchError:
        raise
    except Exception as error:  # whatever the code of a plugin raises
        reason = " ".join(str(error).split())
        if isinstance(spec, EncoderSpec) and isinstance(error, ImportError):
            raise not_installed(spec, error) from error
        raise CatalogueError(f"{named} failed: {type(error).__name__}: {reason}. Fix it.") from error
    if not isinstance(stated, str) or not 0 < len(stated) <= 200 or not stated.isprintable():
        raise CatalogueError(f"{named} must be one line of 1 to 200 characters. Fix it.")
    return stated


def not_installed(spec: EncoderSpec, error: ImportError) -> CatalogueError:
    """Returns the error for a package that an encoder needs and that is missing or cannot be imported."""
    remedy = f"Install it: pip install '{spec.extra}'" if spec.extra else "Mend or reinstall its plugin."
    reason = " ".join(str(error).split())
    return CatalogueError(f"encoder {spec.name!r} cannot be loaded: {reason}. {remedy}")


def _path(value: str) -> Path:
    return Path(value.partition(MARK)[0]).expanduser()


def _file(name: str, value: str) -> tuple[str, str]:
    """Returns a file's name with its digest, and its path."""
    path = _path(value)
    return _pinned(name, value, sha256(path)), str(path.resolve())


def _folder(name: str, value: str) -> tuple[str, str]:
    """Returns a folder's name with the digest of all its files, and its path."""
    path = _path(value)
    held = [[file.relative_to(path).as_posix(), sha256(file)] for file in _files_of(name, value)]
    return _pinned(name, value, digest(held)), str(path.resolve())


def _files_of(name: str, value: str) -> list[Path]:
    """Returns the files below a folder in order, without hidden ones. Raises: MissingData where there are none."""
    path = _path(value)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    seen = [file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not seen:
        raise MissingData(f"setting {name}: {path} is no folder with files. Name one: --set {name}=./FOLDER.")
    return seen


def _pinned(name: str, value: str, actual: str) -> str:
    """Returns the name of a file or folder with its digest. Raises: VerificationError when another was asked for."""
    path, asked = _path(value), value.partition(MARK)[2]
    if asked and actual != asked:
        raise VerificationError(
            f"setting {name}: {path} has the SHA-256 {actual[:16]}…, asked for {asked[:16]}…. "
            f"Put the one asked for there, or name it: --set {name}=PATH."
        )
    return f"{path.name or path.resolve().name}{MARK}{actual}"


def _repository(name: str, value: str) -> tuple[str, str]:
    """Returns a Hub repository with its commit, and its folder in the Hub's local cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    repository, _, revision = value.partition("@")
    try:
        folder = Path(snapshot_download(repository, revision=revision or None, local_files_only=True))
    except HFValidationError as error:
        raise UsageError(
            f"setting {name}={value}: no repository of the Hub. Write OWNER/NAME or OWNER/NAME@COMMIT"
            f"{_or_the_folder(value)}."
        ) from error
    except (LocalEntryNotFoundError, OSError) as error:
        wanted = f"{repository} --revision {revision}" if revision else repository
        raise MissingData(
            f"setting {name}={value}: not in the Hugging Face cache of this machine, and bench downloads nothing. "
            f"Fetch it: hf download {wanted}{_or_the_folder(value)}"
        ) from error
    return f"{repository}@{folder.name}", str(folder)


def _or_the_folder(value: str) -> str:
    """Returns how a folder is named, for an error, where one is called as a repository that is not there."""
    return f". For the folder of that name here, write ./{value}" if Path(value).is_dir() else ""

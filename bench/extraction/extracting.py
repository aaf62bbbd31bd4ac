"""Features that bench.yaml declares by their videos are made: found, planned, extracted, reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.catalogue.encoders import plan_encoder
from bench.catalogue.lookup import Session
from bench.data.declared import FeatureDeclaration, VideoFolder
from bench.data.features.pack import PackedFeatures
from bench.data.features.pack_format import Header, Made, called
from bench.data.features.packing import UNREADABLE, PackWatcher, pack
from bench.data.readers.json_files import read_json
from bench.data.video_folders import are_stills, videos_in
from bench.errors import InvalidData, MissingData, SaveError, UsageError, unknown_name
from bench.execution import Execution, cores
from bench.extraction.annotated import segments_of
from bench.extraction.encoding import Encoding
from bench.extraction.videos import Recipe, VideosInFolder
from bench.reading.numbers import number_of
from bench.video import Sampler, backend_named, stills, versions

MOST_JOBS = 256
"""Processes that decode: each takes three open files, and many systems give a process 1,024."""


@dataclass(frozen=True)
class ExtractionChoices:
    """How features are to be made, beside what bench.yaml says.

    Attributes:
        device: `cpu` or `cuda:i`.
        jobs: videos decoded at the same time; None for as many as the machine is good for.
        batch: rows made together; None to measure which size is best.
        limit: at most so many videos, the first by id; None for all.
    """

    device: str = "cpu"
    jobs: int | None = None
    batch: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Extraction:
    """A pack that was made, or was there already.

    Attributes:
        pack: its folder.
        header: what it says of itself.
        unreadable: video -> why it could not be read.
        reused: whether it was there already.
    """

    pack: Path
    header: Header
    unreadable: Mapping[str, str]
    reused: bool = False


def extract(session: Session, name: str, choices: ExtractionChoices, watcher: PackWatcher) -> Extraction:
    """Returns the pack of the features `name`, made from their videos where it is not there yet.

    Raises: UnknownName, UsageError; MissingData and InvalidData for the folder of videos; CatalogueError for an encoder
    that cannot be used; SaveError where another pack is in the way; Interrupted when asked to stop.
    """
    if choices.jobs is not None and choices.jobs > MOST_JOBS:
        raise UsageError(f"--jobs {choices.jobs}: at most {MOST_JOBS} videos are decoded at the same time. Use fewer.")
    declaration, folder = _declared(session, name)
    sampler = Sampler.parse(folder.sampler)
    backend_named(folder.backend)  # a name that is none is told where only still images are read, too
    files = videos_in(folder.folder, folder.pattern)
    segments = segments_of(session, folder.segments) if folder.segments else None
    if segments is not None:
        files = {video_id: path for video_id, path in files.items() if video_id in segments}
        if not files:
            raise MissingData(f"{folder.folder} holds no video of dataset {folder.segments!r}. Are the ids the same?")
    files = dict(list(files.items())[: choices.limit])
    output = _output(declaration, choices)
    encoder = plan_encoder(session.catalogue, folder.encoder, folder.settings)
    reader = f"images {stills.versions()}" if are_stills(files.values()) else versions(folder.backend)
    if output.exists() and not (output / "plan.json").exists():
        return _existing(output, declaration, files)
    execution = Execution(device=choices.device)
    encoding = Encoding(folder.encoder, encoder.open(execution), sampler)
    made = Made(
        encoder=called(folder.encoder),
        revision=encoder.spec.revision,
        settings=dict(encoder.weights.settings),
        weights=encoder.weights.fingerprint,
        preprocessing=encoding.preprocessing,
        sampler=sampler.words,
        segments=folder.segments,
        reader=reader,
        computed=choices.device.partition(":")[0],
    )
    jobs = min(choices.jobs or _jobs(choices.device), len(files))
    recipe = Recipe(made, sampler, folder.backend, choices.device, jobs, choices.batch, _threads(choices.device, jobs))
    watcher.say(
        f"{name}: {number_of(len(files), 'video')} in {folder.folder}, {sampler.words}, {folder.encoder} on "
        f"{choices.device}, {recipe.jobs} decoding"
    )
    spans = None if segments is None else [segments[video_id] for video_id in files]
    videos = VideosInFolder(name, tuple(files), tuple(files.values()), folder.folder.name, encoding, recipe, spans)
    header = pack(videos, output, "float32", watcher)
    encoder.weights.check_unchanged()
    return Extraction(output, header, _unreadable(output))


def is_missing(declaration: FeatureDeclaration) -> bool:
    """Whether features are declared by their videos and have not been made yet."""
    return declaration.videos is not None and declaration.path is not None and not declaration.path.exists()


def _declared(session: Session, name: str) -> tuple[FeatureDeclaration, VideoFolder]:
    sources = session.config.features
    if name not in sources:
        raise unknown_name("feature source", name, sources)
    declaration = sources[name]
    if declaration.videos is None:
        raise UsageError(
            f"features {name!r} are not made from videos. Declare them so in bench.yaml: '{name}: {{videos: FOLDER, "
            "encoder: NAME, sampler: frames=16}'."
        )
    return declaration, declaration.videos


def _output(declaration: FeatureDeclaration, choices: ExtractionChoices) -> Path:
    """Returns where the pack lies; that of some videos lies beside that of all."""
    path = declaration.path or Path()
    return path if choices.limit is None else path.with_name(f"{path.name}-first-{choices.limit}")


def _existing(output: Path, declaration: FeatureDeclaration, files: Mapping[str, Path]) -> Extraction:
    """Returns the pack that is there.

    Raises: InvalidData when it was made otherwise, or lacks videos that are there now; SaveError for no pack.
    """
    if not output.is_dir():
        raise SaveError(f"{output} is in the way of the pack. Move it, or name another `pack:` in bench.yaml.")
    features = PackedFeatures(declaration.name, output, declaration.videos)
    unreadable = _unreadable(output)
    lacking = [video_id for video_id in features.missing(list(files)) if video_id not in unreadable]
    if lacking:
        raise InvalidData(
            f"{output} lacks {number_of(len(lacking), 'video')} that have come since it was made, such as "
            f"{lacking[0]!r}. Name another `pack:` in bench.yaml, or delete this one, and extract again."
        )
    return Extraction(output, features.header, unreadable, reused=True)


def _unreadable(output: Path) -> dict[str, str]:
    """Returns why videos are not in a pack, by video."""
    path = output / UNREADABLE
    told = read_json(path, "the list of unreadable videos") if path.exists() else {}
    return {str(video_id): str(reason) for video_id, reason in told.items()} if isinstance(told, dict) else {}


def _jobs(device: str) -> int:
    """Returns how many videos are decoded at the same time: a CPU that encodes is left half of itself."""
    return min(MOST_JOBS, max(1, cores() // 2) if device == "cpu" else cores())


def _threads(device: str, jobs: int) -> int | None:
    """Returns how many threads encode on a CPU: the cores that do not decode, and no more than PyTorch would take.

    More threads than cores wait for one another by spinning, which made extraction ten times slower. None on a GPU.
    """
    import torch

    return max(1, min(torch.get_num_threads(), cores() - jobs)) if device == "cpu" else None

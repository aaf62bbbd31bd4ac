"""The files of a feature pack: what stands in each, and the digest over all of it.

A pack is a folder:

    rows.bin             the rows of all videos, one video after the other in the order of their ids; little-endian
    index.safetensors    ids; `lengths` (n,) int64, rows of each video; `sha256` (n, 32) uint8, of each video's bytes;
                         of rows made from videos, also which frames they were made from (`FramesTaken`)
    pack.json            what the features are: extractor, dimension, number type, stride, kind, source, counts, digest;
                         of rows made from videos, also what made them (`Made`)

The digest is the SHA-256 over extractor, dimension, number type, stride, kind, what made the rows and, for each video,
id, rows, SHA-256 and the frames taken. It says nothing about how the pack came about: interrupted or not, equal content
has equal digests. Packs whose rows were not made here are of version 1, the others of version 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.data.declared import VideoFolder
from bench.data.digests import check_id
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, MissingData
from bench.files import digest, read_tensors, write_tensors
from bench.inputs import DataKind
from bench.reading.outside import shown

Version = Literal["bench-pack/1", "bench-pack/2"]
COPIED: Version = "bench-pack/1"
EXTRACTED: Version = "bench-pack/2"
ROWS, INDEX, HEADER = "rows.bin", "index.safetensors", "pack.json"
Dtype = Literal["float16", "float32"]
LITTLE_ENDIAN: Mapping[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}
LARGEST = {"float16": 65520.0, "float32": float("inf")}
"""Numbers from here on round to infinity."""
AGAIN = "Copy the pack again, or make it anew: `bench features extract`, or `bench data pack`."


class Made(BaseModel):
    """What made the rows of a pack from videos; all of it counts into the digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: Annotated[str, Field(max_length=200, description="its name, with what stands after the colon")]
    revision: Annotated[int, Field(ge=1, description="of the encoder's code")]
    settings: Annotated[
        dict[str, bool | int | float | str], Field(description="of the encoder, weights as `NAME@sha256:DIGEST`")
    ]
    weights: Annotated[str, Field(max_length=200, description="what the encoder states of weights in packages")]
    preprocessing: Annotated[str, Field(max_length=400, description="from a frame to an input, in words")]
    sampler: Annotated[str, Field(max_length=200, description="which frames of a video are taken, in words")]
    segments: Annotated[str, Field(max_length=64, description="the dataset whose segments were sampled; '' for none")]
    reader: Annotated[str, Field(max_length=200, description="what decoded the videos, with versions")]
    computed: Annotated[str, Field(max_length=100, description="where, on how many threads, in batches of which size")]

    def words(self) -> dict[str, str]:
        """Returns all of it as texts by name, without what is empty."""
        told = self.model_dump(exclude={"settings"})
        return {name: str(value) for name, value in {**told, **self.settings}.items() if value != ""}


class Header(BaseModel):
    """What pack.json says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Version = COPIED
    extractor: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")]
    dim: Annotated[int, Field(ge=1)]
    dtype: Dtype
    stride: Annotated[str, Field(max_length=200)]
    kind: DataKind
    source: Annotated[str, Field(description="what was packed, in words")]
    videos: Annotated[int, Field(ge=1)]
    rows: Annotated[int, Field(ge=1)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made: Made | None = None

    @model_validator(mode="after")
    def _says_what_made_it(self) -> Header:
        if (self.made is None) != (self.format == COPIED):
            raise ValueError(f"{self.format} {'lacks' if self.made is None else 'has'} 'made'")
        return self

    @property
    def row_bytes(self) -> int:
        return self.dim * LITTLE_ENDIAN[self.dtype].itemsize


@dataclass(frozen=True)
class FramesTaken:
    """Which frames the rows of each of n videos were made from.

    Attributes:
        counts: (n,) int64, frames of each video.
        times: (sum of counts,) int64, when each frame is shown, in the order taken; in units of its video's time base.
        bases: (n, 2) int64, the time base of each video in seconds: numerator and denominator.
        sha256: (n,) SHA-256 of the pixels of each video's frames, 64 hex digits.
        segments: (n,) int64, segments of each video that were sampled one by one; 0 for a video sampled as a whole.
        segment_rows: (sum of segments,) int64, rows of each of these segments.
    """

    counts: np.ndarray
    times: np.ndarray
    bases: np.ndarray
    sha256: tuple[str, ...]
    segments: np.ndarray
    segment_rows: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all of it as it lies in the index."""
        return {
            "frames": self.counts,
            "times": self.times,
            "time_bases": self.bases,
            "frames_sha256": _as_bytes(self.sha256),
            "segments": self.segments,
            "segment_rows": self.segment_rows,
        }


@dataclass(frozen=True)
class Index:
    """Which video lies where.

    Attributes:
        ids: (n,) video ids, sorted.
        lengths: (n,) int64, rows of each video.
        sha256: (n,) SHA-256 of each video's bytes in rows.bin, 64 hex digits.
        taken: the frames that the rows were made from; None for rows that were not made here.
    """

    ids: tuple[str, ...]
    lengths: np.ndarray
    sha256: tuple[str, ...]
    taken: FramesTaken | None = None

    def save(self, path: Path) -> None:
        """Writes index.safetensors. Raises: SaveError."""
        arrays = {"lengths": self.lengths, "sha256": _as_bytes(self.sha256)}
        if self.taken is not None:
            arrays |= self.taken.arrays()
        write_tensors(path, arrays, {"kind": "pack-index", "ids": self.ids})

    @classmethod
    def load(cls, path: Path) -> Index:
        """Reads what `save` wrote. Raises: InvalidData for any other file, and for ids that no file may have."""
        arrays, values = read_tensors(path)
        ids: Any = values.get("ids")
        count = len(ids) if isinstance(ids, list) else -1
        forms = {"lengths": ("<i8", (count,)), "sha256": ("|u1", (count, 32))}
        if set(arrays) != set(forms):
            forms |= {"frames": ("<i8", (count,)), "times": ("<i8", (_total(arrays.get("frames")),))}
            forms |= {"time_bases": ("<i8", (count, 2)), "frames_sha256": ("|u1", (count, 32))}
            forms |= {"segments": ("<i8", (count,)), "segment_rows": ("<i8", (_total(arrays.get("segments")),))}
        whole = (
            {name: (array.dtype.str, array.shape) for name, array in arrays.items()} == forms
            and all(isinstance(video_id, str) for video_id in ids)
            and sorted(set(ids)) == ids
            and bool((arrays["lengths"] > 0).all())
            and bool((arrays.get("frames", arrays["lengths"]) > 0).all())
        )
        if not whole:
            raise InvalidData(f"{path} is not the index of a pack. {AGAIN}")
        for video_id in ids:
            check_id(video_id, str(path))
        taken = None
        if "frames" in arrays:
            hexed = _as_hex(arrays["frames_sha256"])
            segments = arrays["segments"], arrays["segment_rows"]
            taken = FramesTaken(arrays["frames"], arrays["times"], arrays["time_bases"], hexed, *segments)
        return cls(tuple(ids), arrays["lengths"], _as_hex(arrays["sha256"]), taken)


def _total(counts: np.ndarray | None) -> int:
    """Returns the sum of whole numbers; -1 for anything else."""
    return int(counts.sum()) if counts is not None and counts.dtype.kind == "i" else -1


def _as_bytes(digests: tuple[str, ...]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(digests)), dtype=np.uint8).reshape(-1, 32)


def _as_hex(digests: np.ndarray) -> tuple[str, ...]:
    return tuple(bytes(row).hex() for row in digests)


def pack_digest(header: Header, index: Index) -> str:
    """Returns the digest of a pack's content; `header.digest` itself does not count."""
    said = header.model_dump(include={"format", "extractor", "dim", "dtype", "stride", "kind"})
    if header.made is not None:
        said["made"] = header.made.model_dump()
    content = [said, list(zip(index.ids, index.lengths.tolist(), index.sha256, strict=True))]
    if index.taken is not None:
        arrays = index.taken.arrays().items()
        content.append({name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays})
    return digest(content)


def as_stored(name: str, video_id: str, values: np.ndarray, dtype: Dtype) -> np.ndarray:
    """Returns rows (T, D) of the features `name` in a pack's number type.

    Raises: InvalidData for NaN, infinity and what becomes it.
    """
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InvalidData(f"{name}: video {video_id!r} holds NaN or infinity. Extract its features again.")
    if max(-low, high) >= LARGEST[dtype]:
        raise InvalidData(
            f"{name}: video {video_id!r} holds {max(low, high, key=abs):g}, and {dtype} ends at 65504. Pack with "
            "--dtype float32."
        )
    return np.ascontiguousarray(values, dtype=LITTLE_ENDIAN[dtype])


def video_digest(rows: np.ndarray) -> str:
    """Returns the SHA-256 of the bytes of contiguous rows (T, D)."""
    return hashlib.sha256(memoryview(rows.data).cast("B")).hexdigest()


def read_header(folder: Path) -> Header:
    """Returns what pack.json says. Raises: MissingData, InvalidData."""
    if not folder.is_dir():
        unfinished = folder.with_name(f"{folder.name}.part").is_dir()
        hint = (
            "It is unfinished: go on with the command that began it." if unfinished else "Correct `pack` in bench.yaml."
        )
        raise MissingData(f"{folder}: no such pack. {hint}")
    raw = read_json(folder / HEADER, f"a pack: a folder with {HEADER}, {INDEX} and {ROWS}")
    version = raw.get("format") if isinstance(raw, dict) else None
    if version not in (COPIED, EXTRACTED):
        raise InvalidData(
            f"{folder / HEADER} says format {shown(version)}; this bench reads {COPIED!r} and {EXTRACTED!r}. Pack the "
            "features again."
        )
    for name in (INDEX, ROWS):
        if not (folder / name).is_file():
            raise InvalidData(f"{folder} is not a whole pack: {name} is missing. {AGAIN}")
    try:
        return Header.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or HEADER
        raise InvalidData(f"{folder / HEADER}: {where}: {first['msg']}. {AGAIN}") from None


def check_made(where: str, header: Header, videos: VideoFolder) -> None:
    """Raises InvalidData when a pack was not made as bench.yaml declares."""
    from bench.video import Sampler

    made = header.made
    if made is None:
        raise InvalidData(
            f"{where} were not made from videos. Declare them as '{{pack: FOLDER}}', or name another pack."
        )
    asked = {
        "encoder": called(videos.encoder),
        "sampler": Sampler.parse(videos.sampler).words,
        "segments": videos.segments,
    }
    stated = {"encoder": called(made.encoder), "sampler": made.sampler, "segments": made.segments}
    reader = made.reader.partition(" ")[0].lower()
    if reader != "images":  # else it was made from still images alone, which every backend reads in one way
        asked["backend"], stated["backend"] = videos.backend, reader
    for name, value in videos.settings.items():
        asked[name], stated[name] = str(value), str(made.settings.get(name, ""))
        if "@sha256:" in stated[name]:  # a file, of which the pack says name and digest
            asked[name], stated[name] = Path(asked[name]).name, stated[name].partition("@sha256:")[0]
    for name, value in asked.items():
        if stated[name] != value:
            raise InvalidData(
                f"{where} were made with {name} {stated[name]!r}, and bench.yaml asks for {value!r}. Name another "
                "`pack:` there and extract, or delete this one."
            )


def called(encoder: str) -> str:
    """Returns the name of an encoder with its argument; of a folder its own name alone, not where it lies."""
    name, colon, argument = encoder.partition(":")
    here = Path(argument).expanduser().resolve().name if argument.startswith(("/", ".", "~")) else argument
    return f"{name}{colon}{here}"

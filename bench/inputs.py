"""What a model sees: videos as frame features and segments, paragraphs as sentences, and training data.

Nothing here says which paragraph belongs to which video of a test set: that lives in `bench.annotations`, which
models never import. Ids are opaque, and the order of videos tells nothing about the order of paragraphs.

Letters for shapes: `n` items, `B` videos of a batch, `S` segments of a batch, `R` feature rows, `D` feature dimension.
Tensors are torch tensors; this module only calls their methods and does not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bench.errors import UsageError
from bench.matching import Unit

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from bench.models.pictures import Pictures

Paragraph = tuple[str, ...]
"""The sentences of one video, in order. Tokenising is the model's business."""

DataKind = Literal["real", "simulated", "generated"]
"""`real`: real annotations and features; `simulated`: real annotations, made-up features; `generated`: all made up."""

Order = Literal["prefix", "random"]


@dataclass(frozen=True)
class Ragged:
    """Variable-length sequences without padding; the one place that pads and masks.

    Lengths stay on the CPU, where nobody waits for a GPU to know one; what methods make of them is beside the values.

    Attributes:
        values: (sum of lengths, *) all sequences one after the other.
        lengths: (n,) int64, the length of each sequence; on the CPU.
    """

    values: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        return int(self.lengths.shape[0])

    def offsets(self) -> Tensor:
        """Returns (n,) int64: where each sequence starts in `values`."""
        return self.beside(self.lengths.cumsum(0) - self.lengths)

    def owners(self) -> Tensor:
        """Returns (sum of lengths,) int64: which sequence each row of `values` belongs to."""
        return self.beside((self.lengths.new_ones(len(self)).cumsum(0) - 1).repeat_interleave(self.lengths))

    def mask(self) -> Tensor:
        """Returns (n, longest) bool: true where a padded sequence has a value."""
        return self.beside(self._mask())

    def places(self) -> Tensor:
        """Returns (sum of lengths,) int64: where each row of `values` is among the n * longest rows of `padded`."""
        return self.beside(self._mask().flatten().nonzero()[:, 0])

    def padded(self, fill: float = 0.0) -> Tensor:
        """Returns (n, longest, *): the sequences padded at the end, with zeros unless `fill` is another number."""
        (count, longest), (_, *rest) = self._mask().shape, self.values.shape
        rows = self.values.new_full((count * longest, *rest), fill).index_put((self.places(),), self.values)
        return rows.view(count, longest, *rest)

    def beside(self, tensor: Tensor) -> Tensor:
        """Returns `tensor`, made of lengths on the CPU, on the device of the values; nobody waits for the copy."""
        return _moved(tensor, self.values.device, non_blocking=True) if self.values.is_cuda else tensor

    def to(self, device: str, *, non_blocking: bool = False) -> Ragged:
        """Returns the same sequences with their values on `device`; without waiting, if that is asked for."""
        return Ragged(_moved(self.values, device, non_blocking=non_blocking), self.lengths)

    def _mask(self) -> Tensor:
        return self.lengths.new_ones(max(self.lengths.tolist(), default=0)).cumsum(0)[None, :] <= self.lengths[:, None]


@dataclass(frozen=True)
class VideoBatch:
    """A batch of videos, as frame features.

    Attributes:
        ids: (B,) opaque names.
        frames: B sequences of (rows, D) float32: the whole video, sub-sampled evenly to the model's row cap.
        segments: B sequences of (segments, 2) float32: start and end of each segment in seconds.
        clip_frames: S sequences of (rows, D) float32: one per segment, in the order of `segments.values`.
        durations: (B,) float32, seconds.
        pictures: the frames behind the rows; None for a model that does not ask for them (`ModelSpec.reads_pictures`).
    """

    ids: tuple[str, ...]
    frames: Ragged
    segments: Ragged
    clip_frames: Ragged
    durations: Tensor
    pictures: Pictures | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.ids)

    def same(self) -> Tensor | None:
        """Returns (B, B) bool: whether entries i and j are one video; None where every video stands here once.

        In training a video with several captions is in the data once for each of them. Two of its entries in one batch
        are no negatives of each other, and no loss may take them for such.
        """
        number = {video_id: i for i, video_id in enumerate(dict.fromkeys(self.ids))}
        if len(number) == len(self.ids):
            return None
        numbers = self.segments.lengths.new_tensor([number[video_id] for video_id in self.ids])
        return self.segments.beside(numbers[:, None] == numbers[None, :])

    def to(self, device: str, *, non_blocking: bool = False) -> VideoBatch:
        """Returns the same batch on `device`; lengths stay on the CPU."""
        sides = (self.frames, self.segments, self.clip_frames)
        frames, segments, clip_frames = (side.to(device, non_blocking=non_blocking) for side in sides)
        durations = _moved(self.durations, device, non_blocking=non_blocking)
        return VideoBatch(self.ids, frames, segments, clip_frames, durations, pictures=self.pictures)


def _moved(tensor: Tensor, device: Any, *, non_blocking: bool) -> Tensor:
    """Returns a tensor on `device`; a GPU copies without anybody waiting from page-locked memory alone."""
    if non_blocking and not tensor.is_cuda and str(device).startswith("cuda") and not tensor.is_pinned():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=non_blocking)


class Videos(Protocol):
    """Videos of a split, read lazily in the batches that are asked for."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Opaque ids, (n,)."""

    @property
    def rows(self) -> np.ndarray:
        """(n,) int64: feature rows each video costs (whole video plus clips, after the row cap)."""

    @property
    def dim(self) -> int:
        """Feature dimension D."""

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int]) -> VideoBatch:
        """Returns the videos at `indices`, in that order, on the CPU."""

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        """Yields one batch on `device` for each group of indices, reading ahead of the consumer."""


@dataclass(frozen=True)
class View:
    """How a split is cut before a model sees it.

    Attributes:
        segments: `gt` (the annotators' segments), `uniform-k` (k equal windows), or `none` (one segment: the video).
        keep_videos: fraction of its annotated clips that a video keeps; `segments` are laid over what is left.
        keep_text: fraction of its sentences that a paragraph keeps.
        order, seed: which ones are kept: the first, or random ones in their order.
        shuffle: what stands in another order, drawn by `seed`: `clips` (`frames` stay), `sentences`, or nothing.
        text: what one text is.
    """

    segments: str = "gt"
    keep_videos: float = 1.0
    keep_text: float = 1.0
    order: Order = "prefix"
    seed: int = 0
    shuffle: Literal["", "clips", "sentences"] = ""
    text: Unit = "paragraph"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"gt|none|uniform-[1-9][0-9]{0,3}", self.segments):
            raise UsageError(
                f"segments={self.segments!r} is not a segment source. Use gt, none or uniform-K (such as uniform-4)."
            )
        if not (0 < self.keep_videos <= 1 and 0 < self.keep_text <= 1):
            raise UsageError(f"{self}: fractions kept must be above 0 and at most 1, such as 0.4.")

    @property
    def aligned(self) -> bool:
        """True when segment i belongs to sentence i."""
        return self.segments == "gt" and self.keep_videos == self.keep_text and not self.shuffle

    @property
    def complete(self) -> View:
        """The same view of whole videos and whole texts."""
        return View(self.segments, text=self.text)


@dataclass(frozen=True)
class Inputs:
    """What a model is asked to embed: videos and paragraphs in unrelated orders, with opaque ids, cut by `view`.

    A paragraph is one text in the unit that `view.text` says: a caption asked on its own is one of one sentence.

    Attributes:
        under: returns the same test set, in the same orders, cut by another view.
        class_names: the classes to tell apart; () unless the task hands them out.
        pairing: the place in `videos` of the video that each paragraph, and each of its sentences, belongs to, None
            where that video has no features; () unless the task asks for it. It is for the task: no model gets Inputs.
        labelled: returns training videos with their classes, cut like the videos; None unless the task hands them out.
    """

    videos: Videos
    paragraph_ids: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]
    view: View = field(default_factory=View)
    under: Callable[[View], Inputs] | None = field(default=None, repr=False, compare=False)
    class_names: tuple[str, ...] = ()
    pairing: tuple[int | None, ...] = ()
    labelled: Callable[[], TrainingData] | None = field(default=None, repr=False, compare=False)


class VideoSubset:
    """Some of the videos of another collection; `indices` count in that collection."""

    def __init__(self, videos: Videos, indices: Sequence[int]) -> None:
        import numpy as np

        self._videos = videos
        self._indices = np.asarray(indices, dtype=np.int64)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._videos.ids[i] for i in self._indices)

    @property
    def rows(self) -> np.ndarray:
        return self._videos.rows[self._indices]

    @property
    def dim(self) -> int:
        return self._videos.dim

    def __len__(self) -> int:
        return len(self._indices)

    def batch(self, indices: Sequence[int]) -> VideoBatch:
        return self._videos.batch(self._indices[list(indices)].tolist())

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        return self._videos.batches([self._indices[list(group)].tolist() for group in groups], device)


@dataclass(frozen=True)
class TrainingData:
    """The training split of a dataset under one view. Video i belongs to paragraph i, and to the classes `labels[i]`.

    A video whose captions are asked one by one stands here once for each of them, always under the same id: two entries
    of one id are one video, and the caption of either is right for both (`VideoBatch.same`).

    Attributes:
        videos: (n,) videos.
        paragraphs: (n,) paragraphs or captions; empty ones for a model that learns from videos or labels.
        aligned: true when clip j of a video belongs to sentence j of its paragraph (ground-truth segments).
        heldout: indices of the part set aside for choosing settings and epochs; disjoint from every test split. Where
            there are groups, whole ones.
        labels: (n,) classes of each video, indices into `class_names`, the main one first; () without classes.
        class_names: names of the classes.
        groups: (n,) the source that each video comes from, numbered; () where nobody said which share one.
    """

    videos: Videos
    paragraphs: tuple[Paragraph, ...]
    aligned: bool
    heldout: tuple[int, ...]
    labels: tuple[tuple[int, ...], ...] = ()
    class_names: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.paragraphs)

    def subset(self, indices: Sequence[int]) -> TrainingData:
        """Returns the training data at `indices`, without a held-out part of its own."""
        return replace(
            self,
            videos=VideoSubset(self.videos, indices),
            paragraphs=tuple(self.paragraphs[i] for i in indices),
            heldout=(),
            labels=tuple(self.labels[i] for i in indices) if self.labels else (),
            groups=tuple(self.groups[i] for i in indices) if self.groups else (),
        )

    def split(self) -> tuple[TrainingData, TrainingData]:
        """Returns the part to fit on and the held-out part."""
        held = set(self.heldout)
        return self.subset([i for i in range(len(self)) if i not in held]), self.subset(self.heldout)

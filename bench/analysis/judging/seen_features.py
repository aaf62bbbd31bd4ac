"""What the captions of a run are about, as the dual encoder saw it that made features of the run's videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.analysis.examples.scored import ScoredRun
from bench.catalogue.encoders import EncoderPlan, plan_encoder
from bench.catalogue.lookup import Session
from bench.data.dataset import Dataset
from bench.data.declared import PACK
from bench.errors import InvalidData, MissingData, UnsupportedTask, unknown_name
from bench.models import is_dual
from bench.models.frozen import MeanOfFrames
from bench.results import sampled
from bench.tasks.captioning import Captioning

EVERY_ROW = 2**31
"""More rows than a video has: none is left out."""
AT_ONCE = 16
"""Videos that are read together."""


@dataclass(frozen=True)
class SeenFeatures:
    """Features of a run's videos, and the dual encoder that made them.

    Attributes:
        dataset: the run's, opened on these features.
        split: the run's test split.
        encoder: the encoder.
    """

    dataset: Dataset
    split: str
    encoder: EncoderPlan

    @property
    def parts(self) -> dict[str, str]:
        """The parts of a signature that say what was seen, and by whom."""
        identity = self.dataset.feature_identity([self.split])
        return {
            "encoder": self.encoder.spec.name,
            "weights": self.encoder.digest[:8],
            "features": f"{identity.extractor}-{identity.dim}:{identity.digest[:8]}",
            **sampled(identity.made),
        }

    def pictures(
        self, run: ScoredRun, segments: Mapping[str, int], model: MeanOfFrames, device: str
    ) -> dict[str, np.ndarray]:
        """Returns opaque id -> (segments, d): the mean direction of the frames of each segment of some videos.

        Args:
            segments: opaque id -> how many segments of it were captioned.

        Raises: MissingData for videos without features; InvalidData where they are broken, or segments are others.
        """
        # Under `exclude` the first videos that have these features may be others than the run's.
        own = self.dataset.declaration.missing != "exclude" and segments.keys() <= run.said.keys()
        limit = run.result.limit if own else None
        shown = self.dataset.inputs(self.split, run.task.view, max_rows=EVERY_ROW, limit=limit).videos
        place = {video: number for number, video in enumerate(shown.ids)}
        if lacking := [run.names[video] for video in segments if video not in place]:
            raise MissingData(
                f"features {self.dataset.declaration.features.name!r} lack {len(lacking):,} of {len(segments):,} "
                f"videos that have captions, such as {lacking[0]!r}. Extract them, or name others: --features NAME."
            )
        videos = list(segments)
        groups = [videos[start : start + AT_ONCE] for start in range(0, len(videos), AT_ONCE)]
        found: dict[str, np.ndarray] = {}
        for batch in shown.batches([[place[video] for video in group] for group in groups], device):
            clips = model.embed_clips(batch)
            ends = np.cumsum(clips.lengths.numpy())[:-1]
            found |= dict(zip(batch.ids, np.split(clips.values.cpu().numpy(), ends), strict=True))
        if any(len(found[video]) != count for video, count in segments.items()):
            raise InvalidData(f"{run.result.run} answers other segments than the dataset has: `bench rescore` it.")
        self.dataset.check_unchanged()
        return found


def seen_features(session: Session, task: Captioning, name: str | None) -> SeenFeatures:
    """Returns features for the videos of a task, with the dual encoder that made them.

    Args:
        name: of features in bench.yaml; None for those of the task's dataset.

    Raises: UnknownName; UnsupportedTask for features that no dual encoder made; DataError where they are missing.
    """
    declared = session.config.features
    if name is not None and name not in declared:
        raise unknown_name("feature source", name, declared)
    chosen = session.catalogue.features(declared[name]) if name is not None else None
    dataset = session.dataset(task.dataset, chosen)
    features = dataset.declaration.features
    made = dataset.feature_identity([task.split]).made if features.reader == PACK else {}
    by = features.videos.encoder if features.videos else made.get("encoder", "")
    if not by or not is_dual(session.catalogue.encoder(by)):
        who = f"encoder {by!r}, which reads no text" if by else "others"
        raise _not_seen_by_dual(session, features.name, who)
    encoder = plan_encoder(session.catalogue, by, features.videos.settings if features.videos else None)
    if who := encoder.stranger(made):
        raise _not_seen_by_dual(session, features.name, who)
    return SeenFeatures(dataset, task.split, encoder)


def _not_seen_by_dual(session: Session, features: str, who: str) -> UnsupportedTask:
    dual = ", ".join(sorted(name for name, spec in session.catalogue.encoders.items() if is_dual(spec)))
    return UnsupportedTask(
        f"CLIPScore sets captions beside features of an encoder that reads text, too; {features!r} were made by {who}. "
        f"Such encoders: {dual or 'none is installed'}. Declare features: {{NAME: {{videos: FOLDER, encoder: ENCODER, "
        "sampler: frames=16}} in bench.yaml, `bench features extract NAME`, and name them: --features NAME."
    )

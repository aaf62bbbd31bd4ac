"""What a model says, saved before it is scored: scoring starts from these files and never needs the model.

Ids are opaque and the order of videos tells nothing about the order of paragraphs. `load_predictions` reads whichever
kind a file holds: captions are JSON Lines, everything else is safetensors.
"""

from __future__ import annotations

from pathlib import Path

from bench.errors import InvalidData
from bench.files import PathLike, read_tensors
from bench.predictions.captions import Captions
from bench.predictions.class_scores import ClassScores
from bench.predictions.embeddings import EmbeddingCurve, Embeddings, PairScores

__all__ = ["Captions", "ClassScores", "EmbeddingCurve", "Embeddings", "PairScores", "Predictions", "load_predictions"]

Predictions = Embeddings | PairScores | EmbeddingCurve | Captions | ClassScores
"""What a model may answer to a task."""


def load_predictions(path: PathLike) -> Predictions:
    """Returns the predictions that `save` wrote, of any kind. Raises: InvalidData for any other file."""
    path = Path(path)
    if path.suffix == Captions.suffix:
        return Captions.load(path)
    arrays, values = read_tensors(path)
    kinds = {kind.kind: kind for kind in (Embeddings, PairScores, EmbeddingCurve, ClassScores)}
    if values.get("kind") not in kinds:
        raise InvalidData(f"{path} holds {values.get('kind')}, not predictions. Run again with --no-resume.")
    try:
        return kinds[values["kind"]].from_file(arrays, values)
    except KeyError as error:
        raise InvalidData(f"{path} holds no predictions: it lacks {error}. Run again with --no-resume.") from error

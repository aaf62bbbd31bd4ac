"""What a model says, saved before it is scored: scoring starts from these files and never needs the model.

Ids are opaque and the order of videos tells nothing about the order of paragraphs. Ours are JSON Lines for captions,
and safetensors for everything else; a task may bring a kind of its own.
"""

from bench.predictions.captions import Captions
from bench.predictions.class_scores import ClassScores
from bench.predictions.embeddings import EmbeddingCurve, Embeddings, PairScores
from bench.predictions.saved import Predictions, load_predictions

__all__ = ["Captions", "ClassScores", "EmbeddingCurve", "Embeddings", "PairScores", "Predictions", "load_predictions"]

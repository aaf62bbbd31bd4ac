"""All that the author of a dataset or a feature reader imports, promised to stay."""

from __future__ import annotations

from bench.data.dataset import Dataset
from bench.data.declared import (
    DatasetDeclaration,
    DatasetSpec,
    FeatureDeclaration,
    FeatureIdentity,
    FeatureReader,
    FeatureSource,
    SplitDeclaration,
)
from bench.data.opening import open_annotated
from bench.data.tables import AnnotatedVideos

__all__ = [
    "AnnotatedVideos",
    "Dataset",
    "DatasetDeclaration",
    "DatasetSpec",
    "FeatureDeclaration",
    "FeatureIdentity",
    "FeatureReader",
    "FeatureSource",
    "SplitDeclaration",
    "open_annotated",
]

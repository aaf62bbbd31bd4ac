"""All that the author of a task imports beside `bench.api`, promised to stay."""

from __future__ import annotations

from bench.annotations import (
    Annotations,
    AnnotationSource,
    CaptionAnnotations,
    ClassAnnotations,
    Described,
    RetrievalAnnotations,
)
from bench.data.declared import DatasetDeclaration
from bench.evidence.query_values import QueryValues, measure, values_evidence
from bench.files import write_tensors
from bench.matching import Matching
from bench.predictions.saved import Predictions, Tensors
from bench.results import Evidence, Measurement
from bench.tasks.parameters import Parameter
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Progress, Scored, Scratch, Support, Task

__all__ = [
    "AnnotationSource",
    "Annotations",
    "CaptionAnnotations",
    "ClassAnnotations",
    "DatasetDeclaration",
    "Described",
    "Evidence",
    "Matching",
    "Measurement",
    "ParagraphVideoRetrieval",
    "Parameter",
    "Predictions",
    "Progress",
    "QueryValues",
    "RetrievalAnnotations",
    "Scored",
    "Scratch",
    "Support",
    "Task",
    "Tensors",
    "measure",
    "values_evidence",
    "write_tensors",
]

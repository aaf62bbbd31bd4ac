"""All that the author of a task imports beside `bench.api`, promised to stay."""

from __future__ import annotations

from bench.annotations import RetrievalAnnotations
from bench.data.declared import DatasetDeclaration
from bench.matching import Matching
from bench.results import Evidence, Measurement
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Progress, Scored, Scratch, Task

__all__ = [
    "DatasetDeclaration",
    "Evidence",
    "Matching",
    "Measurement",
    "ParagraphVideoRetrieval",
    "Progress",
    "RetrievalAnnotations",
    "Scored",
    "Scratch",
    "Task",
]

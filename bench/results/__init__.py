"""What we publish: records, the evidence their numbers follow from, and signatures that say how they were made."""

from bench.results.evidence import Evidence, same_value
from bench.results.fields import MOST, Finite, Int, Record, Sha256, Unit
from bench.results.provenance import SPENT, Checkpoint, Provenance, Rescored, Spent, spent_by, spent_words
from bench.results.record import (
    BOUNDS,
    SCHEMA,
    Bounds,
    Data,
    Features,
    File,
    Measurement,
    Missing,
    Model,
    Result,
    Said,
    TaskName,
)
from bench.results.signatures import WEIGHTS, comparable, parse_signature, protocol, sampled, signature

__all__ = [
    "BOUNDS",
    "MOST",
    "SCHEMA",
    "SPENT",
    "WEIGHTS",
    "Bounds",
    "Checkpoint",
    "Data",
    "Evidence",
    "Features",
    "File",
    "Finite",
    "Int",
    "Measurement",
    "Missing",
    "Model",
    "Provenance",
    "Record",
    "Rescored",
    "Result",
    "Said",
    "Sha256",
    "Spent",
    "TaskName",
    "Unit",
    "comparable",
    "parse_signature",
    "protocol",
    "same_value",
    "sampled",
    "signature",
    "spent_by",
    "spent_words",
]

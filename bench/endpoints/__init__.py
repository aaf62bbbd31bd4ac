"""Models that are asked in words: questions with pictures, one client for their endpoints, and every answer kept."""

from bench.endpoints.asking import Answerer, Asker, Tally
from bench.endpoints.kept import KeptAnswers
from bench.endpoints.opening import answered_by, asker_of, endpoint_of
from bench.endpoints.prompts import Prompt, read_prompt
from bench.endpoints.questions import Answer, Question, Sampling, Served

__all__ = [
    "Answer",
    "Answerer",
    "Asker",
    "KeptAnswers",
    "Prompt",
    "Question",
    "Sampling",
    "Served",
    "Tally",
    "answered_by",
    "asker_of",
    "endpoint_of",
    "read_prompt",
]

"""`--similarity` of `bench score retrieval`: a matrix, which of its columns are right, and what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.saying import echo
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.matching import Matching
    from bench.metrics.similarities import Similarities
    from bench.results import Evidence
    from bench.scoring.transforms import Ranked, Transform

_FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class MatrixFlags:
    """The flags that are about a matrix, as given."""

    similarity: Path | None
    key: str | None
    ids: Path | None
    video_of: Path | None
    videos: Path | None
    distances: bool
    transform: str | None
    transformed: str | None
    query_bank: Path | None

    @property
    def given(self) -> list[str]:
        """The flags, beside --similarity, that were given."""
        names = [field.name for field in fields(self) if getattr(self, field.name) and field.name != "similarity"]
        return [f"--{name.replace('_', '-')}" for name in names]


@dataclass(frozen=True)
class CountedScores:
    """What a matrix is worth: evidence, parts of the signature, and what to know beside the score."""

    evidence: Evidence
    rules: dict[str, str]
    remarks: tuple[str, ...]


def matrix_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the flags that are about a matrix, and hands them to the command as one `matrix`."""

    @wraps(command)
    def gathered(**flags: object) -> None:
        said = {field.name: flags.pop(field.name) for field in fields(MatrixFlags)}
        command(**flags, matrix=MatrixFlags(**said))  # type: ignore[arg-type]

    for option in reversed(
        (
            click.option("--similarity", type=_FILE, help="Matrix in .npy, .npz, .safetensors; rows are text queries."),
            click.option("--key", help="Name of the matrix where the file holds several arrays."),
            click.option(
                "--ids", type=_FILE, help="Right columns of each row, counted from 0 (default: the diagonal)."
            ),
            click.option(
                "--video-of",
                type=_FILE,
                help="Video id of each row, for several captions per video. Columns are the videos in the order in "
                "which they first occur here, unless --videos names them.",
            ),
            click.option(
                "--videos",
                type=_FILE,
                help="With --video-of: id of each column, also of videos without a caption.",
            ),
            click.option("--distances", is_flag=True, help="The matrix holds distances: the lowest ranks first."),
            click.option(
                "--transform",
                help="Post-process by the other queries first: none, dual-softmax[:100], dual-softmax-t2v[:100], "
                "inverted-softmax[:20] or qb-norm[:20]. It has boards of its own; docs/scoring.md says what each is.",
            ),
            click.option(
                "--transformed", help="The same, done already by whoever made the matrix, such as dual-softmax:100."
            ),
            click.option(
                "--query-bank",
                type=_FILE,
                help="For inverted-softmax and qb-norm: similarities of other queries, such as training captions, with "
                "the videos.",
            ),
        )
    ):
        gathered = option(gathered)
    return gathered


def check_flags(matrix: MatrixFlags) -> None:
    """Raises UsageError for flags that do not go together."""
    if matrix.ids and matrix.video_of:
        raise UsageError("--ids and --video-of were both given. Keep one.")
    if matrix.videos and not matrix.video_of:
        raise UsageError("--videos names the columns for --video-of, which names the rows: give both.")
    if matrix.transform and matrix.transformed:
        raise UsageError("--transform is done here, --transformed was done before. Keep the one that is true.")
    applied, _ = _transforms(matrix)
    if applied and matrix.distances:
        raise UsageError(f"--transform {applied}: its formula takes similarities, not distances. Leave one out.")
    if applied and applied.name == "qb-norm" and not matrix.query_bank:
        raise UsageError("--transform qb-norm needs --query-bank FILE: similarities of other queries with the videos.")
    if matrix.query_bank and (not applied or applied.name.startswith("dual-softmax")):
        raise UsageError(
            "--query-bank is for --transform inverted-softmax or qb-norm. Give one of them, or leave it out."
        )


def score_matrix(matrix: MatrixFlags, file: Path, task: str, split: str) -> CountedScores:
    """Returns what a matrix is worth. Remarks for the terminal go to stderr."""
    from bench.scoring import matches
    from bench.scoring.matrix_facts import facts_of
    from bench.scoring.matrix_files import negated, similarity_file

    with similarity_file(file, matrix.key) as stored:
        matches.check_shape(stored, file)
        similarities = negated(stored) if matrix.distances else stored
        chosen = _matching(matrix, similarities.shape)
        with _ranked(matrix, similarities) as ranked:
            pool = matches.pool_of(chosen, task, split)
            evidence = matches.evidence_of(ranked.texts, chosen, pool, ranked.videos)
            facts = facts_of(similarities, ranked.texts, evidence, explained=ranked.transform is not None)
    for line in (*ranked.remarks, *(fact.says for fact in facts if fact.odd)):
        echo(line, err=True)
    rules = {"source": "similarity", "dtype": stored.dtype}
    if ranked.transform:
        rules["transform"] = str(ranked.transform)
    return CountedScores(evidence, rules, (*ranked.remarks, *(fact.says for fact in facts)))


def _matching(matrix: MatrixFlags, shape: tuple[int, int]) -> Matching:
    from bench.scoring import matches

    if matrix.ids:
        return matches.from_columns(matrix.ids, shape)
    if not matrix.video_of:
        return matches.on_the_diagonal(shape)
    matching = matches.from_video_ids(matrix.video_of, shape, matrix.videos)
    if not matrix.videos:
        what = "columns are taken as the videos in the order in which they first occur in"
        echo(f"{what} {matrix.video_of}; --videos FILE names them otherwise", err=True)
    return matching


@contextmanager
def _ranked(matrix: MatrixFlags, similarities: Similarities) -> Iterator[Ranked]:
    """Gives what is ranked: the matrix as it is, as somebody transformed it before, or as it is transformed here."""
    from bench.scoring.matrix_files import similarity_file
    from bench.scoring.transforms import Ranked, as_declared, check_bank, transformed

    applied, declared = _transforms(matrix)
    if applied is None:
        yield as_declared(similarities, declared) if declared else Ranked(similarities, similarities)
    elif matrix.query_bank is None:
        with transformed(similarities, applied, None) as ranked:
            yield ranked
    else:
        with similarity_file(matrix.query_bank, flag="--query-bank takes a file of one matrix") as bank:
            check_bank(bank, matrix.query_bank, similarities.shape[1])
            with transformed(similarities, replace(applied, bank=bank.shape[0]), bank) as ranked:
                yield ranked


def _transforms(matrix: MatrixFlags) -> tuple[Transform | None, Transform | None]:
    """Returns what is to be applied and what was applied before, without the size of a bank that is not read yet."""
    from bench.scoring.transforms import parse_transform

    applied = parse_transform("--transform", matrix.transform, done=False) if matrix.transform else None
    declared = parse_transform("--transformed", matrix.transformed, done=True) if matrix.transformed else None
    return applied, declared

"""`--queries` and `--items` of `bench score retrieval`: embeddings in two files, ranked by several processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path

import click

from bench.cli.options import WholeRange
from bench.cli.saying import echo
from bench.cli.score_matrix import CountedScores, MatrixFlags
from bench.errors import UsageError
from bench.reading.numbers import number_of

_FILE = click.Path(path_type=Path)
_SHARED = ("--ids", "--video-of")
"""Flags about a matrix that say the same of two files of embeddings."""


@dataclass(frozen=True)
class EmbeddingFlags:
    """The flags that are about two files of embeddings, as given."""

    queries: Path | None
    items: Path | None
    jobs: int | None

    @property
    def given(self) -> list[str]:
        """The flags that were given."""
        return [f"--{field.name}" for field in fields(self) if getattr(self, field.name) is not None]


def embedding_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the flags that are about two files of embeddings, and hands them to the command as one `embeddings`."""

    @wraps(command)
    def gathered(**flags: object) -> None:
        said = {field.name: flags.pop(field.name) for field in fields(EmbeddingFlags)}
        command(**flags, embeddings=EmbeddingFlags(**said))  # type: ignore[arg-type]

    for option in reversed(
        (
            click.option(
                "--queries",
                type=_FILE,
                help="Embeddings of the queries, in .npy, .npz, .safetensors, .h5; with --items in place of a matrix.",
            ),
            click.option(
                "--items",
                type=_FILE,
                help="Embeddings of the items. Which are right: --ids, --video-of (the item of each query) or --qrels; "
                "without them equal ids, or row by row.",
            ),
            click.option(
                "--jobs",
                "-j",
                type=WholeRange(1),
                help="With --queries: processes that rank, one thread each (default: 1).",
            ),
        )
    ):
        gathered = option(gathered)
    return gathered


def embedding_files(embeddings: EmbeddingFlags, matrix: MatrixFlags, qrels: Path | None) -> tuple[Path, Path]:
    """Returns the files of queries and items. Raises: UsageError for flags that do not go together."""
    if not embeddings.queries or not embeddings.items:
        raise UsageError("--queries and --items belong together: give both files of embeddings.")
    if foreign := [flag for flag in matrix.given if flag not in _SHARED]:
        raise UsageError(f"{', '.join(foreign)}: belongs to --similarity. Leave it out, or score a matrix.")
    told = [flag for flag in matrix.given if flag in _SHARED] + ["--qrels"] * (qrels is not None)
    if len(told) > 1:
        raise UsageError(f"{' and '.join(told)} were both given: each says which items are right. Keep one.")
    return embeddings.queries, embeddings.items


def score_embeddings(
    files: tuple[Path, Path], matrix: MatrixFlags, qrels: Path | None, test: tuple[str, str], jobs: int
) -> CountedScores:
    """Returns what two files of embeddings are worth. Remarks for the terminal go to stderr.

    Args:
        files: of queries and of items.
        test: task and split.
        jobs: processes that rank.
    """
    from bench.cli.progress import counted
    from bench.scoring.embedding_files import embedding_file
    from bench.scoring.embeddings import evidence_of, places_of

    with embedding_file(files[0]) as queries, embedding_file(files[1]) as items:
        right = places_of(queries, items, columns=matrix.ids, item_of=matrix.video_of, qrels=qrels)
        with counted("ranking", "parts") as step:
            evidence = evidence_of(queries, items, right, test, jobs, step)
    remarks: tuple[str, ...] = ()
    if right.left_out:
        which = number_of(right.left_out, "query has", "queries have")
        remarks = (f"{which} no right item and {'is' if right.left_out == 1 else 'are'} left out",)
    for line in remarks:
        echo(line, err=True)
    dtypes = "+".join(dict.fromkeys((queries.dtype, items.dtype)))
    return CountedScores(evidence, {"source": "embeddings", "dtype": dtypes}, remarks)

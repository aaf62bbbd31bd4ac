"""Pure functions from predictions to numbers: ranking and statistics."""

from __future__ import annotations

from collections.abc import Sequence


def meteor(captions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, list[float]]:
    """Returns METEOR 1.5 of all captions as one corpus, and of each: 0 to 1, the numbers of the program in Java.

    The first call of a process opens a table that the first call of all builds; later ones cost a thousandth of a
    second or less for a caption, so it can be a reward in training.

    Args:
        captions: (n,) tokenised as they are to be compared; METEOR normalises them further.
        references: (n,) at least one of each.

    Raises: UsageError for captions and references that do not fit; ToolError or InvalidData when the data that
    pycocoevalcap installs is missing or damaged; SaveError when the table cannot be kept.
    """
    from bench.errors import UsageError
    from bench.metrics.captions.meteor.counting import meteor_counts
    from bench.metrics.captions.meteor.formula import meteor as scored

    if len(captions) != len(references):
        raise UsageError(f"{len(captions):,} captions and references of {len(references):,}. Give each its own.")
    if any(isinstance(texts, str) or not len(texts) for texts in references):
        raise UsageError("a caption has a list of references with at least one. Wrap a single one: [reference].")
    counts = meteor_counts(list(zip(captions, references, strict=True)))
    return float(scored(counts.sum(axis=0))), [float(value) for value in scored(counts)]

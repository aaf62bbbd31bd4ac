"""Pure functions from predictions to numbers: ranking and statistics."""

from __future__ import annotations

from collections.abc import Sequence

from bench.reading.numbers import number_of


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
    from bench.metrics.captions.meteor.counting import meteor_counts
    from bench.metrics.captions.meteor.formula import meteor as scored

    _check(captions, references)
    counts = meteor_counts(list(zip(captions, references, strict=True)))
    return float(scored(counts.sum(axis=0))), [float(value) for value in scored(counts)]


def cider(
    captions: Sequence[str], references: Sequence[Sequence[str]], documents: Sequence[str] | None = None
) -> list[float]:
    """Returns CIDEr of each caption, 0 to 10, as coco-caption counts it; that of a corpus is their mean.

    Args:
        captions: (n,) words joined by spaces, tokenised as they are to be compared.
        references: (n,) at least one of each.
        documents: what tells how rare words are, each a document; None for the references, those of a caption as one.

    Raises: UsageError for captions and references that do not fit.
    """
    from bench.metrics.captions.cider import cider as scored
    from bench.metrics.captions.ngrams import ngram_counts
    from bench.metrics.captions.texts import encode, number_items

    _check(captions, references)
    others = [] if documents is None else list(documents)
    sentences, both = number_items([*captions, *others], [*references, *([text] for text in others)])
    texts = encode(sentences)
    items, rest = both.split(len(captions))
    values = scored(texts, list(ngram_counts(texts)), items, None if documents is None else rest)
    return [float(value) for value in values]


def _check(captions: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    """Raises UsageError unless each caption has a list of references."""
    from bench.errors import UsageError

    if len(captions) != len(references):
        raise UsageError(
            f"{number_of(len(captions), 'caption')} and references of {len(references):,}. Give each its own."
        )
    if any(isinstance(texts, str) or not len(texts) for texts in references):
        raise UsageError("a caption has a list of references with at least one. Wrap a single one: [reference].")

"""Times our caption scorers against pycocoevalcap and compares their numbers, metric by metric, in one run.

One annotator's sentences are scored as captions against another's: every segment of val_2 with the sentence of val_1
that overlaps it most. Without the annotations, made-up sentences of the same number and length. CPU seconds of this
process and of the programs it starts; our METEOR runs in a process of its own, whose start is counted.

    python benchmarks/captions.py --annotations ../shared/data/activitynet_captions
    python benchmarks/captions.py --annotations ../shared/data/activitynet_captions --train-pairs 95000
    python benchmarks/captions.py --no-java
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from timing import processor, table

from bench.metrics import meteor as meteor_of
from bench.metrics.captions.bleu import bleu, bleu_counts
from bench.metrics.captions.cider import cider
from bench.metrics.captions.dense import tious
from bench.metrics.captions.java import java_program
from bench.metrics.captions.meteor.formula import meteor
from bench.metrics.captions.meteor.program import MeteorProgram
from bench.metrics.captions.ngrams import ngram_counts
from bench.metrics.captions.rouge import rouge_l
from bench.metrics.captions.texts import cut_at_spaces, encode, number_items
from bench.metrics.captions.tokenising import tokenised

SEED, SEGMENTS = 20181008, 17_031
# A process of its own: captions and references as JSON come in, counts go out; then its greatest memory in KB.
ALONE = """
import io, json, re, sys
from pathlib import Path
import numpy as np
from bench.metrics.captions.meteor.counting import meteor_counts
captions, references = json.load(sys.stdin)
counts = meteor_counts([(caption, [text]) for caption, text in zip(captions, references)])
content = io.BytesIO()  # numpy asks a file for its position, which a pipe does not have
np.save(content, counts)
sys.stdout.buffer.write(content.getvalue())
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


@dataclass(frozen=True)
class Part:
    """One part of scoring, by both.

    Attributes:
        theirs, ours: CPU seconds.
        difference: greatest difference of corpus and item scores, or None for a part that gives no score.
    """

    theirs: float
    ours: float
    difference: float | None = None


def cpu() -> float:
    """Returns the CPU seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the CPU seconds of a run, and what it gave."""
    before = cpu()
    found = run()
    return cpu() - before, found


def real_pairs(folder: Path, limit: int | None) -> tuple[list[str], list[str]]:
    """Returns for each segment of val_2 the sentence of val_1 that overlaps it most, and its own."""
    first, second = (
        json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes())) for name in ("val_1", "val_2")
    )
    said, told = [], []
    for video, entry in second.items():
        best = tious(np.array(entry["timestamps"]), np.array(first[video]["timestamps"])).argmax(axis=1)
        said += [" ".join(first[video]["sentences"][i].split()) for i in best]
        told += [" ".join(text.split()) for text in entry["sentences"]]
    return said[:limit], told[:limit]


def made_up_pairs(count: int) -> tuple[list[str], list[str]]:
    """Returns sentences of 13 words in the mean, from 8,000 words that are as unevenly frequent as English."""
    rng = np.random.default_rng(SEED)
    odds = 1 / np.arange(1, 8001)
    words = rng.choice(8000, size=(2, count, 30), p=odds / odds.sum())
    lengths = rng.integers(3, 24, size=(2, count))
    return tuple(  # type: ignore[return-value]
        [" ".join(f"w{word}" for word in row[:length]) + "." for row, length in zip(rows, side, strict=True)]
        for rows, side in zip(words, lengths, strict=True)
    )


def run(said: Sequence[str], told: Sequence[str], *, java: bool) -> dict[str, Part]:
    """Returns the parts of scoring by name. Scores are compared on the same tokens."""
    parts = {}
    ours_cut, cut = timed(lambda: tokenised([*said, *told], "regex"))
    theirs_cut = 0.0
    if java:
        theirs_cut, lines = timed(lambda: _ptb(said, told))
        same = sum(a == b for a, b in zip(cut, lines, strict=True))
        print(f"tokens: {same:,} of {len(cut):,} sentences as PTB has them ({100 * same / len(cut):.3f} %)")
        cut = lines
    parts["tokens"] = Part(theirs_cut, ours_cut)
    mine, theirs = cut[: len(said)], cut[len(said) :]
    shared, encoded = timed(lambda: _encoded(mine, theirs))
    gts, res = ({i: [text] for i, text in enumerate(side)} for side in (theirs, mine))
    for name, ours, reference in _metrics(*encoded):
        their_seconds, (whole, each) = timed(lambda reference=reference: reference(gts, res))
        our_seconds, (our_whole, our_each) = timed(ours)
        parts[name] = Part(their_seconds, our_seconds, _apart(whole, our_whole, each, our_each))
    parts["words and n-grams as numbers"] = Part(0.0, shared)
    parts["all of these"] = Part(sum(p.theirs for p in parts.values()), sum(p.ours for p in parts.values()))
    parts["METEOR"] = _meteor(mine, theirs, java=java)
    both = (parts["all of these"], parts["METEOR"])
    parts["all seven with tokens"] = Part(sum(p.theirs for p in both), sum(p.ours for p in both))
    return parts


def _ptb(said: Sequence[str], told: Sequence[str]) -> list[str]:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    sides = [PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(side)}) for side in (said, told)]
    return [side[i][0] for side in sides for i in range(len(said))]


def _encoded(mine: Sequence[str], theirs: Sequence[str]) -> tuple[Any, Any, Any, Any]:
    sentences, items = number_items(mine, [[text] for text in theirs])
    texts = encode(sentences)
    return texts, cut_at_spaces(sentences, texts), items, list(ngram_counts(texts))


def _metrics(
    texts: Any, spaced: Any, items: Any, orders: Any
) -> list[tuple[str, Callable[[], Any], Callable[..., Any]]]:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    def our_bleu() -> tuple[Any, Any]:
        counts = bleu_counts(texts, orders, items)
        return bleu(counts.sum(axis=0)), bleu(counts).T

    def mean(values: np.ndarray) -> tuple[Any, Any]:
        return values.mean(), values

    return [
        ("BLEU@1-4", our_bleu, lambda gts, res: Bleu(4).compute_score(gts, res, verbose=0)),
        ("ROUGE-L", lambda: mean(rouge_l(spaced, items)), Rouge().compute_score),
        ("CIDEr", lambda: mean(cider(texts, orders, items)), Cider().compute_score),
    ]


def _meteor(mine: Sequence[str], theirs: Sequence[str], *, java: bool) -> Part:
    """Returns METEOR's part, and prints what it takes beside; with Java also how many counts are the program's."""
    counted(mine[:1], theirs[:1])  # the table is there
    seconds, (counts, memory) = timed(lambda: counted(mine, theirs))
    print(f"METEOR, ours: {memory:.0f} MB, its table present")
    with tempfile.TemporaryDirectory() as folder:
        built, (_, memory) = timed(lambda: counted(mine, theirs, cache=folder))
    print(f"METEOR, ours, its table built in the same run: {built:.2f} CPU s, {memory:.0f} MB")
    few = list(mine[:100]), [[text] for text in theirs[:100]]
    meteor_of(*few)
    warm = min(timed(lambda: meteor_of(*few))[0] for _ in range(5))
    print(f"METEOR, ours, 100 captions in a warm process: {warm:.3f} CPU s")
    if not java:
        return Part(0.0, seconds)
    with MeteorProgram([(caption, [text]) for caption, text in zip(mine, theirs, strict=True)]) as program:
        same = (program.counts() == counts).all(axis=1).sum()
    print(f"METEOR: {same:,} of {len(counts):,} segments with the counts of the program")
    their_seconds, (whole, each) = timed(lambda: _reference_meteor(mine, theirs))
    ours, corpus = meteor(counts), float(meteor(counts.sum(axis=0)))
    print(f"METEOR of the corpus: {whole!r} and {corpus!r}; built in the same run: {their_seconds / built:.1f} times")
    return Part(their_seconds, seconds, _apart(whole, corpus, each, ours))


def counted(mine: Sequence[str], theirs: Sequence[str], cache: str | None = None) -> tuple[np.ndarray, float]:
    """Returns METEOR's counts (n, 23) from a process of its own, and the memory it took in MB."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=json.dumps([list(mine), list(theirs)]).encode(),
        env={**os.environ, **({"BENCH_CACHE": cache} if cache else {})},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"METEOR in a process of its own left with {done.returncode}: {done.stderr.decode()}")
    return np.load(io.BytesIO(done.stdout)), int(done.stderr) / 1024


def _reference_meteor(mine: Sequence[str], theirs: Sequence[str]) -> Any:
    from pycocoevalcap.meteor.meteor import Meteor as Reference

    program = Reference()
    found = program.compute_score({i: [t] for i, t in enumerate(theirs)}, {i: [t] for i, t in enumerate(mine)})
    program.meteor_p.kill()
    program.meteor_p.wait()
    for stream in (program.meteor_p.stdin, program.meteor_p.stdout, program.meteor_p.stderr):
        stream.close()
    return found


def train_pairs(folder: Path, count: int) -> tuple[list[str], list[str]]:
    """Returns captions of train, each against every other of its video."""
    told = json.loads(gzip.decompress((folder / "train.json.gz").read_bytes()))
    texts = [[" ".join(text.split()) for text in entry["sentences"]] for entry in told.values()]
    pairs = [pair for sentences in texts for pair in permutations(sentences, 2)][:count]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _apart(whole: Any, our_whole: Any, each: Any, our_each: Any) -> float:
    """Returns the greatest difference between scores of the corpus or of any item."""
    gaps = (np.abs(np.asarray(a) - np.asarray(b)).max() for a, b in ((whole, our_whole), (each, our_each)))
    return float(max(gaps))


def report(parts: Mapping[str, Part]) -> str:
    """Returns the parts as a table."""
    rows = [["CPU seconds", "pycocoevalcap", "bench", "times faster", "greatest difference"]]
    for name, part in parts.items():
        ratio = f"{part.theirs / part.ours:.1f}" if part.theirs and part.ours else "–"
        gap = "" if part.difference is None else f"{part.difference:.0e}"
        rows.append([name, f"{part.theirs:.2f}", f"{part.ours:.2f}", ratio, gap])
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--annotations", type=Path, help="folder with val_1.json.gz and val_2.json.gz")
    parser.add_argument("--limit", type=int, help="score only the first segments")
    parser.add_argument("--train-pairs", type=int, help="METEOR alone, on so many pairs of train captions")
    parser.add_argument("--no-java", action="store_true", help="ours alone where pycocoevalcap needs Java")
    words = parser.parse_args()
    java = java_program() is not None and not words.no_java
    if words.train_pairs:
        said, told = train_pairs(words.annotations, words.train_pairs)
        print(f"{processor()}, {len(said):,} pairs of train captions, {'with' if java else 'without'} Java")
        cut = tokenised([*said, *told], "regex")
        print(report({"METEOR": _meteor(cut[: len(said)], cut[len(said) :], java=java)}))
        return
    said, told = (
        real_pairs(words.annotations, words.limit) if words.annotations else made_up_pairs(words.limit or SEGMENTS)
    )
    print(f"{processor()}, {len(said):,} captions, {'with' if java else 'without'} Java")
    print(report(run(said, told, java=java)))


if __name__ == "__main__":
    main()

"""Gives the same rows to other scorers and to bench, and prints what each makes of them: the tables of docs/peers.md.

Packages that are not installed are named and left out; `evaluate` keeps its metrics in a repository of its own, whose
folder `metrics` is named by `--evaluate-metrics`. Every input is made here, by one seed.

    python -m venv peers && peers/bin/pip install vtbench torchmetrics ranx ir_measures mteb rouge_score nltk rouge
    peers/bin/python benchmarks/peers.py --evaluate-metrics ../evaluate/metrics --write docs/peers.md
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from bench.cli import bench
from bench.metrics.captions.meteor.program import started_once

SEED = 20181008
PACKAGES = (
    "vtbench",
    "torchmetrics",
    "ranx",
    "ir_measures",
    "mteb",
    "pytrec_eval-terrier",
    "evaluate",
    "pycocoevalcap",
    "nltk",
    "rouge",
)
BEGIN, END = "<!-- measured: benchmarks/peers.py -->", "<!-- end -->"
Captions = dict[str, list[str]]


@dataclass(frozen=True)
class Rows:
    """What retrieval scorers are given.

    Attributes:
        name: of the row of the table.
        scores: (M, N); text i asks for video `right[i]`.
        right: (M,) the right video of each text, of the same shape as `scores` has rows.
        lost: texts that the answers lack.
    """

    name: str
    scores: np.ndarray
    right: np.ndarray
    lost: frozenset[int] = field(default_factory=frozenset)

    @property
    def qrels(self) -> dict[str, dict[str, int]]:
        return {f"q{i:03}": {f"v{video:03}": 1} for i, video in enumerate(self.right)}

    @property
    def run(self) -> dict[str, dict[str, float]]:
        return {
            f"q{i:03}": {f"v{j:03}": float(score) for j, score in enumerate(row)}
            for i, row in enumerate(self.scores)
            if i not in self.lost
        }


def retrieval_rows(n: int) -> list[Rows]:
    """Returns the cases: one ranking written in several ways, ties, damaged and lost rows."""
    rng = np.random.default_rng(SEED)
    diagonal, noise = np.arange(n), rng.normal(size=(n, n))
    cosines = np.clip(0.1 * noise + 0.35 * np.eye(n), -1.0, 1.0)
    order = cosines.argsort(axis=1).argsort(axis=1)
    logarithms = 20 * cosines - np.log(np.exp(20 * cosines).sum(axis=1, keepdims=True))
    damaged = np.where(np.eye(n, dtype=bool), np.nan, noise)
    one = cosines.copy()
    one[0, 0] = np.nan
    ranks = (cosines > cosines.diagonal()[:, None]).sum(axis=1)
    hardest = frozenset(np.argsort(-ranks, kind="stable")[: n // 10].tolist())
    close = np.array([[0.5 + 1e-10, 0.5]])
    rows = [
        Rows("cosines", cosines, diagonal),
        Rows("the same, less 0.5", cosines - 0.5, diagonal),
        Rows("the same, times 100", cosines * 100, diagonal),
        Rows("as distances, negated", -(1.0 - cosines), diagonal),
        Rows("as logarithms of a softmax", logarithms, diagonal),
        Rows("as ranks, negated", (order - n).astype(float), diagonal),
    ]
    rows += [
        Rows(f"{k} equal scores, the right video {where}", np.full((1, k), 0.5), np.array([place]))
        for k in (16, 17)
        for where, place in (("first", 0), ("last", k - 1))
    ]
    return [
        *rows,
        Rows(f"all {n} x {n} equal", np.full((n, n), 0.5), diagonal),
        Rows("two scores, the right one 1e-10 better", close, np.array([0])),
        Rows("noise", noise, diagonal),
        Rows("noise, the right video's score NaN", damaged, diagonal),
        Rows("cosines, one right video's score NaN", one, diagonal),
        Rows("cosines, every second query lost", cosines, diagonal, frozenset(range(0, n, 2))),
        Rows("cosines, the hardest tenth of the queries lost", cosines, diagonal, hardest),
    ]


def of_bench(rows: Rows) -> float:
    """R@1 as bench gives it, from a TREC run where queries are lost, else from the matrix."""
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    if rows.lost:
        lines = [f"{q} Q0 {v} 1 {score!r} x" for q, own in rows.run.items() for v, score in own.items()]
        (folder / "run.txt").write_text("\n".join(lines), encoding="utf-8")
        lines = [f"{q} 0 {v} 1" for q, own in rows.qrels.items() for v in own]
        (folder / "qrels.txt").write_text("\n".join(lines), encoding="utf-8")
        files = ["--run", str(folder / "run.txt"), "--qrels", str(folder / "qrels.txt")]
    else:
        np.save(folder / "s.npy", rows.scores)
        (folder / "ids.txt").write_text("\n".join(map(str, rows.right)), encoding="utf-8")
        files = ["--similarity", str(folder / "s.npy"), "--ids", str(folder / "ids.txt")]
    return measured_by_bench("retrieval", *files)["t2v/R@1"]


def measured_by_bench(*words: str) -> dict[str, float]:
    """Returns the measurements that `bench score` prints. Raises: what it raises."""
    done = CliRunner().invoke(bench, ["score", *words, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    record = json.loads(done.stdout)
    return {measurement["name"]: measurement["value"] for measurement in record["measurements"]}


def of_torchmetrics(metric: str) -> Callable[[Rows], float]:
    def scored(rows: Rows) -> float:
        import torch
        import torchmetrics.retrieval

        kept = [i for i in range(len(rows.scores)) if i not in rows.lost]
        scores = torch.from_numpy(rows.scores[kept].astype(np.float32))
        target = torch.zeros(scores.shape, dtype=torch.bool)
        target[torch.arange(len(kept)), torch.from_numpy(rows.right[kept])] = True
        queries = torch.arange(len(kept)).repeat_interleave(scores.shape[1])
        return 100 * float(
            getattr(torchmetrics.retrieval, metric)(top_k=1)(scores.flatten(), target.flatten(), queries)
        )

    return scored


def of_ranx(rows: Rows) -> float:
    from ranx import Qrels, Run, evaluate

    return 100 * float(evaluate(Qrels(rows.qrels), Run(rows.run), "recall@1"))


def of_ranx_made_comparable(rows: Rows) -> float:
    from ranx import Qrels, Run, evaluate

    return 100 * float(evaluate(Qrels(rows.qrels), Run(rows.run), "recall@1", make_comparable=True))


def of_ir_measures(rows: Rows) -> float:
    import ir_measures
    from ir_measures import R

    return 100 * float(ir_measures.calc_aggregate([R @ 1], rows.qrels, rows.run)[R @ 1])


def of_pytrec_eval(rows: Rows) -> float:
    import pytrec_eval

    found = pytrec_eval.RelevanceEvaluator(rows.qrels, {"recall.1"}).evaluate(rows.run)
    return 100 * float(np.mean([own["recall_1"] for own in found.values()]))


def of_mteb(rows: Rows) -> float:
    from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores

    return 100 * float(calculate_retrieval_scores(rows.run, rows.qrels, [1]).recall["Recall@1"])


RETRIEVAL: dict[str, tuple[str, Callable[[Rows], float]]] = {
    "bench": ("vtbench", of_bench),
    "torchmetrics RetrievalRecall": ("torchmetrics", of_torchmetrics("RetrievalRecall")),
    "torchmetrics RetrievalHitRate": ("torchmetrics", of_torchmetrics("RetrievalHitRate")),
    "ranx": ("ranx", of_ranx),
    "ranx, make_comparable": ("ranx", of_ranx_made_comparable),
    "ir_measures": ("ir_measures", of_ir_measures),
    "pytrec_eval, mean": ("pytrec_eval-terrier", of_pytrec_eval),
    "mteb": ("mteb", of_mteb),
}


def corpus(videos: int) -> tuple[Captions, Captions]:
    """Returns one caption and three references for each video, as people write: capitals, commas, full stops."""
    rng = np.random.default_rng(SEED)
    who = ["A man", "The woman", "Two boys", "A dog", "An old lady", "The players"]
    does = ["rides", "is washing", "runs past", "doesn't see", "picks up", "slowly paints"]
    what = ["a horse", "the red car", "a well-worn ball", "some vegetables", "the fence", "his brother's bike"]
    where = ["in the park", "on a street, at night", "near the lake", "in front of a crowd", "at home", "on stage"]

    def told(video: int) -> str:
        parts = [
            words[video % 6] if rng.random() < 0.6 else words[rng.integers(6)] for words in (who, does, what, where)
        ]
        return " ".join(parts) + "."

    said = {f"v{video:02}": [told(video)] for video in range(videos)}
    return said, {f"v{video:02}": [told(video) for _ in range(3)] for video in range(videos)}


Scores = dict[str, float]
METRICS = ("BLEU@4", "METEOR", "ROUGE-L", "CIDEr")


def captions_by_bench(said: Captions, told: Captions) -> Scores:
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    for name, value in (("said", said), ("told", told)):
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    files = ("--predictions", str(folder / "said.json"), "--references", str(folder / "told.json"))
    return measured_by_bench("captions", *files, "--protocol", "corpus")


def cut(texts: Captions) -> Captions:
    """Returns texts as the PTB tokeniser of pycocoevalcap cuts them: a program that is started once for equal texts."""
    return _cut(json.dumps(texts))


@cache
def _cut(texts: str) -> Captions:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    captions = {video: [{"caption": text} for text in own] for video, own in json.loads(texts).items()}
    return dict(PTBTokenizer().tokenize(captions))


@cache
def coco_meteor() -> Any:
    """Returns the METEOR of pycocoevalcap, a program that takes seconds to start, for all rows."""
    from pycocoevalcap.meteor.meteor import Meteor

    return Meteor()


def captions_by_pycocoevalcap(said: Captions, told: Captions, *, tokens: str = "both", mean: bool = False) -> Scores:
    """Scores of pycocoevalcap: `tokens` of both, of the references or of none; of the corpus, or the captions' mean."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    hypotheses = cut(said) if tokens == "both" else said
    references = told if tokens == "none" else cut(told)
    found = {}
    for name, scorer in (("BLEU@4", Bleu(4)), ("METEOR", coco_meteor()), ("ROUGE-L", Rouge()), ("CIDEr", Cider())):
        whole, each = scorer.compute_score(references, hypotheses)
        whole, each = (whole[3], each[3]) if name == "BLEU@4" else (whole, each)
        found[name] = 100 * float(np.mean(each) if mean else whole)
    return found


def captions_by_evaluate(folder: Path | None) -> Callable[[Captions, Captions], Scores]:
    """Returns the scorer of evaluate's metrics in a folder; those that lack a download are left out."""

    def scored(said: Captions, told: Captions) -> Scores:
        import evaluate

        if folder is None:
            raise ModuleNotFoundError("the metrics of evaluate")
        texts = {"predictions": [own[0] for own in said.values()], "references": [told[video] for video in said]}
        found = {}
        for name, metric, part in (
            ("BLEU@4", "bleu", "bleu"),
            ("METEOR", "meteor", "meteor"),
            ("ROUGE-L", "rouge", "rougeL"),
        ):
            try:
                value = evaluate.load(str(folder / metric / f"{metric}.py")).compute(**texts)[part]
            except (ConnectionError, LookupError):
                continue
            found[name] = 100 * float(value)
        return found

    return scored


def captions_by_nltk(said: Captions, told: Captions) -> Scores:
    """BLEU@4 of nltk's corpus_bleu, of texts cut at blanks."""
    from nltk.translate.bleu_score import corpus_bleu

    references = [[text.split() for text in told[video]] for video in said]
    return {"BLEU@4": 100 * float(corpus_bleu(references, [own[0].split() for own in said.values()]))}


def captions_by_rouge(said: Captions, told: Captions) -> Scores:
    """ROUGE-L of the package rouge, by the first reference: it takes one."""
    from rouge import Rouge

    pairs = [(own[0], told[video][0]) for video, own in said.items()]
    return {"ROUGE-L": 100 * float(Rouge().get_scores(*zip(*pairs, strict=True), avg=True)["rouge-l"]["f"])}


def shards(said: Captions, told: Captions, size: int) -> Scores:
    """Returns the mean over parts of `size` videos of the CIDEr that pycocoevalcap gives for each part."""
    from pycocoevalcap.cider.cider import Cider

    hypotheses, references, videos = cut(said), cut(told), list(said)
    parts = [videos[start : start + size] for start in range(0, len(videos), size)]
    found = [
        Cider().compute_score({v: references[v] for v in own}, {v: hypotheses[v] for v in own})[0] for own in parts
    ]
    return {"CIDEr": 100 * float(np.mean(found))}


def caption_rows(videos: int, metrics: Path | None) -> list[tuple[str, str, Callable[[], Scores]]]:
    """Returns what is given, the package that it is given to, and what computes it."""
    said, told = corpus(videos)
    split = {
        video: [text.replace(" ", "\u2028", 1) if video == "v04" else text for text in own]
        for video, own in said.items()
    }
    steps = {f"v{n:02}": ["cut the onion" if n % 2 else "fry the onion in hot oil"] for n in range(videos)}
    repeated = {video: [" ".join(own * 3)] for video, own in steps.items()}
    of_coco, of_evaluate = captions_by_pycocoevalcap, captions_by_evaluate(metrics)
    return [
        ("texts as written: bench", "vtbench", lambda: captions_by_bench(said, told)),
        ("PTB tokens on both sides: pycocoevalcap", "pycocoevalcap", lambda: of_coco(said, told)),
        ("texts as written: pycocoevalcap", "pycocoevalcap", lambda: of_coco(said, told, tokens="none")),
        (
            "PTB tokens of the references only: pycocoevalcap",
            "pycocoevalcap",
            lambda: of_coco(said, told, tokens="refs"),
        ),
        ("texts as written: evaluate", "evaluate", lambda: of_evaluate(said, told)),
        ("mean of the captions' own scores: pycocoevalcap", "pycocoevalcap", lambda: of_coco(said, told, mean=True)),
        ("mean of shards of 12 videos: pycocoevalcap", "pycocoevalcap", lambda: shards(said, told, 12)),
        ("mean of shards of 1 video: pycocoevalcap", "pycocoevalcap", lambda: shards(said, told, 1)),
        ("one caption holds U+2028: bench", "vtbench", lambda: captions_by_bench(split, told)),
        ("one caption holds U+2028: pycocoevalcap", "pycocoevalcap", lambda: of_coco(split, told)),
        ("the references themselves, half of three words: bench", "vtbench", lambda: captions_by_bench(steps, steps)),
        ("the same: pycocoevalcap", "pycocoevalcap", lambda: of_coco(steps, steps)),
        ("the same: nltk", "nltk", lambda: captions_by_nltk(steps, steps)),
        ("each reference said three times over: bench", "vtbench", lambda: captions_by_bench(repeated, steps)),
        ("the same: pycocoevalcap", "pycocoevalcap", lambda: of_coco(repeated, steps)),
        ("the same: rouge", "rouge", lambda: captions_by_rouge(repeated, steps)),
    ]


def quietly(what: Callable[[], Any]) -> Any:
    """Returns what a function returns, without what libraries print; a program's exit is no end of ours."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return what()


def cell(scored: Callable[[], float]) -> str:
    """Returns a figure in percent, or that the rows were refused, and by which error."""
    try:
        value = quietly(scored)
    except Exception as error:  # noqa: BLE001 (that another library fails is what is measured)
        return f"refused ({type(error).__name__})"
    return f"{value:.1f}"


def installed(package: str) -> str | None:
    """Returns the version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def versions() -> str:
    found: Mapping[str, str | None] = {package: installed(package) for package in PACKAGES}
    have = ", ".join(f"{package} {what}" for package, what in found.items() if what)
    lack = ", ".join(package for package, what in found.items() if not what)
    torch = f", torch {installed('torch')}" if installed("torch") else ""
    lacking = f" Not installed, and so not measured: {lack}." if lack else ""
    return f"{have}{torch}, Python {sys.version.split()[0]}.{lacking}"


def retrieval_table(n: int) -> str:
    """Returns what each scorer makes of the rows, said on stderr as it is measured."""
    scorers = {name: scored for name, (package, scored) in RETRIEVAL.items() if installed(package)}
    lines = []
    for rows in retrieval_rows(n):
        lines.append([rows.name, *(cell(partial(scored, rows)) for scored in scorers.values())])
        print(" | ".join(lines[-1]), file=sys.stderr, flush=True)
    return table([f"R@1 in percent, {n} queries", *scorers], lines)


def captions_table(videos: int, metrics: Path | None) -> str:
    """Returns what each scorer makes of the captions, said on stderr as it is measured."""
    lines = []
    for name, package, scored in caption_rows(videos, metrics):
        if installed(package):
            try:
                found = quietly(scored)
                cells = [f"{found[metric]:.2f}" if metric in found else "–" for metric in METRICS]
            except Exception as error:  # noqa: BLE001 (that another library fails is what is measured)
                cells = [f"refused ({type(error).__name__})"] * len(METRICS)
            lines.append([name, *cells])
            print(" | ".join(lines[-1]), file=sys.stderr, flush=True)
    return table([f"{videos} captions, three references each", *METRICS], lines)


def written(document: Path, block: str) -> str:
    """Returns the document with its measured part replaced. Raises: ValueError where the marks are not there."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{block}\n{END}{after}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--videos", type=int, default=48, help="captions of the second table")
    parser.add_argument("--evaluate-metrics", type=Path, help="folder `metrics` of the repository of evaluate")
    parser.add_argument("--only", choices=["retrieval", "captions"])
    parser.add_argument("--write", type=Path, help="document to put the tables into")
    chosen = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as SCRATCH:
        parts = [versions()]
        parts += [] if chosen.only == "captions" else [retrieval_table(chosen.queries)]
        with started_once():
            parts += [] if chosen.only == "retrieval" else [captions_table(chosen.videos, chosen.evaluate_metrics)]
        block = "\n\n".join(parts) + "\n"
    if chosen.write:
        chosen.write.write_text(written(chosen.write, block), encoding="utf-8")
    print(block)

"""Writes said.json, told_1.json and told_2.json, drawn from a seed, and scores.json: what published programs say.

    python tests/golden/paragraphs/make.py SODA MART

SODA: a checkout of fujiso/SODA, release 1.1 (commit 9cb3e2c5a73c4e320a38c72f320b63bbef4aa798), whose licence is for
evaluation. It ran on pycocoevalcap 1.2 and Java. MART: `densevid_eval` in one of jayleicn/recurrent-transformer (commit
3c31d2444c178ccbc78998d2ae1d4910b02b95ae), of which evaluateRepetition.py and evaluateCaptionsDiversity.py ran. All ran
once, unchanged, and nothing of them is kept here. The sentences were made for this project.
"""

import json
import os
import random
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
WHO = ["A man", "The woman", "two children", "A dog", "An old lady", "she", "The café's owner", "a man in a red coat"]
DOES = ["runs", "is running", "sits down", "walks slowly", "jumps", "begins to dance", "throws a ball", "laughs"]
WHERE = [
    "on the street",
    "in a small room",
    "near the water, again",
    "by the table",
    "",
    "at the beach",
    "2,000 feet up",
]
LATER = ["and then walks away", "and then walks away", "while others watch", "", "; it's late", "and then walks away"]


def sentence(draw: random.Random) -> str:
    parts = [draw.choice(WHO), draw.choice(DOES), draw.choice(WHERE), draw.choice(LATER)]
    return " ".join(part for part in parts if part) + draw.choice([".", ".", "", "!", " ."])


def events(draw: random.Random, count: int) -> list[tuple[str, list[float]]]:
    starts = sorted(draw.sample(range(100), count))
    return [(sentence(draw), [start + 0.25, start + 0.25 + draw.uniform(2.0, 45.0)]) for start in starts]


def write(name: str, value: object) -> None:
    (FOLDER / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def files() -> None:
    """Writes what was said, and two files of references that share most videos and many sentences with it."""
    draw = random.Random(22)
    said, told = {}, ({}, {})
    for number in range(24):
        mine = events(draw, draw.randint(1, 6))
        said[f"v_{number:03d}"] = [{"sentence": text, "timestamp": times} for text, times in mine]
        for file in told if number % 5 else told[:1]:
            theirs = events(draw, draw.randint(1, 5))
            kept = [(draw.choice(mine)[0] if draw.random() < 0.5 else text, times) for text, times in theirs]
            texts, times = zip(*kept, strict=True)
            file[f"v_{number:03d}"] = {"duration": 150.0, "timestamps": times, "sentences": texts}
    write("said.json", {"version": "VERSION 1.0", "results": said, "external_data": {"used": False}})
    write("told_1.json", told[0])
    write("told_2.json", told[1])


def soda(names: list[str]) -> dict[str, float]:
    """Returns what `soda.py --multi_reference -r NAMES` counts, parts of 1."""
    from dataset import ANETCaptions
    from soda import SODA

    data = ANETCaptions.from_load_files([str(FOLDER / one) for one in names], str(FOLDER / "said.json"))
    data.preprocess()
    found = SODA(data).evaluate()["Meteor"]
    return dict(zip(("precision", "recall", "f1"), map(float, found), strict=True))


def paragraphs() -> dict[str, float]:
    """Returns repetition, diversity, vocabulary and length as the two programs of MART count them."""
    from importlib import import_module

    import numpy

    diversity, repetition = import_module("evaluateCaptionsDiversity"), import_module("evaluateRepetition")

    said = json.loads((FOLDER / "said.json").read_text(encoding="utf-8"))
    found = {
        name: float(value) for name, value in repetition.evaluate_repetition(said["results"], said["results"]).items()
    }

    means: list[float] = []

    class Told:  # it prints two digits of what it counts
        @staticmethod
        def mean(values: list[float]) -> float:
            means.append(float(numpy.mean(values)))
            return means[-1]

    printed: list[str] = []
    diversity.np, diversity.print = Told, lambda *words: printed.append(" ".join(words))
    diversity.video_stats(said, said)
    here, folder = Path.cwd(), tempfile.mkdtemp()
    os.chdir(folder)  # it reads the sentences of training from a fixed place
    Path("anet_data").mkdir()
    Path("anet_data/train.json").write_text('{"v_x": {"sentences": ["Nothing of it."]}}')
    diversity.overall_stats(said, said)
    os.chdir(here)
    vocabulary = int(printed[-1].split("Vocab: ")[1].split("\t")[0])
    return {**found, "div1": means[0], "div2": means[1], "vocabulary": vocabulary, "sentence length": means[-1]}


if __name__ == "__main__":
    sys.path[:0] = [sys.argv[1], sys.argv[2]]
    files()
    scores = {
        "made by": ["fujiso/SODA 9cb3e2c (1.1)", "jayleicn/recurrent-transformer 3c31d24"],
        "soda_c": {"told_1": soda(["told_1.json"]), "both": soda(["told_1.json", "told_2.json"])},
        "paragraphs": paragraphs(),
    }
    write("scores.json", scores)

"""Writes rows.json: what the METEOR program of pycocoevalcap 1.2 (Java) counts for captions made up here.

    python tests/golden/meteor/make.py              # the file
    python tests/golden/meteor/make.py 7 20000      # compares 20,000 others, of seed 7, with ours; writes nothing

The words and sentences are ours. Run it again only when the sentences change.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from bench.metrics.captions.java import jar
from bench.metrics.captions.meteor.program import request

FOLDER = Path(__file__).parent
SEED, COUNT = 20140627, 400
WORDS = """
a man|the woman|two dogs|an older lady|some people|a group of kids|he|she|they|a chef|the players|Mr. Smith

is running|runs|was walking|walks|begins to play|starts playing|continues to dance|picks up|puts down|is cutting|cuts
|throws|threw|can be seen holding|is shown|looks at|watches|organizes|organized|hit|is being painted|talks about

a ball|the big red ball|an onion|onions|the guitar|a piece of wood|the wall|lots of water|a bike|bicycles|the car
|an automobile|the children|a child|the show|his team|a large number of people|the competition|snow

in the park|on a street|outdoors|outside|in front of a crowd|at the end|before the others|near the sea|in the U.S.
|at 3 p.m.|very quickly|as well|for 1,000 dollars|in order to win|over and over again

...|..|.|,|1,000|a,b|3.5|don't|it's|the dogs'|rock'n'roll|'90s|60's|\u2018so\u2019|\u201cwell\u201d|''|a-b-c|well-known
|--|\u2013|\u2014|No. 5|No. five|e.g. this|Dr. Who|U.S.A.|x.y|caf\u00e9|na\u00efve|\u00a0|\u3000|\u00dcber|\u0130stanbul
|\u03a3\u03a3|\U0001f600|a_b|s0 qn|v1 to|(one)|[two]|{3}|50%|$5|#tag|@me|http://x.y/z|DOTMULTI|\x0b|\x1c|\u200b|\ufeff|st
|$|men|geese|went|children's|bass|is|as|added|evening|university|the the the|a a a a|?!|\ud800

the|a|man|is|of|cat|play|plays|playing
"""
SUBJECTS, VERBS, OBJECTS, PLACES, ODD, FEW = (
    [word for line in part.split("\n") for word in line.split("|") if word] for part in WORDS.split("\n\n")
)
ENDINGS = ("", ".", " .", "!", "...", " ?", ",", "\t")


EDGES = [
    ("the " * 300, ["the " * 299]),  # longer than masks of 64 words, and everything matches everything
    ("a man plays the guitar and sings . " * 12, ["the man sings while he is playing a guitar . " * 11, "he sings"]),
    ("s0 runs to v1", ["qn runs v1 to"]),  # words of one Java hash
    ("s0 runs", ["qn runs"]),
    ("a dog", ["a dog", "a dog", "the dog"]),
    ("", [""]),
    ("a ||| b", ["a b", "|||"]),
    ("x " * 70 + "the dog barks", ["the dog barks " + "y " * 70]),
]


def items(seed: int, count: int) -> list[tuple[str, list[str]]]:
    """Returns captions with one to five references each: alike, shuffled, repeated, odd, empty and long."""
    rng = random.Random(seed)
    return [_item(rng) for _ in range(count)]


def _item(rng: random.Random) -> tuple[str, list[str]]:
    caption = _text(rng)
    references = [_other(rng, caption) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5)))]
    return caption, references


def _text(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.02:
        return rng.choice(("", " ", ".", "the"))
    if kind < 0.05:  # many equal words
        words = rng.sample(FEW, 3)
        return " ".join(rng.choice(words) for _ in range(rng.randrange(3, 40)))
    parts = [_sentence(rng) for _ in range(rng.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, 8)))]
    return " ".join(parts)


def _sentence(rng: random.Random) -> str:
    parts = [rng.choice(words) for words in (SUBJECTS, VERBS, OBJECTS, PLACES)[: rng.choice((2, 3, 3, 4, 4))]]
    if rng.random() < 0.4:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(ODD))
    if rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(ODD))
    text = (" " if rng.random() < 0.97 else "  ").join(parts) + rng.choice(ENDINGS)
    return text.capitalize() if rng.random() < 0.3 else text


def _other(rng: random.Random, caption: str) -> str:
    kind = rng.random()
    if kind < 0.05:
        return caption
    if kind < 0.6:
        return _text(rng)
    words = caption.split(" ")
    if kind < 0.75:
        rng.shuffle(words)
    else:
        words = [rng.choice(rng.choice((VERBS, OBJECTS, PLACES))) if rng.random() < 0.2 else w for w in words]
        words = [word for word in words if rng.random() < 0.9]
    return " ".join(words)


def asked(pairs: list[tuple[str, list[str]]]) -> list[list[int]]:
    """Returns the program's 23 numbers for each."""
    lines = "".join(request(caption, references) + "\n" for caption, references in pairs)
    arguments = ["-Xmx2G", "-Dfile.encoding=UTF-8", "-jar", jar("meteor", "meteor-1.5.jar"), "-", "-", "-stdio"]
    done = subprocess.run(
        ["java", *arguments, "-l", "en", "-norm"],
        input=lines.encode("utf-8", "replace"),
        capture_output=True,
        check=True,
    )
    rows = [[int(float(number)) for number in line.split()] for line in done.stdout.decode().split("\n") if line]
    assert len(rows) == len(pairs), done.stderr[-500:]
    return rows


def main() -> None:
    if len(sys.argv) > 1:
        import numpy as np

        from bench.metrics.captions.meteor.counting import meteor_counts
        from bench.metrics.captions.meteor.formula import without_whole_chunks

        pairs = items(int(sys.argv[1]), int(sys.argv[2]))
        program, ours = without_whole_chunks(np.array(asked(pairs))), meteor_counts(pairs)
        for place in np.flatnonzero((program != ours).any(axis=1)):
            sys.stdout.write(f"{pairs[place]}\n{program[place].tolist()}\n{ours[place].tolist()}\n")
        sys.stdout.write(f"{(program != ours).any(axis=1).sum():,} of {len(pairs):,} differ\n")
        return
    pairs = EDGES + items(SEED, COUNT)
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr.split("\n")[0]
    content = {"made by": f"pycocoevalcap {version('pycocoevalcap')}", "java": java, "rows": asked(pairs)}
    content["items"] = [[caption, *references] for caption, references in pairs]
    (FOLDER / "rows.json").write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

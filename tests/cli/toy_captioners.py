"""Captioners that answer without looking, or amiss: copied beside an entry point and run as an outside plugin."""

from __future__ import annotations

from bench.api import ModelSpec, State, Trainable, VideoBatch, VideoCaptioner, hookimpl


class Counting:
    """Says how long each segment is, so that every caption tells which segment it was made for."""

    def __init__(self, settings, execution):
        pass

    def caption(self, videos):
        assert isinstance(videos, VideoBatch)
        seconds = iter((videos.segments.values[:, 1] - videos.segments.values[:, 0]).tolist())
        return [tuple(f"it lasts {next(seconds):.1f} seconds" for _ in range(n)) for n in videos.segments.lengths]


class Parrot(Counting):
    """Learns the sentences of training videos by heart, and says the most frequent one."""

    def fit(self, data, training):
        sentences = [sentence for paragraph in data.paragraphs for sentence in paragraph]
        self.sentence = max(sorted(set(sentences)), key=sentences.count)

    def state(self):
        return State(arrays={}, values={"sentence": self.sentence})

    def load_state(self, state):
        self.sentence = state.values["sentence"]

    def caption(self, videos):
        return [(self.sentence,) * n for n in videos.segments.lengths.tolist()]


class Says(Counting):
    """Answers every segment with one text."""

    text = ""

    def caption(self, videos):
        return [(self.text,) * n for n in videos.segments.lengths.tolist()]


class Empty(Says):
    text = ""


class Punctuation(Says):
    text = "... !? ,"


class Breaks(Says):
    text = "a\nb\r\nc\rd\x0be\x0cf\x1cg\x85h\u2028i\u2029j"


class Foreign(Says):
    text = "ein Mädchen löffelt 饺子 \ud83c"


class Endless(Says):
    text = "word " * 2000


class Hostile(Says):
    text = "<script>alert(1)</script> | [x](javascript:alert(1)) `<img src=x onerror=alert(1)>`"


class TooFew(Says):
    def caption(self, videos):
        return super().caption(videos)[:-1]


class MissingSegment(Says):
    text = "somebody does something"

    def caption(self, videos):
        first, *others = super().caption(videos)
        return [first[:-1], *others]


class BareText(Says):
    def caption(self, videos):
        return ["one sentence for all"] * len(videos)


class Numbers(Says):
    def caption(self, videos):
        return [(1,) * n for n in videos.segments.lengths.tolist()]


class Nothing(Says):
    def caption(self, videos):
        return None


class Raises(Says):
    def caption(self, videos):
        raise ValueError("out\nof words")


SAYING = ("Counting", "Empty", "Punctuation", "Breaks", "Foreign", "Endless", "Hostile")
FAULTY = ("TooFew", "MissingSegment", "BareText", "Numbers", "Nothing", "Raises")


@hookimpl
def bench_models():
    specs = [
        ModelSpec(name=name, summary=name, loader=f"toy_captioners:{name}", provides=(VideoCaptioner,))
        for name in (*SAYING, *FAULTY)
    ]
    parrot = (VideoCaptioner, Trainable)
    return [*specs, ModelSpec(name="Parrot", summary="Parrot", loader="toy_captioners:Parrot", provides=parrot)]

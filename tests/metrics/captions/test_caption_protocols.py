"""What each protocol compares with what: hand-worked cases, and densevid against a plain implementation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.errors import InvalidData, MissingData, UsageError
from bench.metrics.captions.evidence import by_tiou, item_values, video_values
from bench.metrics.captions.items import TIOUS, Rules, Sentence, VideoCaptions, rules
from bench.metrics.captions.pairing import Item
from bench.metrics.captions.scoring import CaptionScores, score
from bench.metrics.captions.tokenising import tokenised
from bench.metrics.captions.variety import MEASURED


def timed(*sentences: tuple[str, float, float]) -> tuple[Sentence, ...]:
    return tuple(Sentence(text, (start, end)) for text, start, end in sentences)


def one(predicted: tuple[Sentence, ...] | None, *references: tuple[Sentence, ...], video: str = "v") -> VideoCaptions:
    return VideoCaptions(video, predicted, references)


def scored(*videos: VideoCaptions, protocol: str = "corpus", **options: str) -> CaptionScores:
    return score(videos, rules(protocol, java=False, **options))


def values(scores: CaptionScores) -> dict[str, float]:
    return {m.name: m.value for m in scores.measurements}


OTHER = one(timed(("some other words here", 0, 9)), timed(("quite other words", 0, 9)), video="w")


def test_each_segment_is_compared_with_the_sentence_of_its_time():
    predicted = timed(("it jumps", 10, 20.000001), ("a dog runs", 0, 10))
    scores = scored(one(predicted, timed(("a dog is running", 0, 10), ("the dog jumps", 10, 20))))
    assert [(item.caption, item.references) for item in scores.items] == [
        ("a dog runs", ("a dog is running",)),
        ("it jumps", ("the dog jumps",)),
    ]


def test_equal_segments_of_several_annotations_are_one_item_with_several_references():
    scores = scored(
        one(timed(("a dog", 0, 10)), timed(("dog", 0, 10)), timed(("a cat", 0, 10), ("late", 50, 60))), missing="skip"
    )
    assert scores.items == (Item("v", (0, 10), "a dog", ("dog", "a cat")),)
    assert scores.notes[0] == "1 segment without a prediction is left out"
    assert scores.expected == 2


def test_each_annotation_is_matched_by_itself():
    scores = scored(one(timed(("a dog", 0, 10)), timed(("dog", 0, 10)), timed(("a puppy", 1, 9))))
    assert [(item.segment, item.caption) for item in scores.items] == [((0, 10), "a dog"), ((1, 9), "a dog")]


def test_a_sentence_describes_one_segment_the_one_it_overlaps_most():
    predicted = timed(("first", 0, 10), ("second", 0, 8))
    scores = scored(one(predicted, timed(("a", 0, 9), ("b", 0, 8))), missing="zero")
    assert [(item.segment, item.caption) for item in scores.items] == [((0, 8), "second"), ((0, 9), "first")]


def test_duplicate_segments_are_items_of_their_own():
    told = timed(("a dog", 0, 10), ("a cat", 0, 10))
    scores = scored(one(timed(("x", 0, 10), ("y", 0, 10)), told))
    assert len(scores.items) == 2
    assert {item.caption for item in scores.items} == {"x", "y"}


def test_a_segment_without_length_is_found_by_its_time():
    scores = scored(one(timed(("here", 5, 5)), timed(("there", 5, 5))))
    assert scores.items[0].caption == "here"


def test_the_order_of_videos_and_sentences_changes_nothing():
    a = one(
        timed(("a dog runs", 0, 5), ("a cat sits", 5, 9)),
        timed(("the dog runs", 0, 5), ("one cat sits", 5, 9)),
        video="a",
    )
    b = one(timed(("rain falls", 0, 5)), timed(("it rains", 0, 5), ("again", 0, 6)), video="b")
    turned = [replace(v, predicted=v.predicted[::-1], references=tuple(r[::-1] for r in v.references)) for v in (b, a)]
    for protocol in ("corpus", "densevid", "paragraph"):
        first = scored(a, b, protocol=protocol, missing="zero")
        second = scored(*turned, protocol=protocol, missing="zero")
        if protocol != "densevid":
            assert first.items == second.items
        assert values(first) == pytest.approx(values(second), rel=1e-12)


def test_captions_of_whole_videos_are_references_of_one_item():
    told = ((Sentence("a man sings"),), (Sentence("someone sings"),))
    scores = scored(VideoCaptions("v", (Sentence("a man is singing"),), told), OTHER)
    assert scores.items[0] == Item("v", None, "a man is singing", ("a man sings", "someone sings"))


def test_a_paragraph_is_the_sentences_in_order_of_time():
    predicted = timed(("then b", 10, 20), (" first a ", 0, 10))
    scores = scored(
        one(predicted, timed(("last", 5, 6), ("early", 0, 3)), timed(("alone", 0, 9))), protocol="paragraph"
    )
    assert scores.items == (Item("v", None, "first a then b", ("early last", "alone")),)


@pytest.mark.parametrize("protocol", ["corpus", "paragraph", "densevid"])
def test_missing_predictions_count_zero_nothing_or_are_an_error(protocol):
    present = one(timed(("a dog runs", 0, 9)), timed(("a dog runs", 0, 9)), video="a")
    absent = one(None, timed(("a cat", 0, 9)), video="b")
    skipped = scored(present, absent, protocol=protocol, missing="skip")
    zero = scored(present, absent, protocol=protocol, missing="zero")
    assert values(skipped)["ROUGE-L"] == pytest.approx(100.0)
    assert values(zero)["ROUGE-L"] == pytest.approx(50.0)
    assert (skipped.expected, zero.expected) == (2, 2)
    with pytest.raises(MissingData, match=r"1 (segment|video) without a prediction"):
        scored(present, absent, protocol=protocol, missing="error")
    with pytest.raises(MissingData, match="nothing can be scored"):
        scored(absent, protocol=protocol, missing="skip")


def test_densevid_forgives_missing_videos_by_default_and_the_others_do_not():
    assert rules("densevid", java=False).missing == "zero"
    assert rules("corpus", java=False).missing == rules("paragraph", java=False).missing == "error"


def test_in_densevid_every_pair_that_overlaps_enough_is_an_item():
    predicted = timed(("a dog runs", 0, 10))
    told = timed(("a dog runs", 0, 10), ("nothing alike", 0, 6))  # tIoU 1 and 0.6
    scores = scored(one(predicted, told), protocol="densevid")
    pairs = scores.evidence.counts["pairs"]
    assert pairs.tolist() == [[2, 2, 1, 1]]
    assert by_tiou(scores.evidence, "ROUGE-L") == pytest.approx({"0.3": 50, "0.5": 50, "0.7": 100, "0.9": 100})
    assert values(scores)["ROUGE-L"] == pytest.approx(75.0)


@pytest.mark.parametrize(("unmatched", "pairs"), [("random-string", 1), ("skip", 0)])
def test_a_prediction_that_overlaps_nothing_meets_a_random_string_or_is_left_out(unmatched, pairs):
    scores = scored(one(timed(("a dog", 50, 60)), timed(("a dog", 0, 10))), protocol="densevid", unmatched=unmatched)
    assert scores.evidence.counts["pairs"].tolist() == [[pairs] * 4]
    compared = [name for name in values(scores) if name not in MEASURED]  # the others are of what was said alone
    assert len(compared) == 8
    assert [values(scores)[name] for name in compared] == pytest.approx([0.0] * 8, abs=1e-6)
    assert f"unmatched={unmatched}" in [
        f"{k}={v}" for k, v in rules("densevid", unmatched=unmatched, java=False).parts().items()
    ]


def test_densevid_looks_at_ascii_alone():
    scores = scored(one(timed(("caf\u00e9 noir", 0, 9)), timed(("caf noir", 0, 9))), protocol="densevid")
    assert values(scores)["BLEU@2"] == pytest.approx(100.0)


def plain_densevid(videos: list[VideoCaptions], reference_scores) -> dict[str, float]:
    """densevid_eval in plain loops over pycocoevalcap, on our tokens; unmatched predictions are left out."""
    totals: dict[str, list[float]] = {}
    for threshold in TIOUS:
        for video in videos:
            pairs = []
            for said in video.predicted or ():
                for annotation in video.references:
                    for told in annotation:
                        (a, b), (c, d) = said.segment, told.segment
                        shared = max(0, min(b, d) - max(a, c))
                        union = min(max(b, d) - min(a, c), b - a + d - c)
                        if shared / (union + 1e-8) >= threshold:
                            pairs.append((said.text, told.text))
            found = dict.fromkeys(("BLEU@1", "BLEU@2", "BLEU@3", "BLEU@4", "ROUGE-L", "CIDEr"), 0.0)
            if pairs:
                mine, theirs = (tokenised([pair[i] for pair in pairs], "regex") for i in (0, 1))
                found, _ = reference_scores(mine, [[text] for text in theirs])
            for name, value in found.items():
                totals.setdefault(name, []).append(value)
    return {name: 100 * float(np.mean(numbers)) for name, numbers in totals.items()}


def test_densevid_gives_what_its_own_algorithm_gives(reference_scores):
    rng = np.random.default_rng(5)
    words = ["a", "man", "dog", "runs", "sits", "the", "red"]

    def text() -> str:
        return " ".join(rng.choice(words, rng.integers(1, 8)))

    def segments() -> tuple[Sentence, ...]:
        starts = rng.uniform(0, 50, rng.integers(1, 5))
        return tuple(Sentence(text(), (float(s), float(s + rng.uniform(1, 40)))) for s in starts)

    videos = [VideoCaptions(f"v{i}", segments() if i % 5 else None, (segments(), segments())) for i in range(12)]
    expected = plain_densevid(videos, reference_scores)
    found = values(scored(*videos, protocol="densevid", unmatched="skip"))
    assert 0 < found.pop("METEOR") < 100  # compared with the program elsewhere, as these are
    found = {name: value for name, value in found.items() if name not in {*MEASURED, "SODA_c"}}
    assert found == pytest.approx(expected, rel=1e-12)
    assert min(expected.values()) > 0


def test_a_corpus_is_scored_as_pycocoevalcap_has_it(golden):
    videos = [
        VideoCaptions(f"{i:02d}", (Sentence(caption),), tuple((Sentence(text),) for text in texts))
        for i, (caption, texts) in enumerate(zip(golden["captions"], golden["references"], strict=True))
    ]
    scores = scored(*videos)
    assert values(scores) == pytest.approx({name: 100 * value for name, value in golden["corpus"].items()}, rel=1e-12)
    for name in values(scores):
        np.testing.assert_allclose(
            item_values(scores.evidence, name), 100 * np.array(golden["items"][name]), rtol=1e-12, atol=1e-12
        )


def test_an_item_by_itself_scores_as_many_videos_of_one_item_each():
    scores = scored(one(timed(("a dog", 0, 1), ("x", 2, 3)), timed(("a dog", 0, 1), ("y", 2, 3))), OTHER)
    assert len(item_values(scores.evidence, "CIDEr")) == 3
    assert len(video_values(scores.evidence, "CIDEr")) == 2


@pytest.mark.parametrize(
    ("videos", "protocol", "says"),
    [
        ([], "corpus", "there are no references"),
        ([OTHER, OTHER], "corpus", "occurs twice"),
        ([one((), ())], "corpus", "has no reference"),
        ([one(timed(("a", 0, math.nan)), timed(("a", 0, 1)))], "corpus", "expected seconds"),
        ([one(timed(("a", 0, 1)), timed(("a", -math.inf, 1)))], "densevid", "expected seconds"),
        ([one((Sentence("a"), Sentence("b", (0, 1))), timed(("a", 0, 1)))], "corpus", "some predictions have times"),
        ([one((Sentence("a"),), timed(("a", 0, 1)))], "corpus", "Give times, or use --protocol paragraph"),
        ([one((Sentence("a"),), timed(("a", 0, 1)))], "densevid", "without times"),
        ([one((Sentence("a"), Sentence("b")), (Sentence("c"),))], "corpus", "has 2 predictions"),
    ],
)
def test_what_cannot_be_scored_is_refused(videos, protocol, says):
    with pytest.raises(InvalidData, match=says):
        scored(*videos, protocol=protocol, missing="zero")


def test_an_unknown_protocol_is_refused():
    with pytest.raises(UsageError, match="Known: corpus, densevid, paragraph"):
        rules("bleu")


def test_each_rule_stands_in_the_signature():
    usual = rules("corpus", java=False).parts()
    assert usual == {"protocol": "corpus", "tokens": "regex-2", "meteor": "1.5-py", "cider": "coco", "missing": "error"}
    java = Rules("densevid", "ptb", "java", "zero").parts()
    assert (java["tokens"], java["meteor"], java["tiou"]) == ("ptb-3.4.1", "1.5", "0.3,0.5,0.7,0.9")

"""Every field of every measurement follows from the evidence, whatever its kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.errors import VerificationError
from bench.evidence.kinds import KINDS, kind_of
from bench.evidence.query_values import QueryValues, values_evidence
from bench.evidence.verification import measured, verify
from bench.metrics.captions.items import Sentence, VideoCaptions, rules
from bench.metrics.captions.scoring import score
from bench.metrics.classification import count_classes, truth_of
from bench.metrics.curves import FRACTIONS, joined
from bench.results import Bounds, Evidence, Measurement

RNG = np.random.default_rng(5)


def ranks() -> Evidence:
    counts = np.stack([RNG.integers(0, 20, 40), np.zeros(40), np.ones(40)], axis=1).astype(np.uint32)
    return Evidence({"t2v": counts, "v2t": counts[::-1].copy()}, "p", {"t2v": 40, "v2t": 40})


def captions() -> Evidence:
    told = [Sentence(f"a dog {'runs' if i % 3 else 'sleeps'} in garden {i}") for i in range(12)]
    said = [Sentence(f"a dog runs in garden {i % 7}") for i in range(12)]
    made = [VideoCaptions(f"v{i:02}", (said[i],), ((told[i],),)) for i in range(12)]
    return score(made, rules("corpus", java=False), "p").evidence


EVIDENCE = {
    "ranks": ranks(),
    "curve": joined({keep: ranks() for keep in FRACTIONS}),
    "classes": count_classes(
        RNG.normal(size=(30, 6)).astype(np.float32),
        truth_of([(i % 6,) for i in range(30)], [f"class {i}" for i in range(6)]),
        "p",
    ),
    "captions": captions(),
    "values": values_evidence(
        [QueryValues("R1@0.5", 100.0 * RNG.integers(0, 2, 40), share=True), QueryValues("error", RNG.normal(size=40))],
        "p",
        12,
        [i // 4 for i in range(40)],
    ),
}
EDITS: dict[str, Any] = {
    "value": lambda m: m.value + 1e-6,
    "unit": lambda m: "score",
    "higher_is_better": lambda m: not m.higher_is_better,
    "ci95": lambda m: (m.value - 0.01, m.value + 0.01),
    "n": lambda m: m.n + 1,
    "bounds": lambda m: Bounds(present=m.value, worst=m.value, best=m.value + 1e-6),
}


def test_every_kind_of_evidence_and_every_field_is_tried() -> None:
    assert {kind.name for kind in KINDS} == {kind_of(evidence).name for evidence in EVIDENCE.values()}
    assert {"name", *EDITS} == set(Measurement.model_fields)


@pytest.mark.parametrize("kind", EVIDENCE)
def test_what_was_measured_is_what_follows(kind: str) -> None:
    found = measured(EVIDENCE[kind])
    assert verify(EVIDENCE[kind], found) == found


@pytest.mark.parametrize("kind", EVIDENCE)
@pytest.mark.parametrize("field", EDITS)
def test_an_edited_field_is_found_whatever_measurement_it_is_of(kind: str, field: str) -> None:
    found = measured(EVIDENCE[kind])
    for i, measurement in enumerate(found):
        forged = measurement.model_copy(update={field: EDITS[field](measurement)})
        what = measurement.name if field == "value" else f"{field} of {measurement.name}"
        with pytest.raises(VerificationError) as error:
            verify(EVIDENCE[kind], [*found[:i], forged, *found[i + 1 :]])
        assert str(error.value).startswith(f"{what} is ")


@pytest.mark.parametrize("interval", [None, (100.0, 0.0)])
def test_an_interval_that_is_left_out_or_reversed_is_found(interval: tuple[float, float] | None) -> None:
    found = measured(EVIDENCE["ranks"])
    with pytest.raises(VerificationError, match="ci95 of t2v/R@1 is"):
        verify(EVIDENCE["ranks"], [found[0].model_copy(update={"ci95": interval}), *found[1:]])


def test_last_bits_are_not_edits() -> None:
    found = measured(EVIDENCE["ranks"])
    close = found[0].model_copy(update={"value": np.nextafter(found[0].value, np.inf).item()})
    assert verify(EVIDENCE["ranks"], [close])[0] is close  # stated values are kept, so that pages do not change


def test_evidence_of_a_foreign_kind_is_named() -> None:
    with pytest.raises(VerificationError, match="'moments', which bench cannot measure again; it knows ranks"):
        measured(Evidence({}, "p", {"videos": 3}, kind="moments"))

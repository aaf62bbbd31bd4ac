"""Tables say how they were scored, so that no two protocols of one task look alike."""

from __future__ import annotations

from bench.evidence.kinds.captions import CaptionsKind
from bench.leaderboard.board import Table
from bench.leaderboard.pages import wording


def table(**parts: str) -> Table:
    shown = {"split": "val_1", "segments": "gt", "references": "val_1+val_2", "tokens": "regex-1", **parts}
    return Table("t-1", "toy/1", shown, "sample (generated)", CaptionsKind(), 500, "CIDEr", (), (), "500 videos")


def test_every_protocol_has_a_title_of_its_own() -> None:
    titles = {wording.title(table(protocol=protocol)) for protocol in ("corpus", "densevid", "paragraph", "new")}
    assert len(titles) == 4
    assert wording.title(table(protocol="corpus")) == "Ground-truth segments, scored as one corpus"


def test_tokens_references_and_a_missing_meteor_are_told() -> None:
    told = wording.circumstances(table(protocol="corpus", meteor="none"))
    assert told.endswith("references val_1+val_2 · tokens regex-1 · without METEOR")
    assert "METEOR" not in wording.circumstances(table(protocol="corpus", meteor="1.5"))


def test_prompts_classes_and_shots_are_told() -> None:
    asked = [
        {"template": "name", "classes": "all"},
        {"template": "name", "classes": "unseen-50-3"},
        {"template": "ensemble-8", "classes": "all"},
        {"template": "a_video_of_{}", "classes": "all"},
        {"shots": "4"},
        {"shots": "all"},
    ]
    assert [wording.title(table(**parts)).partition(", ")[2] for parts in asked] == [
        "class names as they are",
        "class names as they are, classes unseen-50-3",
        "an ensemble of 8 prompts",
        "prompt a video of {}",
        "learned from 4 training videos a class",
        "learned from all training videos",
    ]

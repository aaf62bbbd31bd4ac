"""Published figures: every one as its source has it, and never among rows that were measured."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from records import record, save

from bench.data.sets.named import named_set
from bench.leaderboard import BuildReport, Sources, build
from bench.leaderboard.published import PublishedTask, read_published

OURS = Path(__file__).resolve().parents[2] / "leaderboards" / "published"
TASKS = {"ActivityNet Captions": "anet-retrieval", "DiDeMo": "didemo-retrieval"}


def published(**changes: Any) -> dict[str, Any]:
    row = {
        "model": "theirs",
        "features": "C3D",
        "segments": "gt",
        "values": {"t2v/R@1": 99.5},
        "std": {"t2v/R@1": 0.25},
    }
    table = {"title": "A table", "paper": "A paper", "source": "page 7", "gallery": 4917, "differs": ["It differs."]}
    value = {
        "schema": "bench-published/1",
        "task": "anet-retrieval",
        "split": "val_1",
        "tables": [{**table, "rows": [row]}],
    }
    for path, new in changes.items():
        place: Any = value
        *parents, last = path.split("__")
        for parent in parents:
            place = place[int(parent)] if parent.isdecimal() else place[parent]
        place[last] = new
    return value


def built(folder: Path, value: dict[str, Any], *records: dict[str, Any]) -> BuildReport:
    (folder / "published").mkdir(exist_ok=True)
    (folder / "published" / "a.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    (folder / "runs").mkdir()
    for i, one in enumerate(records):
        save(folder / "runs" / str(i), one)
    return build(Sources((folder / "runs",), folder / "published"), folder / "board")


@pytest.fixture(scope="module")
def ours() -> dict[str, PublishedTask]:
    found, left_out = read_published(OURS)
    assert not left_out
    return found


def test_every_published_figure_of_the_survey_is_there(ours: Any, shared: Callable[[str], Path]) -> None:
    with shared("data/published/published_results.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["task"].startswith("paragraph-video retrieval")]
    assert len(rows) == 242
    for row in rows:
        task = ours[TASKS[row["task"].rpartition(" / ")[2]]]
        assert task.split == row["split"]
        source = re.sub(r" \[.*\]$", "", row["source"])
        found = [
            one
            for table in task.tables
            for one in table.rows
            if table.source == source and one.model == row["model"] and row["metric"] in one.values
        ]
        features = {one.features for one in found}
        one = next(o for o in found if o.features == row["features"] or len(features) == 1)
        assert one.values[row["metric"]] == float(row["value"])
        assert one.std.get(row["metric"]) == (float(row["std"]) if row["std"] else None)


@pytest.mark.parametrize(
    ("number", "task"), [("table1", "anet-retrieval"), ("table2", "didemo-retrieval"), ("table3", "anet-retrieval")]
)
def test_every_row_of_the_poster_is_there(ours: Any, shared: Callable[[str], Path], number: str, task: str) -> None:
    poster = yaml.safe_load(shared("data/published/poster_tables.yaml").read_text(encoding="utf-8"))[number]
    table = next(t for t in ours[task].tables if t.source == f"poster, table {number[-1]}")
    expected = [(row["model"], dict(zip(poster["columns"], row["values"], strict=True))) for row in poster["rows"]]
    assert [(row.model, row.values) for row in table.rows] == expected
    for row, given in zip(table.rows, poster["rows"], strict=True):
        assert "segments" not in given or row.segments == given["segments"]


def test_our_files_are_named_after_their_task(ours: Any) -> None:
    assert {path.stem for path in OURS.glob("*.yaml")} == set(ours)


def test_published_rows_stand_below_and_are_never_ranked(tmp_path: Path) -> None:
    report = built(tmp_path, published(), record(model__name="ours"))
    (board,) = report.boards
    assert [row.model for row in board.sections[0].tables[0].rows] == ["ours"]
    assert report.rows == 1
    html = (tmp_path / "board" / "anet-retrieval.html").read_text(encoding="utf-8")
    assert html.index("ours") < html.index("Published figures") < html.index("theirs")
    assert "never ranked with the rows above" in html
    assert '"best"' not in html[html.index("Published figures") :]
    for page in ("anet-retrieval.html", "anet-retrieval.md"):
        content = (tmp_path / "board" / page).read_text(encoding="utf-8")
        assert all(shown in content for shown in ("99.5", "±0.25", "A paper", "page 7", "4,917 videos", "It differs."))
        assert "C3D, ground-truth segments" in content


def test_a_task_with_published_figures_only_gets_a_page(tmp_path: Path) -> None:
    report = built(tmp_path, published(task="didemo-retrieval"), record())
    assert [board.task for board in report.boards] == ["anet-retrieval", "didemo-retrieval"]
    assert "No complete run yet" in (tmp_path / "board" / "didemo-retrieval.md").read_text(encoding="utf-8")
    assert "No ranked model yet" in report.index.read_text(encoding="utf-8")
    assert "Published" not in (tmp_path / "board" / "anet-retrieval.md").read_text(encoding="utf-8")


def test_figures_stand_as_their_source_has_them(tmp_path: Path) -> None:
    values = {"t2v/R@1": 61.56, "t2v/R@5": 76, "t2v/MedR": 2, "v2t/MeanR": 8.0, "v2t/MedR": 5.3}
    built(tmp_path, published(tables__0__rows__0__values=values))
    page = (tmp_path / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    assert "| 61.56 ±0.25 | 76.0 | 2 | 5.3 | 8.0 |" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schema": "bench-published/9"}, "schema"),
        ({"task": "../x"}, "task"),
        ({"extra": 1}, "extra"),
        ({"tables": []}, "tables"),
        ({"tables__0__rows__0__values": {"t2v/R@1": 101}}, "above 100 percent"),
        ({"tables__0__rows__0__values": {"t2v/R@1": float("nan")}}, "finite"),
        ({"tables__0__rows__0__values": {"CIDEr": 3.0}}, "pattern"),
        ({"tables__0__rows__0__std": {"v2t/R@1": 1.0}}, "std without a value: v2t/R@1"),
        ({"tables__0__rows__0__segments": "windows"}, "segments"),
    ],
)
def test_a_file_that_breaks_the_schema_is_left_out(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    (note,) = built(tmp_path, published(**changes)).left_out
    assert note.file == "published/a.yaml"
    assert note.reason.startswith("is no bench-published/1 file: ")
    assert says in note.reason


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(f'*{old}' for _ in range(9))}]\n" for old, new in pairwise("abcdef")
)


@pytest.mark.parametrize(
    "content",
    [
        "a: [",
        "!!python/object/apply:os.system ['true']",
        "\x00",
        "a: 2020-99-99",
        "9" * 5000,
        "[" * 5000,
        BOMB,
        "",
        "\xff",
    ],
    ids=lambda text: text[:12].replace("\x00", "null"),
)
def test_a_file_that_is_no_plain_yaml_is_left_out_and_the_others_are_built(tmp_path: Path, content: str) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "b.yaml").write_bytes(content.encode("latin-1"))
    report = built(tmp_path, published())
    assert [note.file for note in report.left_out] == ["published/b.yaml"]
    assert len(report.left_out[0].reason) < 700
    assert [board.task for board in report.boards] == ["anet-retrieval"]


def test_the_second_file_of_a_task_is_left_out(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(published()))
    found, (note,) = read_published(tmp_path)
    assert list(found) == ["anet-retrieval"]
    assert "in another file already" in note.reason


def on_sets(*sets: str | None, task: str = "msrvtt-retrieval") -> dict[str, Any]:
    """Returns published figures with a table for each set; the value of the table at `place` is 90 + place."""
    value = published(task=task, split="test")
    (table,) = value["tables"]
    value["tables"] = [
        {
            **table,
            "title": f"Table {place}",
            "set": one,
            "set_by": f"reason {place}",
            "gallery": None,
            "rows": [{**table["rows"][0], "values": {"t2v/R@1": 90 + place}, "std": {}}],
        }
        for place, one in enumerate(sets)
    ]
    return value


def asking(split: str) -> dict[str, Any]:
    signature = record()["signature"].replace("anet-retrieval/2|split=val_1", f"msrvtt-retrieval/2|split={split}")
    return record(task__name="msrvtt-retrieval", task__dataset="msrvtt", task__split=split, signature=signature)


def outline(folder: Path, page: str = "msrvtt-retrieval") -> list[str]:
    """Returns the headings of a page below "Published figures", the same in Markdown and in HTML."""
    text = (folder / "board" / f"{page}.md").read_text(encoding="utf-8")
    found = re.findall(r"^#{3,4} (.*)$", text[text.index("## Published figures") :], re.MULTILINE)
    html = (folder / "board" / f"{page}.html").read_text(encoding="utf-8")
    html = html[html.index("Published figures</h2>") : html.index("What a status") if "What a status" in html else None]
    assert re.findall(r"<h[34]>(.*?)</h[34]>", html) == found
    return found


def test_rows_of_the_set_that_is_asked_stand_first_and_those_of_others_apart_with_the_reason(tmp_path: Path) -> None:
    built(tmp_path, on_sets("msrvtt:full", "msrvtt:1k-A", None, "msrvtt:1k-B"), asking("msrvtt:1k-A"))
    assert outline(tmp_path) == [
        "On msrvtt:1k-A", "Table 1", "Another test set: msrvtt:full", "Table 0",
        "Another test set: msrvtt:1k-B", "Table 3", "Test set not known", "Table 2",
    ]  # fmt: skip
    page = (tmp_path / "board" / "msrvtt-retrieval.md").read_text(encoding="utf-8")
    assert "Another set than msrvtt:1k-A: 2,990 videos (1,000 there); 59,800 captions (1,000 captions there)" in page
    assert "captions: 20 each (one each, chosen by the list there)" in page
    assert "Another set than msrvtt:1k-A: captions: one each, the first" in page
    assert "Set: reason 0" in page
    assert "Set not known: reason 2" in page
    html = (tmp_path / "board" / "msrvtt-retrieval.html").read_text(encoding="utf-8")
    assert html.count('class="measured-on apart"') == 3


def test_where_two_sets_are_asked_rows_of_both_stand_with_ours(tmp_path: Path) -> None:
    value = on_sets("msrvtt:full", "msrvtt:1k-B", "msrvtt:1k-A")
    built(tmp_path, value, asking("msrvtt:1k-A"), asking("msrvtt:full"))
    assert outline(tmp_path)[::2] == ["On msrvtt:1k-A", "On msrvtt:full", "Another test set: msrvtt:1k-B"]
    page = (tmp_path / "board" / "msrvtt-retrieval.md").read_text(encoding="utf-8")
    assert all(f"Another set than msrvtt:{name}: " in page for name in ("1k-A", "full"))


def test_where_no_set_is_asked_each_set_says_what_it_is_and_none_stands_apart(tmp_path: Path) -> None:
    built(tmp_path, on_sets("msrvtt:full", None), asking("test"))
    assert outline(tmp_path) == ["On msrvtt:full", "Table 0", "Test set not known", "Table 1"]
    page = (tmp_path / "board" / "msrvtt-retrieval.md").read_text(encoding="utf-8")
    assert "2,990 videos, 59,800 captions; captions: 20 each." in page
    assert "Another set" not in page
    assert "Caption → video R@1" in page


def test_where_no_table_names_a_set_the_page_says_nothing_of_sets(tmp_path: Path) -> None:
    built(tmp_path, published(), record())
    assert outline(tmp_path, "anet-retrieval") == ["A table"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"set": "msrvtt:1k"}, "tables.0: unknown set 'msrvtt:1k'. Did you mean 'msrvtt:"),
        ({"set": "msrvtt:9k"}, "a set for training"),
        ({"set_by": ""}, "set_by is empty: write what says"),
        ({"gallery": 999}, "gallery 999, and msrvtt:1k-A has 1,000 videos: it is another set"),
        ({"set": 7}, "set"),
    ],
)
def test_a_set_that_cannot_be_is_told_in_a_line_and_the_file_left_out(
    bench_command: Any, changes: dict[str, Any], says: str
) -> None:
    value = on_sets("msrvtt:1k-A")
    value["tables"][0] |= changes
    (bench_command.folder / "leaderboards" / "published").mkdir(parents=True)
    (bench_command.folder / "leaderboards" / "published" / "a.yaml").write_text(yaml.safe_dump(value))
    bench_command.folder.joinpath("leaderboards", "results").mkdir()
    done = bench_command("leaderboard", "build")
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if "published/a.yaml" in line]
    assert says in line


def test_each_of_our_tables_says_how_its_set_is_known_or_why_it_cannot_be(ours: Any) -> None:
    for task in ours.values():
        assert all(table.set_by for table in task.tables)


def test_the_best_known_systems_stand_with_the_set_they_were_measured_on(ours: Any) -> None:
    stated = {row.model for task in ours.values() for table in task.tables if table.set for row in table.rows}
    for system in (
        "FSE", "HSE", "S2VT", "CE", "MoEE", "TeachText-CE+", "MMT", "COOT", "MIL-NCE", "UniVL", "Dual Encoding",
        "CLIP4Clip", "CLIP2Video", "TS2-Net", "X-Pool", "DRL", "All-in-one", "MDMMT", "VindLU", "UMT", "InternVideo",
    ):  # fmt: skip
        assert any(model.startswith(system) for model in stated), system


@pytest.mark.parametrize("task", ["msrvtt-retrieval", "msvd-retrieval", "didemo-retrieval", "anet-retrieval"])
def test_what_a_source_calls_one_set_is_not_mixed_with_another(ours: Any, task: str) -> None:
    for table in ours[task].tables:
        assert table.set is None or named_set(table.set).unit == ("paragraph" if task[0] in "da" else "caption")


def test_hostile_text_becomes_no_markup(tmp_path: Path) -> None:
    text = "<script>x</script> | a](javascript:b) `c`"
    built(tmp_path, published(tables__0__rows__0__model=text, tables__0__title=text, tables__0__source=text))
    assert "<script>x" not in (tmp_path / "board" / "anet-retrieval.html").read_text(encoding="utf-8")
    page = (tmp_path / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"(?<!\\)\]\((?!\S+\.md\))", page)


def test_the_command_takes_the_folder_of_the_leaderboard(bench_command: Any, control_runs: Path) -> None:
    (bench_command.folder / "leaderboards" / "published").mkdir(parents=True)
    (bench_command.folder / "leaderboards" / "published" / "a.yaml").write_text(yaml.safe_dump(published()))
    bench_command("leaderboard", "build", "--results", control_runs, "-o", "board")
    assert "99.5" in (bench_command.folder / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    done = bench_command("leaderboard", "build", "--results", control_runs, "--published", "nowhere", exit_code=2)
    assert "no such folder" in done.stderr

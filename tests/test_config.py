"""bench.yaml becomes a Config, and every mistake in it is one line that quotes the path."""

from pathlib import Path

import pytest

from bench.catalogue.config import load
from bench.errors import ConfigError

GOOD = """
version: 1
datasets:
  mine: {reader: activitynet, root: data, features: vgg, segments: none,
         splits: {train: {file: captions.json, take: [0, 40]}, test: {file: captions.json, ids: ids.json}}}
  full: {reader: activitynet, root: /data/anet, features: simulated}
features:
  vgg: {reader: npz, path: vgg.npz, extractor: VGG16-fc7, stride: 4 frames, dim: 4096}
word_vectors: glove.txt
runs: out
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "bench.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_paths_are_relative_to_the_file(written, tmp_path):
    config = load(written(GOOD))

    mine = config.datasets["mine"]
    assert mine.root == tmp_path / "data"
    assert mine.splits["train"].file == tmp_path / "data" / "captions.json"
    assert mine.splits["train"].take == (0, 40)
    assert mine.splits["test"].ids == tmp_path / "data" / "ids.json"
    assert mine.features.path == tmp_path / "vgg.npz"
    assert config.word_vectors == tmp_path / "glove.txt"
    assert config.runs == tmp_path / "out"
    assert config.datasets["full"].root == Path("/data/anet")


def test_a_split_takes_one_of_several_lists_of_ids(written):
    text = "{test: {file: val_1.json, ids: halves.json, part: testing}, train: {file: train.json}}"
    config = load(
        written(f"version: 1\ndatasets: {{a: {{reader: x, root: d, features: simulated, splits: {text}}}}}\n")
    )

    assert config.datasets["a"].splits["test"].part == "testing"


def test_a_declared_split_called_test_is_what_tasks_evaluate_on(written):
    assert load(written(GOOD)).datasets["mine"].test == "test"


def test_the_sample_has_no_root(written):
    config = load(written("version: 1\ndatasets: {anet: {reader: activitynet, root: sample, features: sample}}\n"))

    assert config.datasets["anet"].root is None


def test_the_nearest_file_upwards_is_found(written, tmp_path, monkeypatch):
    path = written(GOOD)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    monkeypatch.delenv("BENCH_CONFIG", raising=False)

    assert load().path == path


def test_the_environment_names_the_file(written, tmp_path, monkeypatch):
    path = written(GOOD)
    monkeypatch.chdir("/")
    monkeypatch.setenv("BENCH_CONFIG", str(path))

    assert load().path == path


def test_without_a_file_the_packaged_default_applies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_CONFIG", raising=False)

    config = load()

    assert config.path is None
    assert config.datasets["anet"].root is None
    assert config.runs == tmp_path / "runs"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 1\ndatasets: {a: {reader: x, root: sample, feature: sample}}", "datasets.a.feature: unknown key"),
        ("version: 1\ndatasets: {a: {reader: x, root: sample, feature: sample}}", "Did you mean 'features'?"),
        ("version: 2", "version"),
        ("datasets: {}", "version: missing"),
        ("version: 1\nruns: a\nruns: b", "line 3: key 'runs' occurs twice"),
        ("version: 1\ndatasets: {a: {reader: x}, a: {reader: y}}", "key 'a' occurs twice"),
        ("version: 1\n 1: x", "Fix the YAML"),
        ("version: [1", "Fix the YAML"),
        ("version: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("just text", "expected keys and values"),
        ("", "expected keys and values"),
        ("version: 1\ndatasets: {../a: {reader: x, root: sample, features: sample}}", "datasets.../a"),
        ("version: 1\ndatasets: {a: {reader: x, root: d, features: nope}}", "no feature source 'nope'"),
        ("version: 1\ndatasets: {a: {reader: x, root: d, features: sample}}", "for both or for neither"),
        (
            "version: 1\ndatasets: {a: {reader: x, root: d, features: simulated, splits: {train: {file: f}}}}",
            "datasets.a.test: not given",
        ),
        (
            "version: 1\ndatasets: {a: {reader: x, root: d, features: simulated, test: z, splits: {train: {file: f}}}}",
            "datasets.a.test: z",
        ),
        (
            "version: 1\ndatasets: {a: {reader: x, root: d, features: simulated, "
            "splits: {train: {file: f, part: testing}}}}",
            "datasets.a.splits.train.part",
        ),
        ("version: 1\nfeatures: {f: {reader: npz, path: p, dim: none}}", "features.f.dim"),
        ("version: 1\nfeatures: {f: {reader: npz, path: p, extractor: 'a|b'}}", "features.f.extractor"),
        ("version: '1'", "version: expected 1, found '1'"),
        ("version: true", "version: expected 1, found True"),
        ("version: 1\nfeatures:", "features: expected keys and values, found None"),
        ("version: 1\nfeatures: {f: [npz]}", "features.f: expected keys and values, found ['npz']"),
        ("version: 1\nfeatures: {f: {dim: 0}}", "features.f.dim: expected a whole number, 1 or more, found 0"),
        ("version: 1\nfeatures: {f: {dim: true}}", "features.f.dim: expected a whole number, 1 or more, found True"),
        ("version: 1\nfeatures: {f: {stride: 4}}", "features.f.stride: expected text, found 4. Put it in quotes."),
        ("version: 1\nfeatures: {f: {path: [p]}}", "features.f.path: expected text, found ['p']"),
        ('version: 1\nfeatures: {f: {trained_on: "a\\tb"}}', "trained_on: expected one line of at most 200"),
        ("version: 1\nruns: null", "runs: expected text, found None"),
        ("version: 1\ndatasets: {a: {reader: x, root: d, features: f, missing: skip}}", "'fail' or 'penalise' or 'exc"),
        ("version: 1\ndatasets: {a: {reader: x, root: d, features: f, splits: {t: {}}}}", "a.splits.t.file: missing"),
        ("version: 1\ndatasets: {a: {reader: x, root: d, features: f, splits: {'t/': {file: f}}}}", "found 't/'"),
        (
            "version: 1\ndatasets: {a: {reader: x, root: d, features: f, splits: {t: {file: f, take: [0]}}}}",
            "splits.t.take: expected two whole numbers such as [0, 900], found [0]",
        ),
        (
            "version: 1\ndatasets: {a: {reader: x, root: d, features: f, splits: {t: {file: f, take: [0, none]}}}}",
            "splits.t.take.1: expected a whole number, 1 or more, found 'none'",
        ),
        (
            'version: 1\n"a\\nb": 1',
            "ab: unknown key. Known keys: datasets, features, leaderboard, runs, text, title, trackers, vers",
        ),
    ],
)
def test_a_mistake_is_one_line_that_quotes_the_path(written, text, says):
    with pytest.raises(ConfigError) as caught:
        load(written(text))

    message = str(caught.value)
    assert says in message
    assert message.startswith("bench.yaml")
    assert "\n" not in message


def test_what_has_no_default_value_may_be_null_and_numbers_may_stand_in_quotes(written):
    features = load(written("version: 1\nword_vectors: null\nfeatures: {f: {reader: r, path: p, dim: '4'}}")).features

    assert features["f"].dim == 4
    assert load(written("version: 1\nfeatures: {f: {reader: r, path: p, dim: null}}")).features["f"].dim is None


def test_a_key_without_end_does_not_fill_the_error(written):
    with pytest.raises(ConfigError) as caught:
        load(written(f"version: 1\ndatasets: {{{'a' * 3000}: 1}}"))

    assert len(str(caught.value)) < 300


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.yaml does not exist"):
        load(tmp_path / "missing.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "bench.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="is not YAML text"):
        load(path)


PACKED = """
version: 1
datasets: {{mine: {{reader: activitynet, root: data, features: vgg{more}}}}}
features: {{vgg: {{{features}}}}}
"""


@pytest.mark.parametrize("features", ["pack: packs/vgg", "reader: pack, path: packs/vgg"])
def test_a_pack_needs_its_folder_only(written, tmp_path, features):
    declaration = load(written(PACKED.format(features=features, more=""))).datasets["mine"].features

    assert (declaration.reader, declaration.path) == ("pack", tmp_path / "packs" / "vgg")
    assert declaration.extractor == ""


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ("pack: p, extractor: VGG", "features.vgg: extractor, pack given; a pack needs its folder and nothing else"),
        ("pack: p, path: q", "a pack needs its folder"),
        ("reader: pack", "a pack needs its folder"),
        ("reader: npz", "features.vgg.path: missing"),
        ("path: p", "features.vgg.reader: missing"),
        ("dim: 4", "features.vgg.reader: missing"),
    ],
)
def test_features_are_a_pack_or_a_reader_with_a_path(written, features, says):
    with pytest.raises(ConfigError, match=says):
        load(written(PACKED.format(features=features, more="")))


def test_videos_without_features_stop_a_run_unless_the_file_says_otherwise(written):
    assert load(written(PACKED.format(features="pack: p", more=""))).datasets["mine"].missing == "fail"
    more = ", missing: penalise"
    assert load(written(PACKED.format(features="pack: p", more=more))).datasets["mine"].missing == "penalise"


def test_feature_sources_are_listed_whether_or_not_a_dataset_uses_them(written):
    assert set(load(written(GOOD)).features) == {"vgg"}

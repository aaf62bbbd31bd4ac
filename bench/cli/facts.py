"""What `bench info` says of a model, an encoder, a task, a dataset, a launcher, a paper or a set: facts by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue
    from bench.data.sets.named import NamedSet
    from bench.models import Setting


def model_facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """Returns what is known of a model."""
    spec = catalogue.models[name]
    settings = {key: _in_words(setting) for key, setting in spec.settings.items()}
    for recipe, values in spec.recipes.items():
        for key in values:
            settings[key] += f"; {recipe}: {values[key]}"
    return {
        "model": name,
        "summary": spec.summary,
        "paper": spec.paper or "none (control)",
        "provides": ", ".join(kind.__name__ for kind in spec.provides),
        "distribution": catalogue.distribution(name),
        "code": spec.loader,
        "revision": spec.revision,
        "row cap": spec.max_rows,
        "numbers of a feature row": spec.dim or "any",
        "uses segments": spec.uses_segments,
        "needs on a cluster": str(spec.resources),
        "settings": settings,
    }


def _in_words(setting: Setting) -> str:
    choices = f" ({', '.join(map(str, setting.choices))})" if setting.choices else ""
    return f"{setting.default}{choices} — {setting.doc}"


def encoder_facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """Returns what is known of an encoder, with what stands after its colon."""
    spec = catalogue.encoder(name)
    return {
        "encoder": name,
        "summary": spec.summary,
        "paper": spec.paper or "none",
        "provides": ", ".join(kind.__name__ for kind in spec.provides),
        "distribution": catalogue.distribution(spec.name, "encoder"),
        "code": spec.loader,
        "revision": spec.revision,
        "install": f"pip install '{spec.extra}'" if spec.extra else "nothing further",
        "weights trained on": spec.trained_on or "as the user's weights were",
        "after a colon": spec.argument or "nothing",
        "settings": {key: _in_words(setting) for key, setting in spec.settings.items()},
    }


def launcher_facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """Returns what is known of a launcher."""
    spec = catalogue.launchers[name]
    return {
        "launcher": name,
        "summary": spec.summary,
        "distribution": catalogue.distribution(name, "launcher"),
        "code": spec.loader,
        "install": f"pip install '{spec.extra}'" if spec.extra else "nothing further",
        "settings": {key: _in_words(setting) for key, setting in spec.settings.items()},
    }


def task_facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """Returns what is known of a task, its protocol included."""
    from bench.tasks.parameters import explained

    task = catalogue.task(name)
    with catalogue.task_code(task).during("state its rules"):
        rules = dict(task.rules())
    return {
        "task": task.name,
        "version": task.version,
        "summary": task.summary,
        "dataset": task.dataset,
        "split": task.split,
        "parameters": explained(task),
        "needs": " or ".join(kind.__name__ for kind in task.accepts),
        "ranked by": task.primary,
        "rules": rules,
        "protocol": "\n\n" + (inspect.getdoc(inspect.getmodule(type(task))) or ""),
    }


def dataset_facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """Returns what is known of a declared dataset."""
    declaration, reader = catalogue.dataset(name)
    return {
        "dataset": name,
        "reader": f"{reader.name}: {reader.summary}",
        "root": declaration.root or "the generated sample",
        "files": reader.files if declaration.root else "none: it is generated",
        "splits": {split: part.file for split, part in declaration.splits.items()} or dict(reader.splits),
        "tasks evaluate on": declaration.test,
        "segments": declaration.segments,
        "note": declaration.note or "none",
        "set": declaration.named_set or "not said; `bench list sets` shows those of the field",
        "retrieval": declaration.asked() if declaration.captions else "none: it has no captions",
        "features": {
            key: getattr(declaration.features, key) or "" for key in ("reader", "path", "extractor", "stride")
        },
        "next": f"`bench data verify {name}` counts what is there and lists what is missing",
    }


def paper_facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """Returns what is known of a paper and its tables."""
    from bench.papers.tables import read_paper

    paper = catalogue.paper(name)
    return {
        "paper": name,
        "title": paper.title,
        "tables": {
            table: f"{printed.title}; {number_of(len(printed.rows), 'row')}"
            for table, printed in read_paper(paper).items()
        },
        "next": f"`bench reproduce {name} TABLE` runs what is missing and sets our figures beside the paper's",
    }


def set_facts(named: NamedSet) -> dict[str, Any]:
    """Returns what is known of a test set, and whether its list ships."""
    shipped = f"ships: {named.videos:,} ids; `bench data verify` says which differ"
    absent = "does not ship: its numbers are the source's, not counted by us; `bench data verify` compares numbers"
    return {
        "set": named.name,
        "dataset": named.dataset,
        "used for": "testing" if named.part == "test" else "training",
        "videos": named.videos,
        "queries": named.queries or ("not known" if named.part == "test" else "none: it is trained on"),
        "a query is": named.unit,
        "captions a video": named.captions,
        "right is": named.right,
        "t2v": named.t2v or "none",
        "v2t": named.v2t or "none",
        "which videos": named.rule,
        "source": named.source,
        "known variants": named.variants or "none known",
        "counted": named.counted or "nothing",
        "not known": named.unknown or "nothing",
        "list": shipped if named.list_ships else absent,
        "sha256 of the ids": named.ids_sha256 or "none",
        "sha256 of ids and captions": named.captions_sha256 or "none",
        "next": f"declare `set: {named.name}` under a dataset of bench.yaml, then `bench data verify DATASET`; "
        f"`-t DATASET-TASK:set={named.name}` asks it",
    }

"""The rules of the house that a machine can check: imports, sizes, names, what is never called."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from floor_plan import PAGE, page

PROJECT = Path(__file__).resolve().parent.parent
PLUGINS = (
    *("controls", "encoders", "fse", "hse", "s2vt", "dense", "dvc", "tsn", "fvvae"),
    *("head", "trackers", "video_llms"),
)
PACKAGES = ("bench", "bench_torch", *(f"bench_{plugin}" for plugin in PLUGINS))
SOURCES = sorted([*PROJECT.glob("bench/**/*.py"), *PROJECT.glob("plugins/**/*.py")])
LONGEST_MODULE = 300
MOST_PARAMETERS = 6
VAGUE = {"util", "utils", "common", "misc", "helper", "helpers", "manager", "handler"}
TORCH_AT_THE_TOP = {
    Path("bench/data/loading.py"),
    Path("bench/metrics/ranking.py"),
    Path("bench/metrics/cosines.py"),
    Path("bench/metrics/gallery_ranks.py"),
    Path("bench/models/frozen.py"),
}
PICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SHIPPED = re.compile(r"(?i)(?:bench_)?(?:fse|hse|s2vt|dvc|tsn|fv-?vae)(?:[_.:-].*)?|DENSE")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[ast.Module], Iterator[str]]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def offences(rule: Rule, paths: Iterable[Path] = SOURCES) -> list[str]:
    """Returns what `rule` finds in each file, with the file's name."""
    return [f"{path.relative_to(PROJECT)}: {found}" for path in paths for found in rule(parse(path))]


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def dotted(node: ast.AST | None) -> str:
    """Returns `a.b.c` for the expression a.b.c, and '' for anything that is no plain dotted name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Returns the modules that an import statement names."""
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_architecture_page_is_drawn_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/floor_plan.py"


def test_the_top_of_bench_fits_on_one_screen() -> None:
    assert len(list(PROJECT.glob("bench/*.py"))) <= 16


def test_a_module_fits_in_the_head() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert [str(path) for path, lines in lengths.items() if lines > LONGEST_MODULE] == []


def test_a_function_takes_at_most_six_parameters() -> None:
    def long_signatures(tree: ast.Module) -> Iterator[str]:
        for function in functions(tree):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            names = [argument.arg for argument in arguments if argument.arg not in ("self", "cls")]
            if len(names) > MOST_PARAMETERS:
                yield f"{function.name}({', '.join(names)})"

    # A command has as many parameters as it has flags, and so has the function that does the same from Python.
    doors = {path for path in SOURCES if "cli" in path.parts} | {PROJECT / "bench" / "__init__.py"}
    assert offences(long_signatures, sorted(set(SOURCES) - doors)) == []


def test_names_say_what_things_are() -> None:
    def vague(name: str) -> bool:
        return bool(VAGUE & {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)})

    def vague_classes(tree: ast.Module) -> Iterator[str]:
        return (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and vague(node.name))

    assert offences(vague_classes) == []
    assert [str(path) for path in SOURCES if vague(path.stem) or vague(path.parent.name)] == []


def test_a_class_name_has_one_meaning() -> None:
    where: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef):
                where.setdefault(node.name, []).append(str(path.relative_to(PROJECT)))
    assert {name: files for name, files in where.items() if len(files) > 1} == {}


def test_modules_and_their_public_functions_and_classes_say_what_they_do() -> None:
    def silent(tree: ast.Module) -> Iterator[str]:
        if tree.body and not ast.get_docstring(tree):
            yield "the module"
        for node in tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                implements_hook = any(dotted(mark).endswith("hookimpl") for mark in node.decorator_list)
                if not implements_hook and not ast.get_docstring(node):
                    yield node.name

    assert offences(silent) == []


def says(call: ast.Call, name: str, value: bool) -> bool:
    """Returns whether a call says `name=value` in so many words."""
    said = (word.value for word in call.keywords if word.arg == name)
    return any(isinstance(word, ast.Constant) and word.value is value for word in said)


def test_nothing_is_unpickled() -> None:
    def unpickling(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from PICKLING & {module.split(".")[0] for module in imported(node)}
            elif isinstance(node, ast.Call):
                called = dotted(node.func)
                if called == "torch.save" or (called == "torch.load" and not says(node, "weights_only", True)):
                    yield called
                if any(word.arg == "allow_pickle" for word in node.keywords) and not says(node, "allow_pickle", False):
                    yield f"{called}(allow_pickle=…)"

    assert offences(unpickling) == []


def test_yaml_is_loaded_safely() -> None:
    def is_safe(loader: str, tree: ast.Module) -> bool:
        """True for yaml's safe loaders and for a class of the same module that derives from one."""
        if loader in {"yaml.SafeLoader", "yaml.CSafeLoader"}:
            return True
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == loader]
        return any(is_safe(dotted(base), tree) for node in classes for base in node.bases)

    def unsafe(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and dotted(node.func) in {"yaml.load", "yaml.load_all"}:
                loader = next((word.value for word in node.keywords if word.arg == "Loader"), None)
                if not is_safe(dotted(loader), tree):
                    yield f"line {node.lineno}"
            elif isinstance(node, ast.Attribute) and re.match(r"yaml\.(unsafe|full)_load", dotted(node)):
                yield dotted(node)

    assert offences(unsafe) == []


def test_no_error_is_swallowed() -> None:
    def swallowed(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body):
                caught = {dotted(name) for name in getattr(node.type, "elts", [node.type])}
                if caught & {"", "Exception", "BaseException", "BenchError"}:
                    yield f"line {node.lineno}: catches {', '.join(caught)} and passes"

    assert offences(swallowed) == []


def test_torch_is_imported_at_the_top_only_where_tensors_are_computed() -> None:
    def heavy(tree: ast.Module) -> Iterator[str]:
        for node in loaded_at_import(tree.body):
            yield from {"torch", "pandas", "sklearn"} & {module.split(".")[0] for module in imported(node)}

    light = [path for path in PROJECT.glob("bench/**/*.py") if path.relative_to(PROJECT) not in TORCH_AT_THE_TOP]
    assert offences(heavy, [*light, *PROJECT.glob("plugins/*/plugin.py")]) == []


def loaded_at_import(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yields the imports that run when a module is imported: not those for types, nor those inside functions."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING"):
            yield from loaded_at_import(node.orelse)
        elif not isinstance(node, Function):
            for block in ("body", "orelse", "finalbody"):
                yield from loaded_at_import(getattr(node, block, []))


def test_a_plugin_module_imports_the_public_door_only() -> None:
    def other_doors(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                stdlib = sys.stdlib_module_names
                yield from (name for name in imported(node) if name != "bench.api" and name.split(".")[0] not in stdlib)

    assert offences(other_doors, PROJECT.glob("plugins/*/plugin.py")) == []


def test_the_harness_does_not_name_the_models_it_ships_with() -> None:
    def named(tree: ast.Module) -> Iterator[str]:
        """Docstrings and help texts may use a name as an example of what users type; code may not depend on one."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SHIPPED.fullmatch(node.value):
                yield f"line {node.lineno}: {node.value!r}"
            name = getattr(node, "id", getattr(node, "attr", getattr(node, "name", "")))
            if isinstance(name, str) and SHIPPED.fullmatch(name):
                yield name

    # Sampling rules bear the names of the papers they come from, whatever models there are.
    code = [path for path in PROJECT.glob("bench/**/*.py") if path.parent != PROJECT / "bench" / "video"]
    assert offences(named, code) == []


def test_every_source_is_declared_to_the_build_and_to_the_type_checker() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    plugins = sorted(path.parent.name for path in PROJECT.glob("plugins/*/__init__.py"))
    entry_points = settings["project"]["entry-points"]["bench"].values()
    offering = {f"{path.parent.name}.plugin" for path in PROJECT.glob("plugins/*/plugin.py")}
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [
        "bench",
        *[f"plugins/{name}" for name in sorted(plugins, key=PACKAGES.index)],
    ]
    assert sorted(settings["tool"]["mypy"]["packages"]) == sorted(["bench", *plugins])
    assert sorted(settings["tool"]["importlinter"]["root_packages"]) == sorted(["bench", *plugins])
    assert set(entry_points) == offering

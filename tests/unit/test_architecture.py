"""What docs/design.md says about the code's layers, read off the code itself."""

from __future__ import annotations

import ast
import functools
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pivo.settings import CHECKOUT

LIBRARY = CHECKOUT / "include" / "pivo"
MODULES = {
    ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(LIBRARY.rglob("*.py"))
}

LAYERS = (
    # From the top; a module imports from its own row and from those below, never from one above.
    {"demo"},
    {"cli"},
    {"chat"},
    {"agent"},
    {"hooks", "operators"},
    {"webhook"},
    {"orchestrator", "restore", "registry", "verify", "consolidation", "retention", "reindex", "health"},
    {"ingest", "stack"},
    {"forges", "organisations"},
    {"snapshot", "index"},
    {"events", "store", "source", "lfs"},
    {"webhdfs", "sparkjob", "wire"},
    {"hdfsaddress"},
    {"settings"},
    {"gitobjects", "gitmemory", "gitaccess", "kerberos"},
    {"models", "removed", "errors", "progress", "trace", "findings", "alerts", "masking"},
)
_HEAVY = {"pivo", "pyspark", "dulwich", "hdfs", "confluent_kafka"}
_READS = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}
AIRFLOW = ("hooks", "operators", "chat")


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, module: str, *, lazy: bool = True) -> Iterator[tuple[str, ast.stmt]]:
    """Full names of what a file imports; without `lazy`, only at its top level, for types not at all."""
    tree = parsed(path)
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], base]).rstrip(".")
            yield base, node
            for alias in node.names:
                if f"{base}.{alias.name}" in MODULES:
                    yield f"{base}.{alias.name}", node


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_every_module_has_a_layer() -> None:
    known = set().union(*LAYERS)
    assert {room(m) for m in MODULES} - {""} <= known, "put a new package in its row of LAYERS, and in docs/design.md"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_downwards(module: str) -> None:
    level = {name: n for n, row in enumerate(LAYERS) for name in row}
    for name, node in imports(MODULES[module], module):
        if name.startswith("pivo.") and room(name) != room(module) and room(module):
            assert level[room(name)] >= level[room(module)], f"{module}:{node.lineno} imports {name}, which is above it"


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        module: {
            name
            for name, node in imports(path, module, lazy=False)
            if name in MODULES and name != module and not module.startswith(f"{name}.")
        }
        for module, path in MODULES.items()
    }
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the cycle


def test_one_module_reads_the_environment() -> None:
    guilty = []
    for module, path in MODULES.items():
        for node in ast.walk(parsed(path)):
            named = isinstance(node, ast.Attribute) and ast.unparse(node) in _READS
            if named or (isinstance(node, ast.ImportFrom) and node.module == "os" and "environ" in ast.dump(node)):
                guilty.append(f"{module}:{node.lineno}")
    # bootstrap.py runs before anything is installed, with nothing but the standard library.
    assert [g for g in guilty if not g.startswith(("pivo.settings:", "pivo.stack.bootstrap:"))] == []


def test_airflow_stays_in_its_rooms() -> None:
    found = {
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        for name, node in imports(path, module)
        if name.split(".")[0] == "airflow" and room(module) not in AIRFLOW
    }
    # A script that `pivo up` gives to Airflow's own Python, to ask it something from inside.
    assert {f for f in found if not f.startswith("pivo.stack.airflow_probe:")} == set()
    at_the_top = {m for m, p in MODULES.items() for n, _ in imports(p, m, lazy=False) if n.split(".")[0] == "airflow"}
    assert at_the_top <= {"pivo.stack.airflow_probe"} | {m for m in MODULES if room(m) in {"chat", "operators"}}


def test_what_reads_the_index_never_imports_what_writes_it() -> None:
    reached, left = set(), ["pivo.index.reader"]
    while left:
        module = left.pop()
        if module not in reached:
            reached.add(module)
            left += [name for name, _ in imports(MODULES[module], module) if name in MODULES]
    assert not reached & {"pivo.index.writer", "pivo.index.apply"}


@pytest.mark.parametrize("folder", ["include", "dags", "plugins", "spark_jobs"])
def test_nothing_is_printed(folder: str) -> None:
    for path in (CHECKOUT / folder).rglob("*.py"):
        for node in ast.walk(parsed(path)):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            assert not called or path.name == "bootstrap.py", f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", sorted((CHECKOUT / "dags").glob("*.py")), ids=lambda p: p.name)
def test_dags_import_the_library_when_they_run_not_when_they_are_parsed(path: Path) -> None:
    found = {name for name, _ in imports(path, "dag", lazy=False) if name.split(".")[0] in _HEAVY}
    # an operator is a class, and the pattern of a parameter a part of the DAG: its file cannot do without them
    assert found <= {"pivo", "pivo.operators", "pivo.masking"}


def test_the_library_finds_no_way_round_its_path() -> None:
    for path in [*LIBRARY.rglob("*.py"), *(CHECKOUT / "dags").glob("*.py"), *(CHECKOUT / "tests").rglob("*.py")]:
        tree = parsed(path)
        edited = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func).startswith("sys.path.")]
        assert edited == [], path


def test_nothing_but_a_retention_that_was_asked_for_removes_what_is_published() -> None:
    callers = {m for m, path in MODULES.items() if ".remove_replaced(" in path.read_text(encoding="utf-8")}
    assert callers == {"pivo.retention"}
    askers = {m for m, path in MODULES.items() if "pivo.retention" in {name for name, _ in imports(path, m)}}
    assert askers == {"pivo.cli.retain"}

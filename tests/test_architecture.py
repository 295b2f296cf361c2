"""The layers, and what importing them costs: gui → engine → engine.native → csrc, and nothing points back."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("engine", "gui", "resources")
MAX_LINES = 600
# Libraries that must not be loaded before they are needed.
HEAVY = (
    *("PySide6", "pyqtgraph", "torch", "matplotlib", "imagecodecs", "skimage", "scipy", "flip_evaluator", "tifffile"),
    *("dask", "distributed", "cryptography"),
)


def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports(name: str, *, at_import: bool = False) -> Iterator[str]:
    """Dotted names that a module imports, in functions too unless `at_import`; `from a import b` is a.b for modules."""
    tree = TREES[name]
    nodes = _run_on_import(tree) if at_import else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            base = node.module or ""
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in MODULES or whole == "engine._native" else base


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when a module is imported: not what is in functions or under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _run_on_import(child)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_there_are_modules_to_look_at():
    assert {"engine", "engine.native", "gui.launch", "resources"} <= MODULES.keys()


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "engine")])
def test_the_engine_knows_nothing_of_the_window(name):
    for imported in imports(name):
        assert not any(within(imported, other) for other in ("gui", "PySide6", "pyqtgraph", "shiboken6")), imported


@pytest.mark.parametrize("name", [name for name in MODULES if not within(name, "engine.native")])
def test_only_engine_native_touches_the_extension(name):
    assert not any(within(imported, "engine._native") for imported in imports(name))


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "engine.native")])
def test_the_extension_s_wrapper_leans_on_little(name):
    allowed = ("engine.native", "engine._native", "engine.errors")
    ours = [imported for imported in imports(name) if within(imported, "engine")]
    assert all(any(within(imported, package) for package in allowed) for imported in ours), ours


def test_resources_are_data_and_one_marker():
    assert [name for name in MODULES if within(name, "resources")] == ["resources"]
    assert list(imports("resources")) == []


def test_no_imports_go_in_circles():
    edges = {
        name: {target for target in imports(name, at_import=True) if target in MODULES and target != name}
        for name in MODULES
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for target in sorted(edges[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in sorted(edges):
        visit(name, ())


@pytest.mark.parametrize("module", ["engine", "engine.cli", "engine.io", "engine.registry", "gui.launch"])
def test_importing_it_loads_nothing_heavy(module):
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stdout))
    assert module in loaded
    assert not loaded & set(HEAVY)


def project_files() -> list[Path]:
    """Text files that belong to the project: what git would track."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    run = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    names = run.stdout.decode().split("\0") if run.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [
        p for d in (*PACKAGES, "csrc", "tests") for p in (ROOT / d).rglob("*")
    ]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def test_no_two_files_of_tests_share_a_name():
    """pytest, as it is set up here, takes the second for the first and stops."""
    names = [path.name for path in project_files() if path.name.startswith("test_") and path.suffix == ".py"]
    assert sorted(names) == sorted(set(names))


def test_no_source_file_grows_past_a_room():
    long = {}
    for path in project_files():
        if path.suffix in (".py", ".c", ".h"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > MAX_LINES:
                long[str(path.relative_to(ROOT))] = lines
    assert not long


def test_no_file_names_a_package_registry():
    hosts = [
        f"{name}.{end}"
        for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("anaconda", "org"), ("npmjs", "com"))
    ]
    named = [
        str(path.relative_to(ROOT))
        for path in project_files()
        if any(host in path.read_text(encoding="utf-8", errors="ignore") for host in hosts)
    ]
    assert not named

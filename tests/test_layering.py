"""Imports run one way, the server stays free of torch, and modules stay short."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest
from appserver import ROOT, environment

PAGES = sorted((ROOT / "pages").glob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60

# What is longer, each with its reason.
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

# Where torch may be imported when the module is: everything that computes with tensors.
ENGINE = {
    f"vae.{name}"
    for name in (
        "batches",
        "likelihoods",
        "elbo",
        "models",
        "optimizers",
        "tally",
        "evaluation",
        "training",
        "checkpoints",
        "worker",
        "jobs",
        "optimizers",
        "shipping",
    )
}

# What each part may import from vae, beside itself. Parts that are not named may import anything
# that the other tests allow.
ALLOWED = {
    "vae.theory": set(),
    "vae.likelihoods": set(),
    "vae.errors": set(),
    "vae.config": {"vae.errors"},
    "vae.events": set(),
    "vae.snapshots": {"vae.config", "vae.events"},
    "vae.elbo": {"vae.likelihoods", "vae.models"},
    "vae.models": {"vae.config", "vae.likelihoods"},
    "vae.charts": {"vae.theory", "vae.config", "vae.events", "vae.snapshots"},
}

# Parts that must not know of those named, not even through others.
FORBIDDEN = {
    "vae.data": {"vae.training", "vae.checkpoints", "vae.worker", "vae.runs", "vae.charts"},
    "vae.training": {"vae.checkpoints", "vae.worker", "vae.runs", "vae.charts", "vae.claims"},
    "vae.checkpoints": {"vae.worker", "vae.runs", "vae.charts", "vae.claims"},
    "vae.worker": {"vae.runs", "vae.charts", "vae.claims"},
    "vae.runs": {"vae.training", "vae.checkpoints", "vae.worker", "vae.charts", "vae.claims"},
    "vae.checks": {"vae.runs", "vae.charts", "vae.claims", "vae.worker", "vae.training"},
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the app by its dotted name, parsed."""
    paths = [ROOT / "streamlit_app.py", *PAGES, *sorted((ROOT / "vae").rglob("*.py"))]
    found = {}
    for path in paths:
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


def imports(tree: ast.AST, *, top_level: bool) -> Iterator[str]:
    """Names that ``tree`` imports; with ``top_level`` only those of the import itself."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else str(node.module)
        elif not (top_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            if top_level and _only_for_types(node):
                continue
            yield from imports(node, top_level=top_level)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def inside(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def reached(start: str) -> dict[str, str]:
    """Modules that importing ``start`` imports, each with the module that does it."""
    found, open_ends = {start: ""}, [start]
    while open_ends:
        name = open_ends.pop()
        for target in imports(modules()[name], top_level=True):
            if target not in found:
                found[target] = name
                if target in modules():
                    open_ends.append(target)
    return found


def chain(found: dict[str, str], name: str) -> str:
    """How ``name`` was reached, for a message."""
    path = [name]
    while found[path[-1]]:
        path.append(found[path[-1]])
    return " <- ".join(path)


def test_only_pages_and_their_parts_import_streamlit():
    guilty = [
        name
        for name, tree in modules().items()
        if inside("streamlit", {target.split(".")[0] for target in imports(tree, top_level=False)})
        and not (name.startswith(("pages.", "vae.ui")) or name == "streamlit_app")
    ]
    assert not guilty


def test_nothing_imports_pages():
    guilty = [
        (name, target)
        for name, tree in modules().items()
        for target in imports(tree, top_level=False)
        if target.split(".")[0] in ("pages", "streamlit_app")
    ]
    assert not guilty


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_only_what_it_may(part):
    guilty = [
        f"{name} imports {target}"
        for name, tree in modules().items()
        if inside(name, {part})
        for target in imports(tree, top_level=False)
        if target.split(".")[0] == "vae" and not inside(target, ALLOWED[part] | {part})
    ]
    assert not guilty


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_part_does_not_reach_what_it_must_not_know(part):
    guilty = []
    for name in modules():
        if inside(name, {part}):
            found = reached(name)
            guilty += [chain(found, item) for item in found if inside(item, FORBIDDEN[part])]
    assert not guilty


def test_imports_form_no_circle():
    open_names: list[str] = []
    done = set()

    def visit(name: str) -> None:
        assert name not in open_names, " -> ".join([*open_names, name])
        if name in done:
            return
        open_names.append(name)
        for target in set(imports(modules()[name], top_level=True)) - {name}:
            if target in modules():
                visit(target)
        done.add(open_names.pop())

    for name in modules():
        visit(name)


def test_torch_is_imported_by_the_engine_alone():
    guilty = [
        name
        for name, tree in modules().items()
        if {"torch", "torchvision"} & {item.split(".")[0] for item in imports(tree, top_level=True)}
        and not inside(name, ENGINE)
    ]
    assert not guilty


@pytest.mark.parametrize("start", ["streamlit_app", *(f"pages.{page.stem}" for page in PAGES)])
def test_no_page_reaches_torch_by_its_imports(start):
    found = reached(start)
    heavy = [item for item in found if item.split(".")[0] in ("torch", "torchvision")]
    assert not heavy, chain(found, heavy[0])


_RUN_EVERY_PAGE = """
import sys
from pathlib import Path
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
for page in sorted(Path("pages").glob("*.py")):
    app.switch_page(str(page)).run()
    assert not app.exception, f"{page}: {[item.message for item in app.exception]}"
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "torchvision")))
"""


def test_running_every_page_loads_no_torch(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _RUN_EVERY_PAGE],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == []


def test_modules_are_short():
    long = {
        name: lines
        for name, tree in modules().items()
        if (lines := last_line(tree)) > LONGEST_MODULE and name not in LONG_MODULES
    }
    assert not long


def test_functions_are_short():
    long = {}
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = body_lines(node)
                whole = f"{name}.{node.name}"
                if lines > LONGEST_FUNCTION and whole not in LONG_FUNCTIONS:
                    long[whole] = lines
    assert not long


def last_line(tree: ast.Module) -> int:
    return max(
        (node.end_lineno or 0 for node in ast.walk(tree) if hasattr(node, "lineno")), default=0
    )


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the signature to the end, without the docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        doc = function.body[0]
        lines -= (doc.end_lineno or 0) - doc.lineno + 1
    return lines


def test_exceptions_to_the_lengths_are_still_needed():
    for name in LONG_MODULES:
        assert last_line(modules()[name]) > LONGEST_MODULE


def test_every_module_says_what_it_is():
    silent = [name for name, tree in modules().items() if tree.body and not ast.get_docstring(tree)]
    assert not silent

"""Names that Streamlit does not document are imported in one file, each with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import streamlit
from appserver import ROOT

PLACE = ROOT / "vae" / "web" / "streamlit_private.py"


def private_names(path: Path) -> Iterator[str]:
    """What ``path`` takes from Streamlit's inside: its submodules, and names with an underscore."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aliases = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "streamlit":
                    aliases.add(alias.asname or alias.name)
                elif alias.name.startswith("streamlit."):
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "streamlit":
            public = node.module == "streamlit"
            names = (alias.name for alias in node.names)
            yield from (f"{node.module}.{name}" for name in names if not public or name[0] == "_")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in aliases:
                yield ast.unparse(node)


def test_no_other_module_imports_a_name_that_streamlit_does_not_document():
    paths = [
        ROOT / "streamlit_app.py",
        *(ROOT / "pages").glob("*.py"),
        *(ROOT / "vae").rglob("*.py"),
    ]
    found = {path: list(private_names(path)) for path in paths if path != PLACE}
    assert {path: names for path, names in found.items() if names} == {}


def test_each_private_name_has_its_reason_and_its_version():
    text = PLACE.read_text(encoding="utf-8")
    tree = ast.parse(text)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert imports
    lines = text.splitlines()
    for node in imports:
        above = lines[: node.lineno - 1]
        comment = []
        while above and above[-1].startswith("#"):
            comment.append(above.pop())
        assert "Waits for:" in "\n".join(comment), ast.unparse(node)
    major, minor = streamlit.__version__.split(".")[:2]
    assert f"Streamlit {major}.{minor}" in (ast.get_docstring(tree) or "")


def test_private_names_are_found(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "import streamlit as st\nimport streamlit.runtime\nfrom streamlit import _config\n"
        "from streamlit.proto import Block_pb2\nst.runtime._instance\nst.markdown('a')\n"
    )
    assert len(list(private_names(script))) == 4

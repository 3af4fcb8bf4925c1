"""Every module says what it is; who imports whom is .importlinter's, that a server has no torch
tests/web/test_hosting.py's."""

import ast

from appserver import ROOT


def test_every_module_says_what_it_is():
    paths = [
        ROOT / "streamlit_app.py",
        *(ROOT / "pages").glob("*.py"),
        *(ROOT / "vae").rglob("*.py"),
    ]
    silent = [
        path.relative_to(ROOT)
        for path in paths
        if (tree := ast.parse(path.read_text(encoding="utf-8"))).body
        and not ast.get_docstring(tree)
    ]
    assert not silent

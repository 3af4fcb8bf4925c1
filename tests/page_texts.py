"""The words that pages show: every constant text of the pages, the lessons and the ledger."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from vae.charts.derivation.steps import STEPS
from vae.ledger import CLAIMS
from vae.lessons.glossary import GLOSSARY
from vae.lessons.questions import LESSONS

ROOT = Path(__file__).resolve().parents[1]
# Calls whose text a reader meets as prose.
_SHOWN = {"markdown", "caption", "take_away", "info", "success", "warning", "write", "show_fold"}
_BLANK = "\0"


def page_texts() -> Iterator[tuple[str, str]]:
    """(where, text) of every prose call in the pages and the web package, ``\\0`` for a value."""
    for path in (*sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "vae/web").rglob("*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in _SHOWN:
                for argument in node.args:
                    text = _text(argument)
                    if text and " " in text:
                        yield f"{path.relative_to(ROOT)}:{argument.lineno}", text


def told_texts() -> Iterator[tuple[str, str]]:
    """(where, text) of the lessons' questions, the steps, the glossary and the ledger."""
    for name, lesson in LESSONS.items():
        for text in (lesson.question, lesson.predict, lesson.look, lesson.takeaway):
            yield f"lesson {name}", text
    for step in STEPS:
        yield f"step {step.title}", step.say
        yield f"step {step.title}", step.misprint_say
    for entry in GLOSSARY:
        yield f"glossary {entry.term}", entry.meaning
    for claim in CLAIMS.values():
        yield f"claim {claim.id}", claim.claim
        yield f"claim {claim.id}", claim.statement


def sentences(text: str) -> Iterator[str]:
    """The sentences of markdown prose; tables, code and formulas on their own are left out."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", text, flags=re.S)
    for block in re.split(r"\n\n|\n[-|#]", text):
        if block.lstrip().startswith(("|", "###")):
            continue
        # A full stop ends a sentence before a space; not in "et al." nor within a number.
        joined = re.sub(r"\bet al\.", "et al", re.sub(r"[*_`]", "", block))
        yield from (part for part in re.split(r"(?<=[.?!])\s+", joined) if part.strip())


def words(sentence: str) -> int:
    """Words with a letter or a digit; a formula without spaces is one word."""
    return sum(bool(re.search(r"[\w\0]", part)) for part in sentence.split())


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr) -> str:
    """A constant or f-string as text; other values as one blank."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else _BLANK for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return ""

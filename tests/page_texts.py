"""The words that pages show: every constant sentence of the pages and of what stands on them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Where what a page says is written: its prose, its figures' words and alternatives, its answers.
_SAID_IN = (
    "pages",
    "vae/web",
    "vae/charts",
    "vae/lessons",
    "vae/quiz",
    "vae/ledger/entries",
    "vae/ledger/types.py",
    "vae/your_loss",
    "vae/beliefs",
    "vae/theory/prediction.py",
    "vae/config.py",
)
_BLANK = "\0"
_WORD = re.compile(r"\b[a-zA-Z]{2,}\b")
# What English has and a formula, a style sheet or a line of code has not.
_ENGLISH = re.compile(
    r"(?<![\w-])(?:the|a|an|of|is|are|to|in|on|and|or|it|its|with|from|by|at|no|not|than|one|each|"
    r"which|that|this|what|where|as|for)(?![\w-])"
)
_CODE = re.compile(r"datum\.|\\[a-zA-Z]{2}|[{;]\s*\n|\bself\.|\bdef |^\s*import |\{ [\w-]+:")
# Code between backquotes, formulas between dollars, tags with what they say to the browser.
_MARKED = re.compile(r"`[^`]*`|\$[^$]*\$|<[^>]*>")


def page_texts() -> Iterator[tuple[str, str]]:
    """(where, text) of every English text that is not a docstring; ``\\0`` for a value in it."""
    for place in _SAID_IN:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in _outermost(tree):
                if is_prose(text := _text(node)):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", text


def is_prose(text: str) -> bool:
    """Whether a reader meets ``text`` as words: not code, not a formula, not a name."""
    plain = _MARKED.sub(_BLANK, text)
    return (
        len(_WORD.findall(plain)) > 2 and bool(_ENGLISH.search(plain)) and not _CODE.search(plain)
    )


def _outermost(tree: ast.AST) -> Iterator[ast.expr]:
    """Texts as they are put together, from the largest: a sum or an f-string counts once."""
    # Texts that are statements document the code.
    documentation = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}

    def within(node: ast.AST) -> Iterator[ast.expr]:
        if node in documentation and isinstance(node, ast.Constant):
            return
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and _text(node):
            yield node
            return
        for child in ast.iter_child_nodes(node):
            yield from within(child)

    yield from within(tree)


def sentences(text: str) -> Iterator[str]:
    """The sentences of markdown prose; tables, code and formulas on their own are left out."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", text, flags=re.S)
    text = re.sub(r"</?(?:p|div|article|summary|li)\b[^>]*>", "\n\n", text)
    for block in re.split(r"\n\n|\n[-|#]", text):
        if block.lstrip().startswith(("|", "###")):
            continue
        # A full stop ends a sentence before a space; not in "et al." nor within a number.
        joined = re.sub(r"\bet al\.", "et al", re.sub(r"[*_`]", "", block))
        yield from (part for part in re.split(r"(?<=[.?!])\s+", joined) if part.strip())


def words(sentence: str) -> int:
    """Words with a letter or a digit; a formula without spaces is one word."""
    return sum(bool(re.search(r"[\w\0]", part)) for part in sentence.split())


def _text(node: ast.expr) -> str:
    """A constant or f-string as text; other values as one blank."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else _BLANK for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        # A value that is added, such as a name's text, is a blank within the sentence.
        return (left or _BLANK) + (right or _BLANK) if left or right else ""
    return ""

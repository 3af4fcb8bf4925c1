"""From pasted text to a syntax tree: bounded before it is parsed, never compiled, never run."""

import ast
import json
import re
import textwrap
import warnings

from vae.your_loss.arrays import BUDGET

MAX_BYTES = 100_000
MAX_NOTEBOOK = 8_000_000
MAX_LINES = 4_000
MAX_LINE_LENGTH = 4_000
MAX_NESTING = 40
MAX_INDENT = 200
MAX_DIGITS = 200
# Unary operators in a row nest as deeply as brackets do.
MAX_CHAIN = 40
MAX_DEPTH = 90
MAX_NODES = 30_000

_STRINGS = re.compile(
    r"\"\"\".*?(?:\"\"\"|\Z)|'''.*?(?:'''|\Z)"
    r"|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|#[^\n]*",
    re.DOTALL,
)
_CHAIN = re.compile(rf"(?:(?:not\b|await\b|lambda\b[^:\n]{{0,40}}:|[-+~*])\s*){{{MAX_CHAIN},}}")
_DIGITS = re.compile(rf"[0-9_]{{{MAX_DIGITS},}}")
_PRINT = re.compile(r"^([ \t]*)print[ \t]+(?=[\"'\w][^\n]*$)([^\n]*)$", re.MULTILINE)
_TO_FILE = re.compile(r"^([ \t]*)print[ \t]*>>[^\n]*$", re.MULTILINE)
# Version 2 of Python: `raise Error, text`, `except Error, name:`.
_VERSION_2 = (
    (re.compile(r"^([ \t]*raise[ \t]+[\w.]+)[ \t]*,[^\n]*$", re.MULTILINE), r"\1"),
    (
        re.compile(r"^([ \t]*except[ \t]+[\w.]+)[ \t]*,[ \t]*(\w+)[ \t]*:", re.MULTILINE),
        r"\1 as \2:",
    ),
)
_PROMPT = re.compile(r"^(?:>>>|\.\.\.) ?", re.MULTILINE)
# Python 3.12: def f[T](x), class A[**P](B).
_GENERIC = re.compile(
    r"^([ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+)\[[\w*:,=.| \t]{1,200}\](?=[(:])", re.MULTILINE
)
# Where one of these words stands, what is no Python may be the loss itself.
_OF_A_LOSS = re.compile(
    r"loss|kl|elbo|beta|backward|criterion|recon|log_?var|log_?sig", re.IGNORECASE
)
MAX_BROKEN = 2
# Each try parses the text again.
MAX_TRIED = 60_000
_MAGIC = re.compile(r"^(\s*)(?:[%!][^\n]*|\?[^\n]*|[\w.]+\?{1,2}\s*)$", re.MULTILINE)


class Unreadable(Exception):
    """The text is no loss that can be read. The message is a sentence, with the line if known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"Line {line}: {message}")
        self.line = line


def last_name(node: ast.AST | None) -> str:
    """``step`` and ``self.step`` by their last word, '' for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def parse(code: str, left_out: list[tuple[int, str]] | None = None) -> ast.Module:
    """The syntax tree of ``code`` (a notebook's JSON is read as its code cells).

    ``left_out`` takes the lines of what is no Python and does not speak of a loss, and why.
    Raises ``Unreadable`` for text that is empty, too long, nested too deeply or no Python.
    """
    if not isinstance(code, str):
        raise Unreadable(f"code: {type(code).__name__} given; text is needed.")
    if "\0" in code:
        raise Unreadable("there is a null character in the text: this is no Python source.")
    if len(code) > MAX_NOTEBOOK:
        raise Unreadable("the text is longer than 8 MB; paste the loss and what calls it.")
    if code.lstrip()[:1] == "{" and '"cells"' in code:
        code = _cells(code)
    if len(code.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unreadable(
            f"the text has more than {MAX_BYTES // 1000} kB; paste the loss and what calls it."
        )
    plain = prepare(code)
    if "\t" in code and not _is_indented(plain):
        # Version 2 of Python took a tab for eight spaces.
        plain = prepare(code.expandtabs(8))
    if not plain.strip():
        raise Unreadable("there is no code; paste a function, a method or the lines of a loss.")
    _check_shape(plain)
    tree = _parse(plain, [] if left_out is None else left_out)
    _check_tree(tree)
    return tree


def prepare(code: str) -> str:
    """The Python in ``code``: no prompts, no magics, no common indent, no words around it."""
    text = code.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff").expandtabs(4)
    fence = re.search(r"^```[a-zA-Z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    if fence:
        # Blank lines keep the numbers of the lines that are quoted.
        text = "\n" * text[: fence.start(1)].count("\n") + fence.group(1)
    if text.lstrip().startswith(">>>"):
        text = _PROMPT.sub("", text)
    return textwrap.dedent(text)


def _moved(text: str) -> str:
    """The text where only the first line was copied without its indent."""
    first, _, rest = text.partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}"


def _cells(text: str) -> str:
    """The cells of code of a notebook that are Python."""
    try:
        cells = json.loads(text)["cells"]
        sources = [cell["source"] for cell in cells if cell.get("cell_type") == "code"]
        joined = [_without_magic("".join(source)) for source in sources[:400]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return text
    return "\n\n".join(cell for cell in joined[:400] if "\0" not in cell and _is_python(cell))


def _is_indented(text: str) -> bool:
    try:
        _check_shape(text)
        _tree(_PRINT.sub(r"\1_ = \2", text))
    except IndentationError:
        return False
    except (SyntaxError, Unreadable):
        return True
    return True


def _is_python(cell: str) -> bool:
    plain = prepare(cell)
    try:
        _check_shape(plain)
        _tree(_PRINT.sub(r"\1pass", plain))
    except (SyntaxError, Unreadable):
        return False
    return True


def _without_magic(cell: str) -> str:
    """The cell as it is, or without the notebook's own commands if it is no Python with them."""
    return cell if _is_python(cell) else _MAGIC.sub(r"\1pass", cell)


def _check_shape(text: str) -> None:
    """What would make the parser itself slow or deep is refused before it sees it."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise Unreadable(f"there are more than {MAX_LINES} lines; paste the loss alone.")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_LENGTH:
            raise Unreadable(f"longer than {MAX_LINE_LENGTH} characters.", number)
        if len(line) - len(line.lstrip()) > MAX_INDENT and line.strip():
            raise Unreadable("indented too deeply to be read.", number)
    bare = _STRINGS.sub(lambda found: "\n" * found.group().count("\n") + " ", text)
    depth = 0
    for number, line in enumerate(bare.split("\n"), 1):
        for character in line:
            if character in "([{":
                depth += 1
                if depth > MAX_NESTING:
                    raise Unreadable("brackets are nested too deeply to be read.", number)
            elif character in ")]}":
                depth = max(0, depth - 1)
    for pattern, words in (
        (_CHAIN, "operators stand in a row too long to be read."),
        (_DIGITS, "a number with too many digits."),
    ):
        found = pattern.search(bare)
        if found:
            raise Unreadable(words, bare.count("\n", 0, found.start()) + 1)


def _parse(text: str, left_out: list[tuple[int, str]]) -> ast.Module:
    whole = text
    if _PRINT.search(text):
        # Version 2 of Python: what is printed does not matter here.
        text = _PRINT.sub(r"\1pass", text)
        text = _TO_FILE.sub(r"\1pass", text)
    try:
        return _tree(text)
    except SyntaxError as error:
        if "f-string" in str(error.msg):
            text = whole = _older_quotes(text)
        try:
            # It may go on for several lines.
            return _tree(_PRINT.sub(r"\1_ = \2", whole))
        except (SyntaxError, Unreadable):
            pass
        # Perhaps a cell: what a notebook's own commands do does not matter here.
        text = _MAGIC.sub(r"\1pass", text)
    text = _GENERIC.sub(r"\1", text)
    for pattern, instead in _VERSION_2:
        text = pattern.sub(instead, text)
    try:
        return _tree(text)
    except SyntaxError as error:
        if isinstance(error, IndentationError):
            try:
                return _tree(_moved(text))
            except SyntaxError:
                pass
        tree = _without_broken(text, left_out)
        if tree is not None:
            return tree
        raise Unreadable(f"this is not Python ({error.msg}).", error.lineno) from None


def _without_broken(text: str, left_out: list[tuple[int, str]]) -> ast.Module | None:
    """The tree without the statements of the module that are no Python, or None.

    None too where one of them speaks of a loss, or is most of the text.
    """
    lines = text.split("\n") if len(text) <= MAX_TRIED else []
    for _ in range(MAX_BROKEN if lines else 0):
        try:
            return _tree("\n".join(lines))
        except SyntaxError as error:
            line = (error.lineno or 1) - 1
            first, after = _broken(lines, min(line, len(lines) - 1))
            if first < 0 or 2 * (after - first) > len(lines):
                return None
            left_out.append((line + 1, str(error.msg)))
            lines[first:after] = [""] * (after - first)
    return None


def _broken(lines: list[str], line: int) -> tuple[int, int]:
    """The statement of the module around ``line``, or what is left of it from there on.

    (-1, -1) where that speaks of a loss. What is lacking is often seen on the line after it.
    """
    begins = [i for i, text in enumerate(lines) if text[:1] not in _GOES_ON]
    after = min((i for i in begins if i > line), default=len(lines))
    starts = [max((i for i in begins if i <= line), default=0)]
    starts += [i for i in range(line, max(line - MAX_ABOVE, 0), -1) if lines[i].strip()]
    for first in starts:
        if _OF_A_LOSS.search("\n".join(lines[first:after])):
            continue
        try:
            _tree("\n".join(lines[:first]))
        except SyntaxError:
            continue
        return first, after
    return -1, -1


_GOES_ON = ("", " ", "\t", "#", ")", "]", "}")
MAX_ABOVE = 4


_FORMATTED = re.compile(r"\b[rR]?[fF][rR]?([\"'])(?!\1)")


def _older_quotes(text: str) -> str:
    """f-strings of Python 3.12 with the other quote inside of their braces."""
    found: list[str] = []
    for line in text.split("\n"):
        start = 0
        while (match := _FORMATTED.search(line, start)) is not None:
            quote, depth, place = match[1], 0, match.end()
            other = "'" if quote == '"' else '"'
            while place < len(line) and (depth or line[place] != quote):
                depth = max(0, depth + (line[place] == "{") - (line[place] == "}"))
                if depth and line[place] == quote:
                    line = f"{line[:place]}{other}{line[place + 1 :]}"
                place += 1
            start = place + 1
        found.append(line)
    return "\n".join(found)


def _tree(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError:
        raise
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable("the text is too deeply nested or malformed to be parsed.") from None


def _check_tree(tree: ast.Module) -> None:
    count = 0
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        count += len(level)
        if count > MAX_NODES:
            raise Unreadable("the code is too long to be read; paste the loss and what calls it.")
        if not level:
            BUDGET.get().read(count)
            return
    line = next((node.lineno for node in level if hasattr(node, "lineno")), None)
    raise Unreadable("expressions are nested too deeply to be read.", line)

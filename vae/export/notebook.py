"""A run as a Jupyter notebook: the exported script, cut at its parts; and the same as an exercise.

Format 4.5 of nbformat. The exercise leaves out the lines of the loss and ends with a cell that
holds the first ten losses of the learner's lines against those of the exported ones.
"""

import ast
import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from vae.config import TrainConfig
from vae.export.standalone import build_script, file_name, images_name

FIRST = 10
"""Losses that the exercise compares."""
# Of the script's parts: the first name in each, and what is said above it.
_PARTS = {
    "read_images": "## The images\n\nUint8 tensors (N, D), read from the notebook's folder.",
    "generator": "## Randomness\n\nEach use has its own stream under the one seed.",
    "LinearEncoder": "## The networks",
    "Loss": "## The loss\n\nMinus log p(x|z) per pixel, and the ELBO with its KL.",
    "build_optimizer": "## The training",
}


@dataclass(frozen=True)
class _Script:
    """The script's docstring, its parts as (first name, source), and its last lines."""

    title: str
    parts: tuple[tuple[str, str], ...]


def build_notebook(config: TrainConfig) -> str:
    """The notebook that repeats ``config`` on a CPU and prints its losses, as JSON."""
    script = _cut(build_script(config))
    cells = [_markdown(_heading(script.title, config))]
    for name, source in script.parts:
        if name in _PARTS:
            cells.append(_markdown(_PARTS[name]))
        cells.append(_code(source))
    cells.append(_markdown("## The run"))
    cells.append(_code('torch.set_num_threads(1)\nmain(Path("."))'))
    return _pack(cells)


def build_exercise(config: TrainConfig) -> str:
    """The same notebook without the lines of its loss, and with a cell that compares them."""
    script = _cut(build_script(config))
    cells = [
        _markdown(
            _heading(script.title, config)
            + f"\n\n**Exercise.** Write the loss: two places are blank. The last cell compares the "
            f"first {FIRST} losses with those of the run."
        )
    ]
    answer = ""
    for name, source in script.parts:
        if name in _PARTS:
            cells.append(_markdown(_PARTS[name]))
        if name == "Loss":
            answer = source
            source = _blank(source)
        cells.append(_code(source))
    cells.append(
        _markdown(f"## Compare the first {FIRST} losses\n\nRun this when both are written.")
    )
    cells.append(_code(_compare(answer)))
    return _pack(cells)


def notebook_name(config: TrainConfig, *, exercise: bool = False) -> str:
    """A name that says what the notebook trains."""
    stem = file_name(config).removesuffix(".py")
    return f"{stem}_exercise.ipynb" if exercise else f"{stem}.ipynb"


def _heading(title: str, config: TrainConfig) -> str:
    lead = title.strip().splitlines()[0]
    return (
        f"# {lead}\n\nIt needs torch, and `{images_name(config)}` beside it. The same seed gives "
        "the same weights, batches and noise as the Train page: on a CPU with one thread the "
        "losses are equal."
    )


def _cut(script: str) -> _Script:
    """The script's parts: a new one begins at each name of ``_PARTS``; its own start is left out,
    as a notebook has another."""
    tree = ast.parse(script)
    lines = script.splitlines()
    first, *body = tree.body
    assert isinstance(first, ast.Expr)
    assert isinstance(first.value, ast.Constant)
    parts: list[tuple[str, list[str]]] = [("", [])]
    end = first.end_lineno or 0
    for node in body:
        if isinstance(node, ast.If):
            break
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        name = getattr(node, "name", "")
        if name in _PARTS:
            parts.append((name, []))
        else:
            parts[-1][1].extend(lines[end : start - 1])
        parts[-1][1].extend(lines[start - 1 : node.end_lineno])
        end = node.end_lineno or 0
    texts = tuple((name, "\n".join(part).strip("\n")) for name, part in parts)
    return _Script(str(first.value.value), texts)


def _blank(source: str) -> str:
    """The part of the loss without the lines that are the loss."""
    tree = ast.parse(source)
    lines = source.splitlines()
    loss = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Loss")
    forward = next(n for n in loss.body if isinstance(n, ast.FunctionDef) and n.name == "forward")
    elbo = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "elbo_loss")
    kl = next(
        n for n in elbo.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "kl"
    )
    blanks: list[tuple[list[ast.stmt], str]] = [
        ([kl], "The KL of q(z|x) to N(0, I), from mean and logvar: kl = ... (B, latents)"),
        (forward.body, "Minus log p(x|z) of every pixel, from the decoder's out and x: (B, D)"),
    ]
    # From the last line up, so that the numbers of those above stay.
    for nodes, what in blanks:
        indent = " " * nodes[0].col_offset
        lines[nodes[0].lineno - 1 : nodes[-1].end_lineno] = [
            f"{indent}# Your lines. {what}.",
            f'{indent}raise NotImplementedError("{what.split(",")[0]}")',
        ]
    return "\n".join(lines)


def _compare(answer: str) -> str:
    packed = base64.b64encode(answer.encode()).decode()
    return f'''import base64

# The lines of the run, packed so that they are not read by accident.
ANSWER = "{packed}"


def first_losses(parts, count={FIRST}):
    """The first losses of a run whose loss is in ``parts``."""
    train, _ = read_images(Path("."))
    model, loss = VAE(train.shape[1]), parts["Loss"]()
    optimizer = build_optimizer(model, loss, train.shape[1])
    order, noise, draws = generator("order"), generator("noise"), generator("pixels")
    losses = []
    batches = torch.randperm(len(train), generator=order).split(SETTINGS["batch_size"])
    for rows in batches[:count]:
        images = train[rows]
        if SETTINGS["binarise"] == "resampled":
            images = resample(images, draws)
        value = parts["elbo_loss"](model, loss, to_targets(images, draws), noise).mean()
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
    return losses


torch.set_num_threads(1)
right = dict(globals())
exec(base64.b64decode(ANSWER), right)
agree = True
for step, (yours, theirs) in enumerate(zip(first_losses(globals()), first_losses(right)), 1):
    same = math.isclose(yours, theirs, rel_tol=1e-4, abs_tol=1e-4)
    agree = agree and same
    sign = "" if same else "<-- differs"
    print(f"step {{step}}: yours {{yours:.4f}}, the run's {{theirs:.4f}}", sign)
print("The first losses agree." if agree else "They differ: look at the first that does.")'''


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def _pack(cells: list[dict[str, Any]]) -> str:
    for number, cell in enumerate(cells):
        text = f"{number} {''.join(cell['source'])}"
        cell["id"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"

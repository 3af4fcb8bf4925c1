"""``python -m vae loss``: read a pasted loss from a file or from standard input."""

import argparse
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vae.your_loss import ROLES, Reading, read

DONE, BAD_USE, NOT_READ = 0, 2, 3
ABOUT = """\
Read the loss in FILE: which belief about pixels it stands for, with which sigma, scale or beta.
The code is parsed and interpreted here; it is never executed. PyTorch, TensorFlow, Keras, JAX and
NumPy are known. Exit status 0 when it was read, 3 when not, with a sentence on standard error."""
LARGEST_FILE = 8_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("file", metavar="FILE", help="Python or a notebook; - reads standard input")
    parser.add_argument("--image", metavar="SHAPE", help="784, 3x64x64 or 64x64x3")
    parser.add_argument("--latents", metavar="SHAPE", help="32 or 4x16x16")
    parser.add_argument("--batch", type=int, metavar="N", help="images in a batch")
    parser.add_argument(
        "--range", nargs=2, type=float, metavar=("LOW", "HIGH"), help="range of the data: 0 1"
    )
    parser.add_argument("--standardised", action="store_true", help="the data have no range")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a number, a setting or a condition that the code leaves open",
    )
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="NAME=ROLE",
        help=f"who is who: {', '.join(ROLES)}",
    )
    parser.add_argument(
        "--function", default="", metavar="NAME", help="which of several losses is meant"
    )


def run(options: argparse.Namespace) -> int:
    """Print the reading; returns the exit status."""
    code = _text(options.file)
    if code is None:
        return BAD_USE
    span: Any = tuple(options.range) if options.range else "auto"
    try:
        reading = read(
            code,
            image=options.image,
            latents=options.latents,
            batch=options.batch,
            data_range=None if options.standardised else span,
            constants=_pairs(options.set, "--set"),
            roles={name: str(value) for name, value in _pairs(options.role, "--role").items()},
            function=options.function,
        )
    except ValueError as error:
        return _complain(str(error), BAD_USE)
    if options.json:
        print(json.dumps(reading.to_json()))
    elif reading.read:
        print("\n".join(lines(reading)))
    if reading.read:
        return DONE
    _complain(reading.message, NOT_READ)
    for hint in hints(reading):
        print(hint, file=sys.stderr)
    return NOT_READ


def hints(reading: Reading) -> list[str]:
    """What to add to the command so that the loss is read: one line for each thing that is open."""
    rows = [f"  --function {shlex.quote(name)}" for name in reading.functions]
    rows += [
        f"  --set {shlex.quote(f'{choice.condition}={value}')}"
        for choice in reading.choices
        if not choice.taken
        for value in choice.values
    ]
    rows += [
        f"  --set {shlex.quote(f'{each.name}=NUMBER')}"
        for each in reading.constants
        if each.source == "missing"
    ]
    rows += [
        f"  --role {shlex.quote(f'{each.name}=ROLE')}"
        for each in reading.roles
        if each.role == "unknown"
    ]
    return rows


def _complain(message: str, code: int) -> int:
    print(f"python -m vae loss: {message}", file=sys.stderr)
    return code


def _text(name: str) -> str | None:
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        _complain(f"{name} given; it cannot be read ({error.strerror})", BAD_USE)
        return None
    return raw.decode("utf-8", "replace")


def _pairs(given: list[str], option: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        # The name may be a condition, with signs of its own: kind == 'sum'=true.
        name, equals, value = text.rpartition("=")
        if not equals or not name.strip():
            raise ValueError(f"{option}: {text!r} given; NAME=VALUE is needed")
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text


def lines(reading: Reading) -> list[str]:
    """The reading as text, the verdict first."""
    rows = [reading.verdict]
    if reading.sigma2_unit is not None:
        grey = 255.0 * reading.sigma2_unit**0.5
        rows.append(
            f"In [0, 1] pixels sigma^2 = {reading.sigma2_unit:.6g}, {grey:.3g} grey levels."
        )
    if reading.survival is not None:
        rows.append(reading.survival.text)
    if reading.printed is not None:
        rows.append(reading.printed.text)
    rows += reading.otherwise
    for fault in reading.faults:
        rows.append(f"line {fault.line}: {fault.text} {fault.correction}".rstrip())
    rows += [item.text for item in reading.unknown]
    for constant in reading.constants:
        if constant.source == "default":
            rows.append(f"{constant.name} = {constant.value:g}, the code's default.")
    roles = ", ".join(f"{role.name}: {role.meaning}" for role in reading.roles)
    if roles:
        rows.append(f"Read as {roles}.")
    if reading.suggestion:
        rows += [
            "The ELBO of this belief:",
            *(f"    {line}" for line in reading.suggestion.splitlines()),
        ]
    return rows

"""From measurements to a reading: numbers, names, what is asked for, in one object."""

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vae.your_loss import arrays, belief, draws, entries, faults, rewrite, roles, survival, verdict
from vae.your_loss.arrays import BUDGET, Budget, TooMuch
from vae.your_loss.examine import Examined
from vae.your_loss.judged import judged
from vae.your_loss.latent_part import LatentPart
from vae.your_loss.library import ALIASES, framework_of
from vae.your_loss.library import find as find_operation
from vae.your_loss.once import text_of
from vae.your_loss.one_value import one_value
from vae.your_loss.operations import NotKnown
from vae.your_loss.probe import gaussian_kl
from vae.your_loss.reading import (
    Choice,
    ConstantUsed,
    Reading,
    RoleFound,
    SizesUsed,
    UnknownItem,
)
from vae.your_loss.search import Found, search
from vae.your_loss.state import Request
from vae.your_loss.text import Unreadable, last_name, parse
from vae.your_loss.vocabulary import REBUILT

Range = tuple[float, float]
MAX_SIDE = 10**8
MAX_SIZE = 10**6


def read(
    code: str,
    *,
    image: tuple[int, ...] | int | str | None = None,
    latents: tuple[int, ...] | int | str | None = None,
    batch: int | None = None,
    data_range: Range | str | None = "auto",
    constants: Mapping[str, Any] | None = None,
    roles: Mapping[str, str] | None = None,
    function: str = "",
) -> Reading:
    """Read a pasted loss. The code is parsed and interpreted here, never executed.

    ``image`` and ``latents`` are shapes without the batch (784, '3x64x64', (64, 64, 3)), ``batch``
    the images of a step; None takes them from the code. ``data_range`` is (low, high), None for
    standardised data, 'auto' for what the code shows (else [0, 1]). ``constants`` sets names of the
    code (a text chooses a branch), ``roles`` says who is who (see ``roles.ROLES``), ``function``
    which of several losses is meant.

    Never raises for what the code holds: ``Reading.message`` says why it was not read. Raises
    ``ValueError`` for sizes, ranges or roles that are none.
    """
    request = Request(
        shape_of("image", image),
        shape_of("latents", latents),
        None if batch is None else size_of("batch", batch),
        check_roles(roles or {}),
        dict(constants or {}),
        function,
    )
    limits = check_range(data_range)
    token = BUDGET.set(Budget())
    try:
        with np.errstate(all="ignore"):
            return _read(code, request, limits)
    except Unreadable as error:
        return _refused(_sentence(str(error)))
    except TooMuch as error:
        return _refused(_sentence(str(error)))
    except (RecursionError, MemoryError):
        return _refused("The code is nested too deeply to be read.")
    except (arrays.Misfit, NotKnown) as error:
        return _refused(_sentence(f"the code could not be followed: {error}"))
    finally:
        BUDGET.reset(token)


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _refused(message: str) -> Reading:
    return Reading(read=False, message=message, verdict=message, family="unknown")


def _read(code: str, request: Request, limits: Range | str | None) -> Reading:
    left_out: list[tuple[int, str]] = []
    tree = parse(code, left_out)
    trouble: list[tuple[int, str]] = []
    found = search(tree, request, trouble)
    if found is None or not found.traced.state.regularised:
        for node in ast.walk(tree):
            if last_name(node) == "KLDivergenceRegularizer":
                return _refused(
                    f"Line {getattr(node, 'lineno', 0)}: KLDivergenceRegularizer adds a KL inside "
                    "of a layer, which is not followed here; write the KL into the loss, and it is "
                    "read."
                )
    if found is None or found.traced.root is None or _is_no_loss(found):
        for entry in entries.find_entries(tree):
            given = entries.arguments_of(tree, entry)
            if ready := verdict.ready_terms(given, " ".join(name for name, _ in given)):
                return _refused(verdict.came_ready(entry.line, ready))
        if elsewhere := _computed_elsewhere(tree):
            return _refused(elsewhere)
        if told := [one for one in trouble if one[0] in _lines_of_terms(tree)]:
            line, reason = min(told)
            return _refused(f"No loss was found. Line {line} could not be followed: {reason}.")
        return _refused(
            "No loss was found: a value is needed that compares an output with a picture and asks "
            "something of mu and a log variance (its last line 'loss = ...' or 'return ...')."
        )
    if (place := _of_a_judge(tree, found)) is not None:
        return _refused(
            f"Line {place}: this loss is taken of what a discriminator or another network says of "
            "a picture, not of the picture: no belief about pixels stands in it."
        )
    if sentence := one_value(tree, found):
        return _refused(sentence)
    span = range_in(text_of(tree)) if limits == "auto" else limits
    assert span is None or isinstance(span, tuple)
    reading = _numbers(code, found, request, span)
    reading = replace(reading, scaling=survival.scaling(tree, found, reading))
    reading = replace(reading, faults=faults.find(found, reading, draws.find(tree)))
    reading = verdict.settle(reading, found)
    if reading.family not in ("unknown",):
        reading = replace(
            reading,
            belief=belief.build(reading, found),
            survival=survival.bounds(reading),
            printed=survival.printed(reading, _constant(found)),
        )
        reading = rewrite.complete(reading)
    more = (*map(_not_taken, found.untaken), *_factors(found), *map(_no_python, left_out))
    return replace(reading, unknown=(*reading.unknown, *more))


def _factors(found: Found) -> list[UnknownItem]:
    state, rows = found.traced.state, []
    for leaf in found.examined.factors:
        name = leaf.split(":", 1)[1]
        line = state.constants[name].line if name in state.constants else found.traced.line
        text = (
            f"line {line}: {name} has no value in this code; it multiplies the whole loss, so "
            "neither sigma nor beta depends on it."
        )
        rows.append(UnknownItem(line, name, text))
    return rows


def _not_taken(found: tuple[str, int]) -> UnknownItem:
    condition, line = found
    text = (
        f"line {line}: where '{condition}' is otherwise, the loss has another part that is not "
        "read; it is left out: the rest of the loss is read."
    )
    return UnknownItem(line, condition, text)


def _no_python(found: tuple[int, str]) -> UnknownItem:
    line, why = found
    text = f"line {line}: this is not Python ({why}); it is left out: the rest of the code is read."
    return UnknownItem(line, "no Python", text)


def _of_a_judge(tree: ast.Module, found: Found) -> int | None:
    """Where a model that gives no picture is compiled with the loss that was found, or None."""
    known = judged(tree)
    if found.traced.how == "compile" and found.traced.line in known.lines:
        return found.traced.line
    return known.losses.get(entries.short(found.traced.entry.name))


def _lines_of_terms(tree: ast.Module) -> set[int]:
    """Lines that speak of a loss or of what it is made of: not those that draw or log."""
    found: set[int] = set()
    for node in ast.walk(tree):
        name = getattr(node, "attr", getattr(node, "id", getattr(node, "arg", "")))
        words = set(roles.words_of(name)) if isinstance(name, str) and name else set()
        if words and (roles.is_term(name) or words & _OF_A_LOSS):
            line = getattr(node, "lineno", 0)
            found.update((line - 1, line, line + 1))
    return found


_OF_A_LOSS = frozenset({"mu", "mean", "logvar", "log", "sigma", "recon", "z", "prob", "loss"})


def _is_no_loss(found: Found) -> bool:
    """Whether the best that was found is a draw of z or a moment: it holds no picture, no KL."""
    root = found.traced.root
    pictures = root is not None and any(d.startswith(("target", "output")) for d in root.deps)
    return not pictures and found.examined.latents.form == "unknown" and not found.examined.blocking


def _computed_elsewhere(tree: ast.Module) -> str:
    """The sentence on a term of the loss whose function or class was not pasted, or ''."""
    pasted = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if framework_of(getattr(node, "module", "") or alias.name)
    } | ALIASES.keys()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        name = ast.unparse(call.func)
        last = name.rpartition(".")[2]
        first = name.partition(".")[0]
        known = last in pasted or name in bound or first in imported or find_operation(name, {})
        term = roles.is_term(last) or bool(set(roles.words_of(last)) & {"llh", "loglik"})
        if term and not known and len(name) <= 60 and len(call.args) + len(call.keywords) >= 2:
            return (
                f"Line {call.lineno}: {name} is not in what was pasted, and it is a part of the "
                "loss; paste it too, and the loss is read."
            )
    return ""


def _constant(found: Found) -> float | None:
    """What the loss of an image holds beside its cost and its KL."""
    pixels, latents = found.examined.pixels, found.examined.latents
    if pixels.constant is None or latents.form != "kl" or latents.weight is None:
        return None
    kl = latents.weight * found.setup.sizes.latent_count * float(gaussian_kl(4.0, 0.0))
    size = abs(pixels.constant) + abs(kl)
    left = pixels.constant - kl
    return 0.0 if abs(left) < 1e-7 * max(size, 1e-300) else left


def _numbers(code: str, found: Found, request: Request, span: Range | None) -> Reading:
    """The factors of both parts, and the numbers of the family."""
    examined = found.examined
    pixels, latents = examined.pixels, examined.latents
    error, kl = pixels.weight, latents.weight
    family = {"charbonnier": "huber"}.get(pixels.family, pixels.family)
    state = found.traced.state
    reading = Reading(
        read=False,
        message="",
        verdict="",
        family=family,
        error_weight=error,
        kl_weight=kl,
        shape=pixels.family,
        output_kind=pixels.output,
        kl_form=latents.form,
        logistic_scale=None if pixels.levels is None else pixels.levels.scale,
        scale_per_pixel=_scale_per_pixel(found),
        threshold=latents.threshold,
        prior_variance=latents.prior_variance,
        maximised=examined.maximised,
        framework=framework_in(code),
        line=found.traced.line,
        entry=found.traced.entry.name,
        # What the loss brings to [0, 1] itself is compared there.
        data_range=(0.0, 1.0) if examined.brought else span,
        sizes=_sizes(found, request),
        roles=_roles(found),
        constants=tuple(
            ConstantUsed(u.name, _plain(u.value), u.line, u.source, u.aliases)
            for u in state.constants.values()
        ),
        choices=_choices(found, request),
        functions=_functions(found),
        unknown=_unknown(examined),
    )
    reading = _family_numbers(reading, examined, reading.data_range)
    return replace(reading, rate=None) if examined.factors else reading


def _scale_per_pixel(found: Found) -> bool:
    """Whether the scale is an output of the decoder, one for each pixel, and no parameter.

    A parameter is made by its name or stands at the model; what a network or an argument brings
    beside the output is as the output is.
    """
    value, _ = found.traced.state.leaves.get("out_scale", (None, None))
    if value is None or value.learned or value.source == "attribute":
        return False
    output, _ = found.traced.state.leaves.get("output", (None, None))
    if value.source == "argument":
        return output is not None and output.source == "argument" and beside(value.name)
    return True


def beside(name: str) -> bool:
    """Whether an argument's name says a variance of the output's, as ``x_logvar`` does.

    A standard deviation is as often one parameter for all.
    """
    words = set(roles.words_of(name))
    return bool(_OF_THE_OUTPUT & words) and any("var" in word for word in words)


_OF_THE_OUTPUT = frozenset({"x", "xhat", "y", "out", "output", "pixel", "dec", "decoder"})
_OF_THE_OUTPUT |= REBUILT


def _choices(found: Found, request: Request) -> tuple[Choice, ...]:
    """What is open, and what the reader has answered: by the setting that a condition asks for."""
    state = found.traced.state
    rows: dict[str, Choice] = {}
    if found.open_choice is not None:
        line, settings = found.open_choice
        for name, values in settings:
            rows.setdefault(name, Choice(name, line, tuple(dict.fromkeys(values))))
    for text, line in found.ambiguous:
        name = state.option_of.get(text, text)
        rows.setdefault(name, Choice(name, line, _values_of(found, name)))
    for name, (line, taken) in state.answered.items():
        if {name, name.rsplit(".", 1)[-1]} & set(request.constants):
            rows.setdefault(name, Choice(name, line, _values_of(found, name), taken))
    return tuple(rows.values())


def _functions(found: Found) -> tuple[str, ...]:
    if not found.rivals:
        return ()
    names = [entry.name for entry in (found.traced.entry, *found.rivals)]
    return tuple(dict.fromkeys(name for name in names if name))[:8]


def _values_of(found: Found, name: str) -> tuple[str, ...]:
    """The values with which the code compares a setting; of a condition, whether it holds."""
    met = found.traced.state.options.get(name, (0, []))[1]
    if not met:
        return ("true", "false")
    values = tuple(dict.fromkeys([*found.named.get(name, ()), *met]))
    return values if len(values) > 1 else (*values, OTHERWISE)


OTHERWISE = "another"
"""The answer to a setting that has none of the values that the code names."""


def _plain(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _family_numbers(reading: Reading, examined: Examined, span: Range | None) -> Reading:
    error, kl = reading.error_weight, reading.kl_weight
    usable = reading.kl_form in ("kl", "wrong", "free-bits") and kl is not None and kl > 0
    if reading.family.endswith("-learned"):
        return replace(reading, rate=examined.learned_rate or error)
    if not usable or kl is None:
        return reading
    if reading.kl_form == "wrong" and not _is_kl(examined.latents):
        return reading
    pixels = examined.pixels
    if pixels.near and reading.family in ("huber", "log-cosh", "student-t"):
        return replace(
            reading,
            rate=kl,
            near_sigma2=kl / (2.0 * pixels.near),
            tail_scale=kl / pixels.tail if pixels.tail else None,
        )
    if error is None or error <= 0:
        return reading
    if reading.family == "gaussian":
        sigma2 = kl / (2.0 * error)
        unit = None if span is None else sigma2 / (span[1] - span[0]) ** 2
        if reading.output_kind == "logit":
            unit = sigma2
        return replace(reading, sigma2=sigma2, sigma2_unit=unit, rate=kl)
    if reading.family == "laplace":
        return replace(reading, laplace_scale=kl / error, rate=kl)
    if reading.family in verdict.SUMMED:
        return replace(reading, beta=kl / error, rate=error)
    return reading


def _is_kl(latents: LatentPart) -> bool:
    """Whether the parts of a KL that is not to N(0, 1) are those of a KL to another Gaussian."""
    if latents.parts is None or latents.prior_mean:
        return False
    square, variance, log = latents.parts
    return variance > 0 > log and math.isclose(square, variance, rel_tol=1e-5)


def _sizes(found: Found, request: Request) -> SizesUsed:
    sizes = found.setup.sizes
    assumed = [
        name
        for name, given in (
            ("image", request.image),
            ("latents", request.latents),
            ("batch", request.batch),
        )
        if given is None
    ]
    return SizesUsed(sizes.image, sizes.latents, sizes.batch, tuple(assumed))


def _roles(found: Found) -> tuple[RoleFound, ...]:
    state, root = found.traced.state, found.traced.root
    assert root is not None
    rows = []
    for leaf, (value, _) in state.leaves.items():
        role = leaf.split("#")[0]
        if value is None or role not in roles.ROLES or leaf not in root.deps:
            continue
        if value.name in found.either:
            role = "unknown"
        rows.append(RoleFound(value.name, role, value.line, roles.ROLES[role]))
    for name, value in state.unresolved.items():
        named = value.source == "argument" or (value.source == "item" and value.hints)
        if named and all(row.name != name for row in rows) and len(rows) < 12:
            rows.append(RoleFound(name, "unknown", value.line, "not known"))
    return (*rows, *_unsaid(found, {row.name for row in rows}))


def _unsaid(found: Found, known: set[str]) -> list[RoleFound]:
    """Arguments of a loss that is not understood of which nothing says what they are."""
    state = found.traced.state
    used = {value.name for value, _ in state.leaves.values() if value is not None}
    if found.examined.quality >= 2:
        return []
    return [
        RoleFound(name, "unknown", line, "not known")
        for name, line in found.arguments
        if name not in known | used and all(g.role != "constant" for g in roles.guess(name))
    ][:8]


def _unknown(examined: Examined) -> tuple[UnknownItem, ...]:
    state = examined.probe.state
    rows = []
    for leaf in (*examined.blocking, *examined.left_out):
        if leaf in examined.pixels.inside:
            continue
        line, name, reason = state.unknown[leaf]
        blocks = leaf in examined.blocking
        why = f" ({reason})" if reason and " " in reason else ""
        does = (
            "the rest depends on it, so the loss is not read"
            if blocks
            else "it is left out: the rest of the loss is read"
        )
        rows.append(UnknownItem(line, name, f"line {line}: {name} is not known here{why}; {does}."))
    for leaf in examined.beside:
        value, _ = state.leaves[examined.probe.own.get(leaf, leaf)]
        if value is not None and leaf.startswith("output"):
            text = (
                f"line {value.line}: {value.name} is compared with another picture; that term "
                "stands beside the one that is read."
            )
            rows.append(UnknownItem(value.line, value.name, text))
    return tuple(rows)


def is_perceptual(names: Sequence[str]) -> bool:
    """Whether a name tells of a perceptual or an adversarial loss."""
    return bool(_words_of_calls(names) & roles.PERCEPTUAL)


def is_mixture(names: Sequence[str]) -> bool:
    """Whether a name tells of a mixture of densities."""
    return bool(_words_of_calls(names) & roles.MIXTURE)


def _words_of_calls(names: Sequence[str]) -> set[str]:
    words: set[str] = set()
    for name in names:
        words |= set(roles.words_of(name.split("(")[0]))
        words |= set(re.findall(r"[a-z_]+", name.lower()))
    return words


# -- what the reader types ------------------------------------------------------------------------
def shape_of(name: str, value: tuple[int, ...] | int | str | None) -> tuple[int, ...] | None:
    """784, '3x64x64' or (3, 64, 64) as a shape. Raises ``ValueError`` with what is allowed."""
    if value is None:
        return None
    if isinstance(value, str):
        parts: Sequence[Any] = re.split(r"\s*[x×*,]\s*", value.strip().lower())
    else:
        parts = value if isinstance(value, tuple | list) else (value,)
    try:
        found = tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        found = ()
    if not found or len(found) > 5 or min(found) < 1 or math.prod(found) > MAX_SIDE:
        raise ValueError(f"{name}: {value!r} given; allowed is a number such as 784 or 3x64x64")
    return found


def size_of(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_SIZE:
        raise ValueError(
            f"{name}: {value!r} given; allowed is a whole number from 1 to {MAX_SIZE:,}"
        )
    return value


def check_range(value: Range | str | None) -> Range | str | None:
    if value is None or value == "auto":
        return value
    if value in ("standardised", "standardized"):
        return None
    if value == "bytes":
        return (0.0, 255.0)
    if isinstance(value, tuple | list) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
        if math.isfinite(low) and math.isfinite(high) and low < high:
            return (low, high)
    raise ValueError(f"data_range: {value!r} given; allowed is a low and a higher number")


def check_roles(given: Mapping[str, str]) -> dict[str, str]:
    for name, role in given.items():
        if role not in roles.ROLES:
            raise ValueError(
                f"roles: {role!r} given for {name}; allowed is one of {list(roles.ROLES)}"
            )
    return dict(given)


_DATA = r"(?:x|img|imgs|image|images|data|inputs?|batch)"
_SIGNED = re.compile(
    r"Normalize\(\s*[\[(]?\s*\(?0?\.5|/\s*127\.5\s*\)?\s*-\s*1"
    rf"|\b{_DATA}\s*\*\s*2(?:\.0?)?\s*-\s*1\b|\b2(?:\.0?)?\s*\*\s*{_DATA}\s*-\s*1\b"
)
_STANDARDISED = re.compile(r"StandardScaler|0\.1307|0\.485|\.std\(\)\s*\)?\s*$|standardi[sz]e\(")


def range_in(code: str) -> Range | None:
    """The range of the data as far as the code shows it; [0, 1] where it shows nothing."""
    text = code[:100_000]
    if _STANDARDISED.search(text):
        return None
    return (-1.0, 1.0) if _SIGNED.search(text) else (0.0, 1.0)


def framework_in(code: str) -> str:
    """'torch', 'tf', 'jax' or 'numpy', by the names that the code uses most."""
    counts = {
        "torch": len(re.findall(r"\btorch\b|\bF\.|\bnn\.|\.backward\(|\.view\(", code)),
        "tf": len(re.findall(r"\btf\.|\bkeras\b|\bK\.|tensorflow", code)),
        "jax": len(re.findall(r"\bjnp\.|\bjax\b|optax", code)),
        "numpy": len(re.findall(r"\bnp\.|numpy", code)),
    }
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "torch"

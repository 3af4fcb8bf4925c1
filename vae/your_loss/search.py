"""Find a reading: try the places a loss may stand, then other roles, shapes and branches."""

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise, product
from typing import Any

from vae.your_loss import entries, passed, roles
from vae.your_loss.arrays import BUDGET, TooMuch
from vae.your_loss.entries import Entry, Traced
from vae.your_loss.examine import Examined, examine
from vae.your_loss.expressions import trains
from vae.your_loss.library import NO_GRADIENT
from vae.your_loss.once import once, text_of
from vae.your_loss.relevance import idle_conditions, idle_loops
from vae.your_loss.roles import LATENT_SCALES
from vae.your_loss.state import SETTINGS, Setup, Sizes, key_of
from vae.your_loss.values import Opaque

MAX_TRIES = 36
MAX_SHAPES = 4
_SHAPES = re.compile(r"axis|axes|shape|fit|indices")
MAX_CANDIDATES = 4
MAX_FLIPS = 5
SMALL_BATCH = 3
MAX_OPTIONS = 6
_KL = re.compile(r"\b\w*(kl|kld|kl_?div\w*|logvar|log_var|z_mean|reparam\w*)\b", re.IGNORECASE)


@dataclass
class Found:
    """The best understood loss of the code, and the run that gave it."""

    traced: Traced
    examined: Examined
    setup: Setup
    ambiguous: list[tuple[str, int]] = field(default_factory=list)
    evaluation: "Found | None" = None
    rivals: list[Entry] = field(default_factory=list)
    speaks_of_kl: bool = False
    open_choice: tuple[int, tuple[tuple[str, tuple[str, ...]], ...]] | None = None
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arguments: tuple[tuple[str, int], ...] = ()
    shape_matters: bool = False
    # Whether the loss is another one for more outputs in a list of which a loop takes each.
    rounds_matter: bool = False
    # Two names that say nothing, of which either may be the picture.
    either: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What the reader has said beside the code; None where nothing was said."""

    image: tuple[int, ...] | None = None
    latents: tuple[int, ...] | None = None
    batch: int | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""


def search(
    tree: ast.Module, request: Request, trouble: list[tuple[int, str]] | None = None
) -> Found | None:
    """The reading of ``tree`` that is best understood, or None where no loss was found.

    ``trouble`` takes the lines that could not be followed, and why.
    """
    failures: list[tuple[int, str]] = [] if trouble is None else trouble
    defaults = collect_defaults(tree)
    options: dict[str, tuple[int, list[str]]] = {}
    best = _by_shapes(tree, request, options, failures)
    if best is None or best.examined.quality < 2:
        best = _by_draws(tree, request, defaults, failures) or best
    if best is None or best.examined.quality < 2:
        best = _by_classes(tree, request, defaults, failures) or best
    if best is None or best.examined.quality < 2:
        best = _by_model(tree, request, defaults) or best
    if best is None or best.examined.quality < 2:
        best = _by_evaluation(tree, request, defaults) or best
    if best is not None and _quality(best) < 3:
        best = _improve(tree, best)
    if options and (best is None or best.examined.quality < 2):
        best = _by_option(tree, request, best, options)
    if best is not None:
        best.named = collect_options(tree)
        best.arguments = entries.arguments_of(tree, best.traced.entry)
    if best is not None and best.open_choice is None:
        best.either = _either(tree, best, request)
        best.ambiguous = _ambiguous(tree, best)
        best.shape_matters = request.image is None and _depends_on_shape(tree, best)
        best.rounds_matter = _depends_on_rounds(tree, best)
        _confirm(tree, best)
        best.speaks_of_kl = bool(_KL.search(text_of(tree)))
    return best


def _by_shapes(
    tree: ast.Module,
    request: Request,
    options: dict[str, tuple[int, list[str]]],
    failures: list[tuple[int, str]],
) -> Found | None:
    """The best understood of all entries, at the shapes of an image that the code may mean."""
    defaults = collect_defaults(tree)
    best: Found | None = None
    worth: set[str] = set()
    waiting = list(islice(guess_sizes(tree, request, defaults), 24))
    for tries in range(1, MAX_SHAPES + 1):
        if not waiting:
            break
        sizes = waiting.pop(0)
        setup = _setup(tree, request, sizes, defaults)
        misfits: list[str] = []
        found = _search_entries(tree, setup, request.function, options, misfits, failures, worth)
        if found is not None and (best is None or _quality(found) > _quality(best)):
            best = found
        if best is not None and _quality(best) >= 3:
            break
        if tries >= MAX_SHAPES or not misfits or (best and best.examined.quality >= 2):
            break
        told = [] if request.image else _told_by_rows(misfits, sizes)
        waiting = [*told, *(s for s in waiting if s.image not in [t.image for t in told])]
        if any("classes" in text for text in misfits):
            # What is lacking is an axis of classes, no other shape of the picture.
            break
    return best


_ROWS = re.compile(r"does not fit into \(-1, (\d{1,6})\)|and \((\d{1,6}),\) do not go together")
_AXES = re.compile(r"\(([\d, ]{1,40})\) does not fit into \(-1, (\d{1,5}(?:, \d{1,5}){1,2})\)")


def _told_by_rows(misfits: list[str], sizes: Sizes) -> list[Sizes]:
    """Pictures of as many values as the code puts into a row, where no other was.

    A picture that the code gives axes of its own has them: ``x.view(-1, 12, 6)``.
    """
    found = [(int(m[1] or m[2]),) for text in misfits for m in _ROWS.finditer(text)]
    whole = f"{(sizes.batch, *sizes.image)}"[1:-1]
    told = [m[2] for text in misfits for m in _AXES.finditer(text) if m[1] == whole]
    shapes = [*(tuple(map(int, axes.split(", "))) for axes in told), *found]
    return [replace(sizes, image=s) for s in dict.fromkeys(shapes) if math.prod(s) > 3][:2]


def _setup(tree: ast.Module, request: Request, sizes: Sizes, defaults: Mapping[str, Any]) -> Setup:
    return Setup(
        sizes, request.roles, request.constants, defaults,
        first_tensorflow=_is_old(tree), counters=collect_counters(tree),
        moved=collect_moved(tree), shared=passed.shared_weights(tree), set_later=_set_later(tree),
        idle=idle_loops(tree), said=_said(request),
    )  # fmt: skip


def _said(request: Request) -> frozenset[str]:
    """The sizes that the reader has said and that are one number."""
    found = {"batch"} if request.batch is not None else set()
    if request.latents is not None and len(request.latents) == 1:
        found.add("latents")
    return frozenset(found)


_WEIGHED = re.compile(r"softmax|logsumexp")
_CLASSES = re.compile(r"cross_entropy|CrossEntropyLoss|NLLLoss|nll_loss|categorical_crossentropy")


def _by_draws(
    tree: ast.Module,
    request: Request,
    defaults: Mapping[str, Any],
    failures: list[tuple[int, str]],
) -> Found | None:
    """Shapes of several draws per image, where shapes do not fit and draws are weighed."""
    if not any(_SHAPES.search(text) for _, text in failures):
        return None
    if not _WEIGHED.search(text_of(tree)):
        return None
    shapes = ({"draws": "second"}, {"draws": "first"})
    return _first_that_fits(
        tree, request, defaults, shapes, lambda found: bool(found.examined.weighted)
    )


def _by_classes(
    tree: ast.Module,
    request: Request,
    defaults: Mapping[str, Any],
    failures: list[tuple[int, str]],
) -> Found | None:
    """Outputs with an axis of classes, where one is lacking in what compares them."""
    misfit = any("axis" in text or "axes" in text for _, text in failures)
    if not any("classes" in text for _, text in failures) and not (
        misfit and _CLASSES.search(text_of(tree))
    ):
        return None
    shapes = ({"classes": "last"}, {"classes": "first"})
    return _first_that_fits(tree, request, defaults, shapes, lambda _: True)


def _first_that_fits(
    tree: ast.Module,
    request: Request,
    defaults: Mapping[str, Any],
    shapes: Sequence[Mapping[str, Any]],
    fits: Callable[[Found], bool],
) -> Found | None:
    """The first of ``shapes``, parts of a ``Setup``, in which a loss is understood and ``fits``."""
    sizes = next(guess_sizes(tree, request, defaults))
    for shape in shapes:
        setup = replace(_setup(tree, request, sizes, defaults), **shape)
        try:
            found = _search_entries(tree, setup, request.function, {}, [], [])
        except TooMuch:
            return None
        if found is not None and found.examined.quality >= 2 and fits(found):
            return found
    return None


def _by_model(tree: ast.Module, request: Request, defaults: Mapping[str, Any]) -> Found | None:
    """What a function trains is the one network of the file, where nobody hands it over."""
    name = entries.network_of(tree)
    if not name:
        return None
    sizes = next(guess_sizes(tree, request, defaults))
    setup = replace(_setup(tree, request, sizes, defaults), model=name)
    try:
        found = _search_entries(tree, setup, request.function, {}, [], [])
    except TooMuch:
        return None
    return found if found is not None and found.examined.quality >= 2 else None


def _by_evaluation(tree: ast.Module, request: Request, defaults: Mapping[str, Any]) -> Found | None:
    """A loss of which no gradient is taken, where there is no other: a test's."""
    if not any(
        isinstance(node, ast.Attribute | ast.Name)
        and getattr(node, "attr", getattr(node, "id", "")) in NO_GRADIENT
        for node in ast.walk(tree)
    ):
        return None
    failures: list[tuple[int, str]] = []
    setup = replace(
        _setup(tree, request, next(guess_sizes(tree, request, defaults)), defaults), evaluated=True
    )
    try:
        found = _search_entries(tree, setup, request.function, {}, [], failures)
    except TooMuch:
        return None
    if found is not None and found.examined.quality >= 2:
        return found
    if not any("classes" in text or "axes" in text for _, text in failures):
        return None
    shapes = [{"evaluated": True, "classes": place} for place in ("last", "first")]
    return _first_that_fits(tree, request, defaults, shapes, lambda _: True)


def _by_option(
    tree: ast.Module,
    request: Request,
    best: Found | None,
    options: dict[str, tuple[int, list[str]]],
) -> Found | None:
    """A setting with a few named values, one of which makes this a whole loss: it is asked for."""
    options = _by_key(options)
    # What is met last stands nearest to the loss.
    names = list(options)[-3:]
    line = options[names[-1]][0]
    choices = product(*(dict.fromkeys(options[name][1]) for name in names))
    for values in islice(choices, MAX_OPTIONS):
        chosen = {**request.constants, **dict(zip(names, values, strict=True))}
        defaults = collect_defaults(tree)
        sizes = best.setup.sizes if best else next(guess_sizes(tree, request, defaults))
        setup = replace(_setup(tree, request, sizes, defaults), constants=chosen)
        try:
            found = _search_entries(tree, setup, request.function, {}, [], [])
        except TooMuch:
            return best
        if found is not None and found.examined.quality >= 2:
            found.open_choice = (line, tuple((n, tuple(options[n][1])) for n in names))
            return found
    return best


def _depends_on_shape(tree: ast.Module, best: Found) -> bool:
    """Whether pictures in rows would be read otherwise than those of the shape that was guessed.

    A sum over axis 1 alone is one over an image's values only where they lie in a row.
    """
    sizes = best.setup.sizes
    if len(sizes.image) < 2 or best.examined.quality < 2:
        return False
    rows = replace(best.setup, sizes=replace(sizes, image=(sizes.pixels,)))
    try:
        other = _retrace(tree, best.traced.entry, rows)
    except TooMuch:
        return False
    return other is not None and other.examined.quality >= 2 and not _agree(best, other)


def _depends_on_rounds(tree: ast.Module, best: Found) -> bool:
    """Whether outputs that a loop goes through count as often as there are: nobody says how many.

    A sum of their errors does, their mean does not.
    """
    leaves, root = best.traced.state.leaves, best.traced.root
    deps = root.deps if root is not None else frozenset()
    outputs = [leaves[dep][0] for dep in deps if dep.split("#")[0] == "output"]
    if best.examined.quality < 2 or not any(_is_looped(value) for value in outputs):
        return False
    try:
        other = _retrace(tree, best.traced.entry, replace(best.setup, rounds=2))
    except TooMuch:
        return True
    return other is None or other.examined.quality < 2 or not _agree(best, other)


def _is_looped(value: Opaque | None) -> bool:
    """Whether a loop gave ``value``, or what it is a part of."""
    while value is not None and value.source == "item":
        value = value.parent
    return value is not None and value.source == "loop"


def _either(tree: ast.Module, best: Found, request: Request) -> tuple[str, ...]:
    """The picture and the output, where both were guessed and their exchange is read otherwise.

    A cross-entropy tells them apart, for exchanged it is none; an error is the same in both, but
    for a term of one of them that stands beside it.
    """
    guessed = {r: n for n, r in best.setup.roles.items() if n not in request.roles}
    if not {"target", "output"} <= guessed.keys() or best.examined.quality < 2:
        return ()
    names = guessed["target"], guessed["output"]
    swapped = {**best.setup.roles, names[0]: "output", names[1]: "target"}
    try:
        other = _retrace(tree, best.traced.entry, replace(best.setup, roles=swapped))
    except TooMuch:
        return ()
    if other is None or other.examined.quality < 2:
        told = ("bernoulli", "continuous-bernoulli", "categorical", "discretised-logistic")
        return () if best.examined.pixels.family in told else names
    sure = _agree(best, other) and _ratio(best.examined) is not None
    return () if sure else names


def _by_key(options: dict[str, tuple[int, list[str]]]) -> dict[str, tuple[int, list[str]]]:
    """One setting that is handed on under several names, by the key that they share."""
    shared: dict[str, list[str]] = {}
    for name in options:
        shared.setdefault(key_of(name), []).append(name)
    return {
        (names[0] if len(names) == 1 else key): options[names[-1]] for key, names in shared.items()
    }


def _confirm(tree: ast.Module, best: Found) -> None:
    """Probe the loss on three images too, where every value can differ from every other."""
    sizes = replace(best.setup.sizes, batch=SMALL_BATCH)
    if best.examined.quality < 2 or best.setup.sizes.batch <= SMALL_BATCH:
        return
    try:
        small = _retrace(tree, best.traced.entry, replace(best.setup, sizes=sizes))
    except TooMuch:
        return
    if small is None or small.examined.blocking:
        # A size is written into the code; it runs with no other batch.
        return
    if small.examined.pixels.family == "unknown" and "sum" in small.examined.pixels.why:
        best.examined.pixels = small.examined.pixels
    if small.examined.latents.form == "unknown" and small.examined.latents.extra:
        best.examined.latents = small.examined.latents


@once
def _is_old(tree: ast.Module) -> bool:
    """TensorFlow 1, whose ``tf.losses`` average over everything."""
    old = ("placeholder", "Session", "contrib", "get_variable", "variable_scope", "global_step")
    return any(isinstance(node, ast.Attribute) and node.attr in old for node in ast.walk(tree))


def _quality(found: Found) -> float:
    missing = len(found.examined.missing)
    some = 0.3 if found.examined.quality == 1 and found.examined.latents.form == "kl" else 0.0
    more = -some + 0.05 * bool(found.examined.left_out) + 0.1 * bool(found.examined.beside)
    return found.examined.quality - 0.1 * min(missing, 5) - more


def _rank(found: Found) -> tuple[float, int, float]:
    """By how well it is understood; of what is not, what holds most of a loss may yet be."""
    quality = _quality(found)
    root = found.traced.root
    return (quality if quality >= 2 else 0.0, entries.coverage(root) if root else 0, quality)


def _search_entries(
    tree: ast.Module,
    setup: Setup,
    function: str,
    options: dict[str, tuple[int, list[str]]],
    misfits: list[str],
    failures: list[tuple[int, str]],
    worth: set[str] | None = None,
) -> Found | None:
    """The best understood of all entries; ``worth`` holds those that another shape may help."""
    trouble: list[TooMuch] = []
    unfinished: list[str] = []
    traced: list[Traced] = []
    for entry, one in _traces(tree, setup, function, worth, trouble):
        if one is None:
            unfinished += [] if entry.away else [entry.name]
            continue
        misfits += [text for _, text in one.state.failures if _SHAPES.search(text)]
        failures += one.state.failures[:3]
        if worth is not None and (one.root is not None or one.state.failures):
            worth.add(entry.name)
        for name, (line, values) in one.state.options.items():
            options.setdefault(name, (line, []))[1].extend(values[:8])
        if one.root is not None:
            traced.append(one)
    traced.sort(key=lambda t: -t.score)
    whole = [t for t in traced if t.root is not None and entries.coverage(t.root) >= 8]
    best: Found | None = None
    for candidate in (whole or traced)[:MAX_CANDIDATES]:
        assert candidate.root is not None
        try:
            with BUDGET.get().portion(0.5):
                found = Found(candidate, examine(candidate.root, candidate.state), setup)
        except TooMuch as error:
            trouble.append(error)
            continue
        if best is None or _rank(found) > _rank(best):
            best = found
        if best.examined.quality >= 3 and not best.examined.missing:
            break
    if trouble and (best is None or _hangs_on(tree, best, unfinished)):
        raise trouble[0]
    return None if best is None else _weigh_rivals(tree, best, traced)


def _traces(
    tree: ast.Module,
    setup: Setup,
    function: str,
    worth: set[str] | None,
    trouble: list[TooMuch],
) -> Iterator[tuple[Entry, Traced | None]]:
    """Each entry that is asked for, and its run; None for one that takes too much."""
    again = set(worth or ())
    for entry in entries.find_entries(tree):
        if function and function not in (entry.name, entries.short(entry.name)):
            continue
        if again and entry.name not in again:
            continue
        one: Traced | None = None
        try:
            with BUDGET.get().portion(0.45):
                one = entries.trace(tree, entry, setup)
        except TooMuch as error:
            trouble.append(error)
        yield entry, one


def _hangs_on(tree: ast.Module, best: Found, unfinished: list[str]) -> bool:
    """Whether code that could not be followed to its end may set what was taken by default."""
    if all(used.source != "default" for used in best.traced.state.constants.values()):
        return False
    calls = entries.calls_of(tree)
    name = entries.short(best.traced.entry.name)
    return any(name in calls.get(caller, ()) for caller in unfinished)


def _weigh_rivals(tree: ast.Module, best: Found, traced: list[Traced]) -> Found:
    """Other whole losses of the code: who calls wins; of two that call neither, none is read."""
    calls = entries.calls_of(tree)
    for candidate in traced:
        if (
            candidate is best.traced
            or candidate.root is None
            or entries.coverage(candidate.root) < 8
        ):
            continue
        mine, other = best.traced.entry.name, candidate.entry.name
        if entries.short(other) in calls.get(mine, ()):
            continue
        found = Found(candidate, examine(candidate.root, candidate.state, verify=False), best.setup)
        if found.examined.quality < 2 or _agree(best, found):
            continue
        called = bool({entries.short(mine), mine.partition(".")[0]} & calls.get(other, set()))
        if called and candidate.conclusive and not candidate.entry.away:
            # It hands over other settings than the defaults of what it calls.
            whole = Found(candidate, examine(candidate.root, candidate.state), best.setup)
            if whole.examined.quality >= best.examined.quality:
                best = whole
                continue
        if candidate.entry.away:
            best.evaluation = best.evaluation or found
        elif not best.traced.conclusive:
            best.rivals.append(candidate.entry)
    return best


def _retrace(tree: ast.Module, entry: Entry, setup: Setup) -> Found | None:
    traced = entries.trace(tree, entry, setup)
    if traced.root is None:
        return None
    return Found(traced, examine(traced.root, traced.state), setup)


def _improve(tree: ast.Module, found: Found) -> Found:
    """Other roles for names that are in conflict or say nothing, and other shapes of a scale."""
    best = found
    entry = found.traced.entry
    for setup in _alternatives(found):
        try:
            other = _retrace(tree, entry, setup)
        except TooMuch:
            break
        if other is None or (
            _guesses_moments(setup, found) and other.examined.latents.form in _BAD
        ):
            continue
        if _quality(other) > _quality(best):
            best = other
            if best.examined.quality >= 3:
                break
    return best


_BAD = ("wrong", "inert", "unknown")


def _guesses_moments(setup: Setup, found: Found) -> bool:
    """Whether a setup takes a name that says nothing for a mean or a scale."""
    tried = {role for name, role in setup.roles.items() if name not in found.setup.roles}
    return bool(tried & {"mean", *LATENT_SCALES})


def _alternatives(found: Found) -> Iterator[Setup]:
    """Setups to try: each gives one or two values another role."""
    setup, state = found.setup, found.traced.state
    if any("classes" in text for _, text in state.failures) or (
        state.over_classes and any(_SHAPES.search(text) for _, text in state.failures)
    ):
        yield replace(setup, classes="last")
        yield replace(setup, classes="first")
    scale, _ = state.leaves.get("out_scale", (None, None))
    if scale is not None and not scale.learned:
        # A sigma beside the log variance of the latents may be a plain weight.
        yield replace(setup, roles={**setup.roles, scale.name: "constant"})
    if "out_scale" in state.leaves:
        yield replace(setup, pixel_scale=True)
    for change in islice(_role_changes(found), MAX_TRIES):
        changed = replace(setup, roles={**setup.roles, **change})
        yield changed
        if "out_scale" in change.values():
            yield replace(changed, pixel_scale=True)


def _role_changes(found: Found) -> Iterator[dict[str, str]]:
    state = found.traced.state
    held = {
        name: value.name
        for name, (value, _) in state.leaves.items()
        if value is not None and not name.startswith(("noise", "uniform", "example"))
    }
    scales = [name for name in held if name.split("#")[0] in LATENT_SCALES]
    if len(scales) > 1:
        for name in scales:
            yield {held[name]: "out_scale"}
    if len(scales) == 1 and "out_scale" in held:
        kind = scales[0]
        for other in LATENT_SCALES:
            yield {held[kind]: "out_scale", held["out_scale"]: other}
    for role in ("target", "output"):
        twins = [name for name in held if name.split("#")[0] == role]
        other = "output" if role == "target" else "target"
        if len(twins) > 1 and other not in held:
            for name in twins:
                yield {held[name]: other}
    means = [name for name in held if name.split("#")[0] == "mean"]
    if len(means) > 1 and len(scales) == 1 and "out_scale" in held:
        # The scale of a second group of latents.
        yield {held["out_scale"]: scales[0]}
    if len(means) > 1 and "output" not in held:
        for name in means:
            yield {held[name]: "output"}
    yield from _free_roles(found, held)


def _free_roles(found: Found, held: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Roles that nobody has, given to names that say nothing."""
    state = found.traced.state
    values = [
        *state.unresolved.values(),
        *(
            value
            for leaf, (value, _) in state.leaves.items()
            if leaf.startswith(("unknown", "constant")) and value is not None
        ),
    ]
    named = [
        v.name
        for v in values
        if (v.hints or v.source not in ("call", "operation")) and not _is_compared(v)
    ]
    free = list(dict.fromkeys(name for name in named if not roles.is_term(name)))[:4]
    present = {name.split("#")[0] for name in held}
    lacking = [r for r in ("target", "output", "mean") if r not in present]
    if not present & set(LATENT_SCALES):
        lacking.append("logvar")
    for name in free:
        for role in lacking:
            yield {name: role}
    for first in free:
        for second in free:
            if first != second:
                for one, two in (("mean", "logvar"), ("output", "target"), ("mean", "sigma")):
                    if {one, two} - {"sigma"} <= {*lacking}:
                        yield {first: one, second: two}
    if len(free) >= 4 and len(lacking) == 4:
        for order in ((0, 1, 2, 3), (1, 0, 2, 3)):
            names = [free[i] for i in order]
            yield dict(zip(names, ("target", "output", "mean", "logvar"), strict=True))


def _is_compared(value: Opaque) -> bool:
    """Whether a value was made of a picture and an output both: it is a term, none of the two."""
    words = set(roles.words_of(value.callee))
    return {"target", "output"} <= value.inputs or bool(words & roles.PERCEPTUAL)


def _ambiguous(tree: ast.Module, best: Found) -> list[tuple[str, int]]:
    """Conditions that the code does not decide and that change the loss."""
    state = best.traced.state
    found: list[tuple[str, int]] = []
    asked = list(state.undecided.items())[: 4 * MAX_FLIPS]
    idle: Mapping[int, str] = {}
    with suppress(TooMuch):
        idle = idle_conditions(tree, {line for _, line in asked})
    asked = [one for one in asked if one[0].rstrip(".") not in idle.get(one[1], "")]
    for text, line in asked[:MAX_FLIPS]:
        if trains(text):
            continue
        if "is_available" in text:
            # What machine it runs on is no setting of a loss.
            continue
        taken = best.setup.decisions.get(text, False)
        setup = replace(best.setup, decisions={**best.setup.decisions, text: not taken})
        try:
            other = _retrace(tree, best.traced.entry, setup)
        except TooMuch:
            return [*found, (text, line)]
        if other is not None and other.examined.quality >= 1 and not _agree(best, other):
            found.append((text, line))
    return found


def _agree(one: Found, two: Found) -> bool:
    first, second = one.examined, two.examined
    if second.quality < first.quality:
        # A branch that is no whole loss is not the one that was meant.
        return True
    if (first.pixels.family, first.latents.form) != (second.pixels.family, second.latents.form):
        return False
    one_ratio, two_ratio = _ratio(first), _ratio(second)
    if one_ratio is None or two_ratio is None:
        return one_ratio is two_ratio
    return math.isclose(one_ratio, two_ratio, rel_tol=1e-9)


def _ratio(examined: Examined) -> float | None:
    """The weight of the KL against that of the pixels' cost."""
    error = examined.pixels.weight or examined.pixels.near
    kl = examined.latents.weight
    return None if not error or kl is None else kl / error


# -- what the code itself says ------------------------------------------------------------------
@once
def collect_counters(tree: ast.Module) -> frozenset[str]:
    """Names of steps or epochs that go on: counted up, or begun at 0 and set elsewhere."""
    counted: set[str] = set()
    begun: set[str] = set()
    moved: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            name = _last_name(node.target)
            if roles.is_late(name) or isinstance(literal(node.value), int | float):
                counted.add(name)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            at_start = literal(node.value) in (0, 1)
            (begun if at_start else moved).add(_last_name(node.targets[0]))
    return frozenset(counted | {name for name in begun & moved if roles.is_late(name)}) - {""}


@once
def collect_moved(tree: ast.Module) -> frozenset[str]:
    """Weights of an object that are begun in one method and set again in another, as it trains."""
    begun: set[str] = set()
    moved: set[str] = set()
    for owner in ast.walk(tree):
        for method in owner.body if isinstance(owner, ast.ClassDef) else ():
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            start = method.name in ("__init__", "setup", "build")
            if not start and set(roles.words_of(method.name)) & {"set", "reset", "load", "init"}:
                continue
            for node in ast.walk(method):
                targets = node.targets if isinstance(node, ast.Assign) else ()
                for target in targets if not isinstance(node, ast.AugAssign) else ():
                    if isinstance(target, ast.Attribute) and _is_number(node):
                        (begun if start else moved).add(target.attr)
    found = {name for name in begun & moved if _is_weight(name)}
    outside = passed.set_outside(tree)
    return frozenset(found | {n for n, v in outside.items() if v is passed.UNSURE})


def _set_later(tree: ast.Module) -> dict[str, float]:
    """Weights that other code sets to one number, once the object is made."""
    found = passed.set_outside(tree)
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def _is_number(node: ast.AST) -> bool:
    """Whether what is assigned is no text, list, call of a network or None."""
    value = getattr(node, "value", None)
    return not isinstance(value, ast.List | ast.Dict | ast.Tuple) and not (
        isinstance(value, ast.Constant) and not isinstance(value.value, int | float)
    )


def _is_weight(name: str) -> bool:
    return any(guess.role == "constant" and guess.sure == 2 for guess in roles.guess(name))


def _last_name(target: ast.expr) -> str:
    """``step`` and ``self.step`` by their last word, '' for anything else."""
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def collect_options(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """The texts with which the code compares a setting, by the setting's own name."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name | ast.Attribute):
            texts = [part.value for part in node.comparators if isinstance(part, ast.Constant)]
            found.setdefault(ast.unparse(node.left), []).extend(
                text for text in texts if isinstance(text, str) and len(text) <= 40
            )
    return {name: tuple(dict.fromkeys(texts))[:12] for name, texts in found.items() if texts}


@once
def collect_defaults(tree: ast.Module) -> dict[str, Any]:
    """Values that the code gives to names elsewhere: arguments' defaults, options, settings.

    A name with two different values has none, nor has a counter.
    """
    seen: dict[str, set[Any]] = {}
    unsure: set[str] = set()
    given_else: set[int] = set()
    counters = collect_counters(tree) | collect_moved(tree)

    def keep(name: str, node: ast.expr | None) -> None:
        value = literal(node)
        if name and name not in counters and isinstance(value, bool | int | float | str):
            seen.setdefault(name, set()).add(value)

    def keep_handed(handed: Mapping[str, Any]) -> None:
        for name, value in handed.items():
            if isinstance(value, bool | int | float | str):
                keep(name, ast.Constant(value))
            elif value is passed.UNSURE and passed.is_weight(name):
                unsure.add(name)

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            handed = passed.to_function(tree, node)
            for name, default in passed.defaults_of(node).items():
                if name not in handed:
                    keep(name, default)
            keep_handed(handed)
        elif isinstance(node, ast.ClassDef):
            handed = passed.to_class(tree, node.name)
            for member in node.body:
                # A field of settings that the file gives otherwise where it makes them.
                if isinstance(member, ast.AnnAssign) and _last_name(member.target) in handed:
                    given_else.add(id(member))
            keep_handed(handed)
        elif isinstance(node, ast.Call):
            _keep_option(node, keep)
            _keep_again(node, keep)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            _keep_target(node.targets[0], node.value, keep)
        elif isinstance(node, ast.AnnAssign) and id(node) not in given_else:
            _keep_target(node.target, node.value, keep)
        elif isinstance(node, ast.Dict):
            _keep_entries(node, keep)
    return {
        name: next(iter(values))
        for name, values in seen.items()
        if len(values) == 1 and name not in unsure
    }


def _keep_entries(node: ast.Dict, keep: Any) -> None:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            keep(key.value, value)


def _keep_option(node: ast.Call, keep: Any) -> None:
    """``parser.add_argument('--beta', default=4.0)`` and click's options."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in ("add_argument", "option", "DEFINE_float", "DEFINE_integer", "DEFINE_string"):
        return
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    options = {k.arg: k.value for k in node.keywords}
    if name.startswith("DEFINE") and len(node.args) > 1 and texts:
        keep(texts[0], node.args[1])
        return
    target = options.get("dest")
    chosen = [target.value] if isinstance(target, ast.Constant) else texts
    unset = _UNSET.get(str(getattr(options.get("action"), "value", "")))
    for text in chosen:
        if not isinstance(text, str):
            continue
        bare = text.lstrip("-").replace("-", "_")
        keep(bare, options.get("default"))
        if unset is not None and "default" not in options:
            # A flag's name alone may be that of a term: mse. It is one of the settings.
            for place in (*SETTINGS, "parse_args()"):
                keep(f"{place}.{bare}", unset)


def _keep_again(node: ast.Call, keep: Any) -> None:
    """``parser.set_defaults(beta=4)``, ``cfg.update(beta=4)``, ``parse_args(["--beta", "4"])``."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in ("set_defaults", "update"):
        for keyword in node.keywords:
            keep(keyword.arg or "", keyword.value)
    if name in ("parse_args", "parse_known_args") and node.args:
        texts = [literal(e) for e in getattr(node.args[0], "elts", ())]
        for option, value in pairwise(texts):
            if isinstance(option, str) and option[:1] == "-" and isinstance(value, str):
                with suppress(ValueError):
                    number = ast.Constant(float(value))
                    keep(option.lstrip("-").replace("-", "_"), number)


# What a flag is where it is not given.
_UNSET = {"store_true": ast.Constant(False), "store_false": ast.Constant(True)}


def _keep_target(target: ast.expr, value: ast.expr | None, keep: Any) -> None:
    if isinstance(target, ast.Name):
        keep(target.id, value)
    elif isinstance(target, ast.Attribute):
        keep(target.attr, value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, two in zip(target.elts, value.elts, strict=False):
            _keep_target(one, two, keep)


def literal(node: ast.expr | None) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = literal(node.operand)
        return -inner if isinstance(inner, int | float) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        left, right = literal(node.left), literal(node.right)
        if isinstance(left, int | float) and isinstance(right, int | float) and right:
            return left * right if isinstance(node.op, ast.Mult) else left / right
    return None


def _known(node: ast.expr, defaults: Mapping[str, Any]) -> Any:
    """A literal, or a name with one value in the code."""
    if isinstance(node, ast.Name):
        return defaults.get(node.id)
    return defaults.get(node.attr) if isinstance(node, ast.Attribute) else literal(node)


# Widths of layers, which have the words of sizes in their names.
_NO_SIZES = frozenset({"feature", "features", "hidden", "h", "embed", "intermediate"})
_SIDES = frozenset(
    {"image_size", "img_size", "input_height", "imsize", "image_height", "resolution"}
    | {"IMAGE_SIZE", "IMG_SIZE", "img_height", "input_size", "image_dim", "img_dim", "H", "height"}
)
_CHANNELS = frozenset(
    {"in_channels", "img_channels", "image_channels", "channels", "nc", "num_channels"}
    | {"CHANNELS", "input_channels", "n_channels", "channels_in", "in_ch"}
)
_CHANNELS_LAST = re.compile(r"\b(tensorflow|keras|tf|jnp|jax|flax)\b")


_THREE = re.compile(
    r"(?:dim=|axis=|sum\(|mean\()[\[(]1, 2[\])]|permute\(0, 2, 1\)|\[:, [^,\[\]]+, [^,\[\]]+\]"
)
_FOUR = re.compile(
    r"1, 2, 3[\])]|permute\(0, \d, \d, \d\)|\[(?:[^,\[\]]+, ){3}[^,\[\]]+\]|Conv2d|conv2d"
)


def guess_sizes(tree: ast.Module, request: Request, defaults: Mapping[str, Any]) -> Iterator[Sizes]:
    """Sizes to try, the likeliest first; what was given stays as it is, but for its shape."""
    text = text_of(tree)[:40_000]
    last = bool(_CHANNELS_LAST.search(text))
    latents = request.latents or (_default_size(defaults, "latents") or 20,)
    batch = request.batch or _default_size(defaults, "batch") or 128
    images: list[tuple[int, ...]] = []
    if request.image is not None:
        images.append(request.image)
    else:
        images += _images_of(tree, text, defaults, last)
    total = math.prod(images[0])
    shapes = _shapes_of(total, last)
    if not last and _THREE.search(text) and not _FOUR.search(text):
        # The code counts three axes with the batch: steps of a series, or rows of a picture.
        shapes.sort(key=lambda shape: len(shape) != 2)
    images += shapes
    seen = set()
    for image in images:
        if image not in seen:
            seen.add(image)
            yield Sizes(image, latents, batch)
            if request.latents is None and len(image) == 3:
                side = (4, 8, 8) if not last else (8, 8, 4)
                if re.search(r"(dim|axis)=[\[(]1, 2, 3[\])]", text) and ".kl()" not in text:
                    yield Sizes(image, side, batch)


@once
def _entered(tree: ast.Module) -> list[tuple[int, ...]]:
    """A picture in a row, if it enters so: ``x = placeholder(float32, [None, 784])``."""
    defaults = collect_defaults(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        called = _last_name(node.value.func)
        guesses = roles.guess(_last_name(node.targets[0]))
        if called not in ("placeholder", "Input") or not guesses or guesses[0].role != "target":
            continue
        parts = [*node.value.args, *(k.value for k in node.value.keywords if k.arg == "shape")]
        shape = next((p.elts for p in parts if isinstance(p, ast.Tuple | ast.List)), [])
        rows = shape[1:] if called == "placeholder" else shape
        size = _known(_renamed(tree, rows[0]), defaults) if len(rows) == 1 else None
        if isinstance(size, int) and not isinstance(size, bool) and 16 <= size <= 10**6:
            return [(size,)]
        return []
    return []


def _renamed(tree: ast.Module, node: ast.expr) -> ast.expr:
    """What a name was set to, where that is another name: ``max_len = MAX_LENGTH``."""
    for other in tree.body if isinstance(node, ast.Name) else ():
        if isinstance(other, ast.Assign) and _last_name(other.targets[0]) == _last_name(node):
            return other.value if isinstance(other.value, ast.Name) else node
    return node


def _product(node: ast.BinOp) -> list[tuple[int, ...]]:
    """A picture from a product of its sizes: ``view(-1, 3 * 128 * 128)``."""
    factors: list[Any] = []
    part: ast.expr = node
    while isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
        factors.insert(0, literal(part.right))
        part = part.left
    factors.insert(0, literal(part))
    if not all(isinstance(f, int) and not isinstance(f, bool) for f in factors):
        return []
    sides = [f for f in factors if f not in (1, 3)]
    square = len(sides) == 2 and sides[0] == sides[1] and 8 <= sides[0] <= 512
    return [(math.prod(factors),)] if square and len(factors) in (2, 3) else []


def _square(defaults: Mapping[str, Any], last: bool) -> list[tuple[int, ...]]:
    """A picture from names of its side and of its channels."""
    sides = [defaults[n] for n in sorted(_SIDES & set(defaults)) if isinstance(defaults[n], int)]
    channels = [defaults[n] for n in sorted(_CHANNELS & set(defaults)) if defaults[n] in (1, 3)]
    if not sides or not 8 <= sides[0] <= 512:
        return []
    side = sides[0]
    depth = channels[0] if channels else (1 if side == 28 else 3)
    return [(side, side, depth) if last else (depth, side, side)]


def _default_size(defaults: Mapping[str, Any], role: str) -> int | None:
    for name, value in defaults.items():
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**6:
            guesses = roles.guess(name)
            words = set(roles.words_of(name))
            if guesses and guesses[0].role == role and not words & _NO_SIZES:
                return value
    return None


def _shapes_of(total: int, last: bool) -> list[tuple[int, ...]]:
    """Pictures of as many values: grey or colour, square."""
    found: list[tuple[int, ...]] = [(total,)]
    for channels in (1, 3):
        side = math.isqrt(total // channels)
        if side * side * channels == total and side > 1:
            found.append((side, side, channels) if last else (channels, side, side))
            found.append((channels, side, side) if last else (side, side, channels))
            if channels == 1:
                found.append((side, side))
    return found


def _images_of(
    tree: ast.Module, text: str, defaults: Mapping[str, Any], last: bool
) -> list[tuple[int, ...]]:
    """What the code shows of an image: ``view(-1, 784)``, ``Input(shape=(28, 28, 1))``."""
    found: list[tuple[int, ...]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List) and 3 <= len(node.elts) <= 4:
            numbers = [_known(e, defaults) for e in node.elts]
            if len(numbers) == 4 and numbers[0] in (None, -1):
                numbers = numbers[1:]
            if len(numbers) != 3:
                continue
            if all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
                shape = tuple(int(n) for n in numbers)
                ends = (shape[0], shape[2])
                if min(shape) >= 1 and any(e in (1, 3) for e in ends) and sorted(shape)[1] >= 8:
                    found.append(shape)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            found += _product(node)
    found += _square(defaults, last)
    found[:0] = _entered(tree)
    size = _default_size(defaults, "pixels")
    for number in (784, 3072, 12288, 2352):
        if re.search(rf"\b{number}\b", text):
            found.append((number,))
    if re.search(r"28 ?\* ?28\b", text):
        found.append((784,))
    if size is not None and size > 3:
        found.insert(0, (size,))
    found.append((784,))
    return found

"""Find a reading: try the places a loss may stand, then other roles, shapes and branches."""

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any

from vae.your_loss import entries, passed, roles
from vae.your_loss.arrays import BUDGET, Misfit, TooMuch
from vae.your_loss.defaults import (
    collect_counters,
    collect_defaults,
    collect_moved,
    collect_options,
    only_of_functions,
    set_later,
)
from vae.your_loss.entries import Entry, Traced
from vae.your_loss.examine import Examined, examine
from vae.your_loss.expressions import trains
from vae.your_loss.guessed_sizes import guess_sizes
from vae.your_loss.once import once, text_of
from vae.your_loss.relevance import idle_conditions, idle_loops
from vae.your_loss.roles import LATENT_SCALES
from vae.your_loss.state import Request, Setup, Sizes, key_of
from vae.your_loss.text import last_name
from vae.your_loss.values import Opaque

MAX_TRIES = 36
MAX_SHAPES = 4
_SHAPES = re.compile(r"axis|axes|shape|fit|indices")
MAX_CANDIDATES = 4
MAX_FLIPS = 5
SMALL_BATCH = 3
MAX_OPTIONS = 6
_KL = re.compile(
    r"\b\w*(kl|kld|kl_?div\w*|logvar|log_var|z_mean|reparam\w*)\b|\b(\w+_)?kld?_\w+\b",
    re.IGNORECASE,
)


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
    # What is minimised where this loss is called, and is not known.
    lost: tuple[int, str] | None = None
    # What the code trains, where an evaluation is all that was read.
    trained: tuple[int, str] | None = None
    # Conditions under which the loss has more than what was read.
    untaken: list[tuple[str, int]] = field(default_factory=list)
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arguments: tuple[tuple[str, int], ...] = ()
    shape_matters: bool = False
    # Where and why the code does not run with pictures that have as many axes as it says.
    misfit: tuple[int, str] | None = None
    # Whether the loss is another one for more outputs in a list of which a loop takes each.
    rounds_matter: bool = False
    # A condition that differs from round to round of a loop, and with it the loss.
    mixed: tuple[str, int] | None = None
    # Two names that say nothing, of which either may be the picture.
    either: tuple[str, ...] = ()


def search(
    tree: ast.Module, request: Request, trouble: list[tuple[int, str]] | None = None
) -> Found | None:
    """The reading of ``tree`` that is best understood, or None where no loss was found.

    ``trouble`` takes the lines that could not be followed, and why.
    """
    failures: list[tuple[int, str]] = [] if trouble is None else trouble
    defaults = collect_defaults(tree)
    options: dict[str, tuple[int, list[str]]] = {}
    worth: set[str] = set()
    best = _by_shapes(tree, request, options, failures, worth)
    if best is None or best.examined.quality < 2:
        best = _by_draws(tree, request, defaults, failures, worth) or best
    if best is None or best.examined.quality < 2:
        best = _by_classes(tree, request, defaults, failures, worth) or best
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
        if best.traced.entry.away:
            best.trained = entries.trains_elsewhere(tree, best.traced.entry)
        best.arguments = entries.arguments_of(tree, best.traced.entry)
    if best is not None and best.open_choice is None:
        best.either = _either(tree, best, request)
        best.ambiguous = _ambiguous(tree, best)
        told = request.image is not None and len(request.image) > 1
        best.shape_matters = not told and _depends_on_shape(tree, best)
        best.misfit = _in_its_own_shape(tree, best, request)
        best.rounds_matter = _depends_on_rounds(tree, best)
        _confirm(tree, best)
        best.speaks_of_kl = bool(_KL.search(text_of(tree)))
    return best


def _by_shapes(
    tree: ast.Module,
    request: Request,
    options: dict[str, tuple[int, list[str]]],
    failures: list[tuple[int, str]],
    worth: set[str],
) -> Found | None:
    """The best understood of all entries, at the shapes of an image that the code may mean.

    ``worth`` takes the entries that another shape may help.
    """
    defaults = collect_defaults(tree)
    best: Found | None = None
    waiting = list(islice(guess_sizes(tree, request, defaults), 24))
    tried: set[tuple[int, ...]] = set()
    for tries in range(1, MAX_SHAPES + 1):
        if not waiting:
            break
        sizes = waiting.pop(0)
        tried.add(sizes.image)
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
        told = [s for s in told if s.image not in tried]
        if request.latents is None and (latents := _told_latents(misfits, sizes)):
            told, waiting = latents, [replace(s, latents=latents[0].latents) for s in waiting]
        waiting = [*told, *(s for s in waiting if s.image not in [t.image for t in told])]
        if any("classes" in text for text in misfits):
            # What is lacking is an axis of classes, no other shape of the picture.
            break
    return best


_ROWS = re.compile(r"does not fit into \(-1, (\d{1,6})\)|and \((\d{1,6}),\) do not go together")
_AXES = re.compile(r"\(([\d, ]{1,40})\) does not fit into \(-1, (\d{1,5}(?:, \d{1,5}){1,2})\)")


def _told_latents(misfits: list[str], sizes: Sizes) -> list[Sizes]:
    """As many latents as the code has numbers for, where those that were tried are others."""
    mine = str((sizes.batch, *sizes.latents))
    apart = [text for text in misfits if mine in text and "do not go together" in text]
    told = {int(number) for text in apart for number in re.findall(r"\((\d{1,6}),\)", text)}
    found = sorted(told - {0, sizes.batch, *sizes.latents})
    return [replace(sizes, latents=(number,)) for number in found[:1]]


def _told_by_rows(misfits: list[str], sizes: Sizes) -> list[Sizes]:
    """Pictures of as many values as the code puts into a row, where no other was.

    A picture that the code gives axes of its own has them: ``x.view(-1, 12, 6)``.
    """
    latents = str((sizes.batch, *sizes.latents))
    misfits = [text for text in misfits if latents not in text]
    found = [(int(m[1] or m[2]),) for text in misfits for m in _ROWS.finditer(text)]
    whole = f"{(sizes.batch, *sizes.image)}"[1:-1]
    told = [m[2] for text in misfits for m in _AXES.finditer(text) if m[1] == whole]
    shapes = [*(tuple(map(int, axes.split(", "))) for axes in told), *found]
    # One number for each image is no row of an image's values.
    shapes = [s for s in dict.fromkeys(shapes) if math.prod(s) > 3 and s != (sizes.batch,)]
    return [replace(sizes, image=s) for s in shapes][:2]


def _setup(tree: ast.Module, request: Request, sizes: Sizes, defaults: Mapping[str, Any]) -> Setup:
    return Setup(
        sizes, request.roles, request.constants, defaults,
        first_tensorflow=_is_old(tree), first_keras=_is_first_keras(tree),
        counters=collect_counters(tree),
        moved=collect_moved(tree), shared=passed.shared_weights(tree), set_later=set_later(tree),
        idle=idle_loops(tree), said=_said(request), of_functions=only_of_functions(tree),
    )  # fmt: skip


def _said(request: Request) -> frozenset[str]:
    """The sizes that the reader has said and that are one number."""
    found = {"batch"} if request.batch is not None else set()
    if request.latents is not None and len(request.latents) == 1:
        found.add("latents")
    return frozenset(found)


_AXES_LACK = re.compile(r"[4-9] indices for|there is no axis [3-9] in|[4-9] axes")
_WEIGHED = re.compile(r"softmax|logsumexp")
_CLASSES = re.compile(r"cross_entropy|CrossEntropyLoss|NLLLoss|nll_loss|categorical_crossentropy")


def _by_draws(
    tree: ast.Module,
    request: Request,
    defaults: Mapping[str, Any],
    failures: list[tuple[int, str]],
    worth: set[str],
) -> Found | None:
    """Shapes of several draws per image, where shapes do not fit and draws are weighed."""
    if not any(_SHAPES.search(text) for _, text in failures):
        return None
    if not _WEIGHED.search(text_of(tree)):
        return None
    shapes = ({"draws": "second"}, {"draws": "first"})
    return _first_that_fits(
        tree, request, defaults, shapes, lambda found: bool(found.examined.weighted), worth
    )


def _by_classes(
    tree: ast.Module,
    request: Request,
    defaults: Mapping[str, Any],
    failures: list[tuple[int, str]],
    worth: set[str],
) -> Found | None:
    """Outputs with an axis of classes, where one is lacking in what compares them."""
    misfit = any("axis" in text or "axes" in text for _, text in failures)
    if not any("classes" in text for _, text in failures) and not (
        misfit and _CLASSES.search(text_of(tree))
    ):
        return None
    shapes = ({"classes": "last"}, {"classes": "first"})
    return _first_that_fits(tree, request, defaults, shapes, lambda _: True, worth)


def _first_that_fits(
    tree: ast.Module,
    request: Request,
    defaults: Mapping[str, Any],
    shapes: Sequence[Mapping[str, Any]],
    fits: Callable[[Found], bool],
    worth: set[str] | None = None,
) -> Found | None:
    """The first of ``shapes``, parts of a ``Setup``, in which a loss is understood and ``fits``."""
    sizes = list(islice(guess_sizes(tree, request, defaults), 8))
    # The code may count the axes of a picture too.
    sides = [s for s in sizes[1:] if len(s.image) == 3 and len(sizes[0].image) < 3][:1]
    misfits: list[str] = []
    for each in (sizes[0], *sides):
        if each is not sizes[0]:
            lack = any(_AXES_LACK.search(text) for text in misfits)
            if not lack or any("classes" not in shape for shape in shapes):
                return None
            # A grey picture has classes where its one channel is: (batch, classes, sides).
            shapes = ({**shapes[0], "classes": "channel"}, *shapes)
        for shape in shapes:
            setup = replace(_setup(tree, request, each, defaults), **shape)
            try:
                found = _search_entries(tree, setup, request.function, {}, misfits, [], worth)
            except TooMuch:
                return None
            except Misfit:
                continue
            if found is not None and found.examined.quality >= 2 and fits(found):
                return found
    return None


def _by_model(tree: ast.Module, request: Request, defaults: Mapping[str, Any]) -> Found | None:
    """What a function trains is the one network of the file, where nobody hands it over.

    Or its parts are objects of the pasted classes of their names.
    """
    name = entries.network_of(tree)
    sizes = next(guess_sizes(tree, request, defaults))
    plain = _setup(tree, request, sizes, defaults)
    for setup in ([replace(plain, model=name)] if name else []) + [replace(plain, objects=True)]:
        try:
            found = _search_entries(tree, setup, request.function, {}, [], [])
        except TooMuch:
            return None
        if found is not None and found.examined.quality >= 2:
            return found
    return None


def _by_evaluation(tree: ast.Module, request: Request, defaults: Mapping[str, Any]) -> Found | None:
    """A loss of which no gradient is taken, where there is no other: a test's."""
    silent = entries.without_gradient(tree)
    if not silent:
        return None
    failures: list[tuple[int, str]] = []
    setup = replace(
        _setup(tree, request, next(guess_sizes(tree, request, defaults)), defaults), evaluated=True
    )
    try:
        found = _search_entries(tree, setup, request.function, {}, [], failures, set(silent))
    except TooMuch:
        return None
    if found is not None and found.examined.quality >= 2:
        return found
    if not any("classes" in text or "axes" in text for _, text in failures):
        return None
    shapes = [{"evaluated": True, "classes": place} for place in ("last", "first")]
    return _first_that_fits(tree, request, defaults, shapes, lambda _: True, set(silent))


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
    if other is None:
        return False
    if other.examined.quality >= 2:
        return not _agree(best, other)
    # In rows the code may not run at all, and then its pictures lie in none.
    root = other.traced.root
    runs = root is not None and {"target", "output"} <= root.deps
    lost = other.examined.blocking or other.examined.left_out
    return runs and not lost and other.examined.pixels.family == "unknown"


def _in_its_own_shape(tree: ast.Module, best: Found, request: Request) -> tuple[int, str] | None:
    """Why a loss that was read of pictures in rows is none of pictures as they enter the code.

    ``Input(shape=(steps, features))`` says that they have two axes: a mean over the last alone
    leaves one that a row does not have.
    """
    sizes = best.setup.sizes
    target, _ = best.traced.state.leaves.get("target", (None, None))
    if best.examined.quality < 2 or len(sizes.image) != 1 or target is None:
        return None
    axes = _axes_entered(tree, target.line)
    if axes < 2:
        return None
    told = request.image or ()
    shown = (s.image for s in guess_sizes(tree, request, best.setup.defaults))
    image = next((i for i in (told, *shown) if len(i) == axes), (*(2,) * (axes - 1), sizes.pixels))
    own = replace(best.setup, sizes=replace(sizes, image=image))
    traced = entries.trace(tree, best.traced.entry, own)
    if traced.root is not None:
        other = Found(traced, examine(traced.root, traced.state), own)
        if other.examined.quality >= 2 and (image != told or _agree(best, other)):
            return None
    misfits = [one for one in traced.state.failures if _TOGETHER.search(one[1])]
    return misfits[0] if misfits else None


_TOGETHER = re.compile(r"shapes .* do not go together")


def _axes_entered(tree: ast.Module, line: int) -> int:
    """How many axes a picture has beside the batch, by the ``Input`` or placeholder on ``line``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node.lineno != line:
            continue
        called = last_name(node.func)
        if called not in ("placeholder", "Input"):
            continue
        named = [k.value for k in node.keywords if k.arg in ("shape", "batch_shape")]
        shape = next((p for p in (*node.args, *named) if isinstance(p, ast.Tuple | ast.List)), None)
        if shape is None or any(isinstance(side, ast.Starred) for side in shape.elts):
            return 0
        batch = called == "placeholder" or any(k.arg == "batch_shape" for k in node.keywords)
        return len(shape.elts) - batch
    return 0


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


@once
def _is_first_keras(tree: ast.Module) -> bool:
    """Keras 1, whose backend's cross-entropy took the output first."""
    names = {"Convolution2D", "Deconvolution2D", "objectives", "image_dim_ordering"}
    settings = {"nb_epoch", "border_mode", "nb_filter", "subsample"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            met = {(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Call):
            met = {last_name(node.func)}
            if settings & {keyword.arg for keyword in node.keywords}:
                return True
        else:
            met = {node.attr} if isinstance(node, ast.Attribute) else set()
        if met & names:
            return True
    return False


def _quality(found: Found) -> float:
    missing = len(found.examined.missing)
    some = 0.3 if found.examined.quality == 1 and found.examined.latents.form == "kl" else 0.0
    more = -some + 0.05 * bool(found.examined.left_out) + 0.1 * bool(found.examined.beside)
    return found.examined.quality - 0.1 * min(missing, 5) - more


def _rank(found: Found) -> tuple[float, int, bool, float]:
    """By how well it is understood; of what is not, what holds most of a loss may yet be."""
    quality = _quality(found)
    root = found.traced.root
    held = entries.coverage(root) if root else 0
    return (quality if quality >= 2 else 0.0, held, not found.traced.entry.away, quality)


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
    lost: list[Traced] = []
    for entry, one in _traces(tree, setup, function, worth, trouble):
        if one is None:
            unfinished += [] if entry.away else [entry.name]
            continue
        misfits += [text for _, text in one.state.failures if _SHAPES.search(text)]
        failures += one.state.failures[:3]
        if worth is not None and (one.root is not None or one.state.failures or one.state.lost):
            worth.add(entry.name)
        for name, (line, values) in one.state.options.items():
            options.setdefault(name, (line, []))[1].extend(values[:8])
        if one.root is not None:
            traced.append(one)
        if one.state.lost and not entry.away:
            lost.append(one)
    traced.sort(key=lambda t: -t.score)
    whole = [t for t in traced if t.root is not None and entries.coverage(t.root) >= 8]
    best = _best_of((whole or traced)[:MAX_CANDIDATES], setup, trouble)
    if trouble and (best is None or _hangs_on(tree, best, unfinished)):
        raise trouble[0]
    if best is None:
        return None
    best = _weigh_rivals(tree, best, traced)
    mine = entries.short(best.traced.entry.name)
    calling = [o for o in lost if mine in entries.calls_of(tree).get(o.entry.name, ())]
    if calling and not best.traced.conclusive:
        best.lost = calling[0].state.lost[-1]
    return best


def _best_of(candidates: list[Traced], setup: Setup, trouble: list[TooMuch]) -> Found | None:
    """The best understood; ``trouble`` takes what those hit that are too much to be examined."""
    best: Found | None = None
    for candidate in candidates:
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
    return best


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
        called = bool({entries.short(mine), mine.partition(".")[0]} & calls.get(other, set()))
        trains = called and candidate.conclusive and not candidate.entry.away
        if found.examined.quality < 2:
            twins = {leaf.split("#")[0] for leaf in found.examined.twins}
            # A second error that is no term of its own multiplies the first, or divides it.
            entangled = candidate.how == "backward" and {"target", "output"} <= twins
            unclear = best.traced.note or not twins or entangled
            if trains and unclear and not best.traced.conclusive:
                # What trains adds to it, or weighs it, in a way that is not known.
                best = found
            continue
        less = found.examined.quality < best.examined.quality and not best.traced.conclusive
        if _agree(best, found) and not (trains and (less or _holds_more(found, best))):
            continue
        if trains:
            # It hands over other settings than the defaults of what it calls.
            best = Found(candidate, examine(candidate.root, candidate.state), best.setup)
            continue
        if candidate.entry.away:
            best.evaluation = best.evaluation or found
        elif candidate.how in entries.OPTIMISED and not _is_mentioned(tree, best.traced.entry):
            # A gradient is taken of one, and nothing in the file asks for the other.
            best = Found(candidate, examine(candidate.root, candidate.state), best.setup)
        elif not best.traced.conclusive:
            best.rivals.append(candidate.entry)
    instead = entries.trained_instead(tree, best.traced.entry)
    if not best.traced.conclusive and instead is not None:
        trained = next((t for t in traced if t.entry == instead and t.root is not None), None)
        if trained is not None and trained.root is not None:
            found = Found(trained, examine(trained.root, trained.state), best.setup)
            if found.examined.quality >= 2:
                return found
        best.rivals.append(instead)
    return best


def _is_mentioned(tree: ast.Module, entry: Entry) -> bool:
    """Whether the file names a function anywhere but where it is defined."""
    name = entries.short(entry.name)
    return not name or any(
        isinstance(node, ast.Name | ast.Attribute) and last_name(node) == name
        for node in ast.walk(tree)
    )


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
    if "out_scale" in state.leaves:
        yield replace(setup, pixel_scale=True)
    if scale is not None and not scale.learned:
        # A sigma beside the log variance of the latents may be a plain weight.
        yield replace(setup, roles={**setup.roles, scale.name: "constant"})
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
    if "z" in held and "target" not in held and means and scales:
        # What is rebuilt are the codes of another network: z is the picture here.
        yield {held["z"]: "target"}
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
        by_round = text in state.by_round
        taken = best.setup.decisions.get(text, False)
        setup = replace(best.setup, decisions={**best.setup.decisions, text: not taken})
        try:
            other = _retrace(tree, best.traced.entry, setup)
        except TooMuch:
            return [*found, (text, line)]
        if other is None or (_OF_FILES.search(text) and _asks_for_more(best, other)):
            continue
        if by_round and not _is_same(best, other):
            best.mixed = best.mixed or (text, line)
        elif other.examined.quality >= 1 and not _agree(best, other):
            found.append((text, line))
        elif _is_another(best, other):
            best.untaken.append((text, line))
    return found


def _is_another(best: Found, other: Found) -> bool:
    """Whether a branch that was not taken gives another whole loss, with a part that is not read.

    A branch that leaves out a part of the loss is no other loss.
    """
    one, two = best.traced, other.traced
    if best.examined.quality < 2 or two.root is None or entries.coverage(two.root) < 8:
        return False
    if two.how != one.how:
        return False
    pictures = len(other.examined.beside) > len(best.examined.beside)
    less = other.examined.quality < best.examined.quality
    return less or pictures or _holds_more(other, best)


# What is read from a file in place of what the code makes has the same part in the loss.
_OF_FILES = re.compile(r"isfile|isdir|exists\(|is_file\(|is_dir\(")


def _asks_for_more(one: Found, two: Found) -> bool:
    """Whether ``two`` hangs on what is not known where ``one`` does not."""
    first, second = one.examined, two.examined
    more = {*second.missing, *second.blocking, *second.twins, *second.left_out}
    return bool(more - {*first.missing, *first.left_out})


def _holds_more(one: Found, two: Found) -> bool:
    """Whether ``one`` has a weight without a value, or a term that is not known, and not ``two``.

    A weight that nobody has said is 1 where both are measured: their numbers agree all the same.
    """

    def lost(found: Found) -> set[Any]:
        leaves = (*found.examined.left_out, *found.examined.blocking)
        return {found.traced.state.unknown[leaf][:2] for leaf in leaves}

    given = any(used.source == "given" for used in two.traced.state.constants.values())
    asked = set(one.examined.missing) - set(two.examined.missing)
    # What the reader has said of the function itself stands for what is handed to it.
    return bool(lost(one) - lost(two)) or bool(asked and (two.traced.note or not given))


def _is_same(one: Found, two: Found) -> bool:
    """Whether two are the same loss, or ``two`` is none: another line gives it."""
    if two.traced.root is None or two.traced.line != one.traced.line:
        return True
    return two.examined.quality >= one.examined.quality and _agree(one, two)


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

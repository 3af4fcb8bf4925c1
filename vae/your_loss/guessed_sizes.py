"""Sizes of a picture, its latents and the batch that the code may mean, the likeliest first."""

import ast
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vae.your_loss import roles
from vae.your_loss.defaults import collect_defaults, literal
from vae.your_loss.once import once, text_of
from vae.your_loss.state import Request, Sizes
from vae.your_loss.text import last_name


def _known(node: ast.expr, defaults: Mapping[str, Any]) -> Any:
    """A literal, a name with one value in the code, or a product of them."""
    if isinstance(node, ast.Call) and last_name(node.func) == "int" and len(node.args) == 1:
        return _known(node.args[0], defaults)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        sides = _known(node.left, defaults), _known(node.right, defaults)
        return math.prod(sides) if all(type(side) is int for side in sides) else literal(node)
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
        images += _said(tree, request.image)
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
def _row_entered(tree: ast.Module) -> list[ast.expr]:
    """The length of a picture in a row, where it enters so: ``placeholder(float32, [None, n])``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        called = last_name(node.value.func)
        guesses = roles.guess(last_name(node.targets[0]))
        if called not in ("placeholder", "Input") or not guesses or guesses[0].role != "target":
            continue
        parts = [*node.value.args, *(k.value for k in node.value.keywords if k.arg == "shape")]
        shape = next((p.elts for p in parts if isinstance(p, ast.Tuple | ast.List)), [])
        rows = shape[1:] if called == "placeholder" else shape
        return rows if len(rows) == 1 and not isinstance(rows[0], ast.Starred) else []
    return []


@once
def _entered(tree: ast.Module) -> list[tuple[int, ...]]:
    """A picture in a row of so many values, if it enters so and the code says how many."""
    sizes = [_known(_renamed(tree, row), collect_defaults(tree)) for row in _row_entered(tree)]
    return [(n,) for n in sizes if type(n) is int and 16 <= n <= 10**6]


def _said(tree: ast.Module, image: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The picture that was said; before it as many values in a row, where it enters in one."""
    row = (math.prod(image),)
    in_row = bool(_row_entered(tree)) and _entered(tree) in ([], [row])
    return list(dict.fromkeys([row, image] if in_row else [image]))


def _renamed(tree: ast.Module, node: ast.expr) -> ast.expr:
    """What a name was set to, where that is another name: ``max_len = MAX_LENGTH``."""
    for other in tree.body if isinstance(node, ast.Name) else ():
        if isinstance(other, ast.Assign) and last_name(other.targets[0]) == last_name(node):
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
    rows = [row for row in _flattened(tree) if row not in [(math.prod(f),) for f in found]]
    return rows[:1] + found


@once
def _flattened(tree: ast.Module) -> list[tuple[int, ...]]:
    """As many values as the code puts into a row of a picture: ``tf.reshape(x, [-1, 1024])``."""
    found: list[tuple[int, ...]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or last_name(node.func) not in ("reshape", "view"):
            continue
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        values = [*([] if owner is None else [owner]), *node.args]
        named = [last_name(v) for v in values if isinstance(v, ast.Name | ast.Attribute)]
        guesses = [guess.role for name in named for guess in roles.guess(name)[:1]]
        shape = next((v.elts for v in values if isinstance(v, ast.Tuple | ast.List)), node.args)
        sizes = [literal(size) for size in shape]
        row = sizes[1] if len(sizes) == 2 and sizes[0] == -1 else None
        if guesses == ["target"] and type(row) is int and 16 <= row <= 10**6:
            found.append((row,))
    return found

"""Files that a stranger might give: good ones, and what a seed makes of them.

Half of the changes are to bytes, as a damaged disk or a careless adversary makes them. The others
keep checksums and structure whole, so that they reach what lies behind: a value deep in a
checkpoint, the text of an array's header, a chunk of a picture.
"""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.samples import small_images
from vae.config import TrainConfig
from vae.engine.checkpoints import export_weights, save
from vae.engine.training import Trainer
from vae.runs.folders import RunFolders
from vae.wire.protocol import RunState

DATA = small_images()
BASE = TrainConfig(epochs=3, batch_size=64, latent_dim=3, hidden_dim=8, device="cpu")
RUN_ID = "fuzzed-run"
KINDS = ("checkpoint", "manifest", "npz", "picture")

_NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}

Samples = dict[str, list[tuple[str, bytes]]]


def make_samples(folder: Path) -> Samples:
    """Good files of each kind, as (suffix, content)."""
    return {
        "checkpoint": [("pt", content) for content in _checkpoints(folder)],
        "manifest": [("json", content) for content in _manifests(folder)],
        "npz": [("npz", content) for content in _arrays()],
        "picture": _pictures(),
    }


def mutate(kind: str, samples: Samples, rng: random.Random) -> tuple[str, bytes]:
    """A file of ``kind`` that is probably not good, as (suffix, content)."""
    suffix, content = rng.choice(samples[kind])
    changes = _DEEP[kind] if rng.random() < 0.5 else (_bytes,)
    changed = rng.choice(changes)(content, rng)
    return suffix, changed


def _checkpoints(folder: Path) -> list[bytes]:
    settings: list[dict[str, Any]] = [
        {},
        {"likelihood": "gaussian-learned", "optimizer": "momentum"},
        {"likelihood": "gaussian-optimal", "binarise": "resampled"},
        {"likelihood": "continuous-bernoulli", "architecture": "linear", "optimizer": "sgd"},
    ]
    found = []
    for changes in settings:
        trainer = Trainer(TrainConfig(**{**BASE.to_dict(), **changes}), DATA)
        for _ in range(7):
            trainer.step()
        for write in (save, export_weights):
            write(folder / "made.pt", trainer)
            found.append((folder / "made.pt").read_bytes())
    return found


def _manifests(folder: Path) -> list[bytes]:
    folders = RunFolders(folder)
    found = []
    for members in (1, 4):
        folders.write(
            RUN_ID,
            state=RunState.RUNNING,
            configs=[BASE] * members,
            step=5,
            checkpoints=[f"member-{number + 1}.pt" for number in range(members)],
        )
        found.append((folders.path(RUN_ID) / "run.json").read_bytes())
    return found


def _arrays() -> list[bytes]:
    bytes_of = DATA.train[:40]
    greys = (bytes_of / 255).astype(np.float32)
    sets: list[dict[str, np.ndarray]] = [
        {"train": bytes_of, "test": bytes_of[:9], "train_labels": np.arange(40) % 10},
        {"images": greys, "labels": np.arange(40, dtype=np.uint8) % 10},
        {"images": np.asfortranarray(greys.astype(">f8"))},
    ]
    found = []
    for arrays in sets:
        for write in (np.savez, np.savez_compressed):
            buffer = io.BytesIO()
            write(buffer, **arrays)  # type: ignore[operator]
            found.append(buffer.getvalue())
    return found


def _pictures() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    clear = colours.copy()
    clear.putalpha(Image.fromarray(rng.integers(0, 256, (40, 30), dtype=np.uint8)))
    palette = colours.quantize(16)
    deep = Image.fromarray(rng.integers(0, 2**16, (40, 30), dtype=np.uint16))
    float_greys = Image.fromarray(rng.random((40, 30), dtype=np.float32))
    exif = Image.Exif()
    exif[0x0112] = 6
    made: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (colours, "PNG", {}),
        (clear, "PNG", {}),
        (palette, "PNG", {"transparency": 3}),
        (deep, "PNG", {}),
        (colours, "JPEG", {"exif": exif, "quality": 80}),
        (colours, "JPEG", {"progressive": True}),
        (palette, "GIF", {}),
        (palette, "GIF", {"save_all": True, "append_images": [palette.rotate(90)]}),
        (colours, "BMP", {}),
        (clear, "WEBP", {"lossless": True}),
        (colours, "WEBP", {}),
        (colours, "TIFF", {}),
        (colours, "TIFF", {"compression": "tiff_lzw"}),
        (clear, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (float_greys, "TIFF", {}),
        (colours, "PPM", {}),
    ]
    found = []
    for picture, kind, options in made:
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        found.append((_SUFFIXES.get(kind, kind.lower()), buffer.getvalue()))
    return found


# Changes to bytes


def _bytes(content: bytes, rng: random.Random) -> bytes:
    """One to eight changes, anywhere."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        rng.choice((_flip, _flip, _set_number, _cut, _insert, _repeat, _swap, _blank))(changed, rng)
    return bytes(changed)


def _place(content: bytearray, rng: random.Random) -> int:
    # Headers stand at the beginning and, in archives, at the end.
    where = rng.random()
    size = max(1, len(content))
    if where < 0.3:
        return rng.randrange(min(size, 64))
    if where < 0.5:
        return max(0, size - 1 - rng.randrange(min(size, 300)))
    return rng.randrange(size)


def _flip(content: bytearray, rng: random.Random) -> None:
    if content:
        content[_place(content, rng)] ^= 1 << rng.randrange(8)


def _set_number(content: bytearray, rng: random.Random) -> None:
    width, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    number = rng.choice(_NUMBERS) % 256**width
    place = _place(content, rng)
    content[place : place + width] = number.to_bytes(width, order)  # type: ignore[arg-type]


def _cut(content: bytearray, rng: random.Random) -> None:
    place = _place(content, rng)
    del content[place : place + rng.choice((1, 4, 100, len(content)))]


def _insert(content: bytearray, rng: random.Random) -> None:
    place = _place(content, rng)
    content[place:place] = rng.randbytes(rng.choice((1, 4, 100, 5000)))


def _repeat(content: bytearray, rng: random.Random) -> None:
    place, length = _place(content, rng), rng.choice((1, 16, 300))
    content[place:place] = content[place : place + length] * rng.choice((1, 2, 200))


def _swap(content: bytearray, rng: random.Random) -> None:
    one, other, length = _place(content, rng), _place(content, rng), rng.choice((1, 4, 64))
    content[one : one + length] = content[other : other + length]


def _blank(content: bytearray, rng: random.Random) -> None:
    place, length = _place(content, rng), rng.choice((2, 16, 200))
    end = min(len(content), place + length)
    content[place:end] = bytes([rng.choice((0, 255, 65))]) * (end - place)


# Changes that keep an archive's checksums right


def _members(content: bytes, rng: random.Random, chosen: Callable[[str], bool]) -> bytes:
    """Change the bytes of one member of a zip archive, and pack it anew."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
        method = archive.infolist()[0].compress_type
    name = rng.choice([name for name in parts if chosen(name)])
    parts[name] = _bytes(parts[name], rng)
    if rng.random() < 0.05:
        del parts[rng.choice(list(parts))]
    return _pack(parts, method if rng.random() < 0.95 else zipfile.ZIP_DEFLATED)


def _pack(parts: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def _pickle_bytes(content: bytes, rng: random.Random) -> bytes:
    return _members(content, rng, lambda name: name.endswith(".pkl"))


def _storage_bytes(content: bytes, rng: random.Random) -> bytes:
    return _members(content, rng, lambda name: not name.endswith(".pkl"))


def _hostile_value(value: Any, rng: random.Random) -> Any:
    """Something else in the place of ``value``."""
    if isinstance(value, torch.Tensor) and rng.random() < 0.8:
        return _hostile_tensor(value, rng)
    if isinstance(value, str) and len(value) > 200 and rng.random() < 0.8:
        return _bytes(value.encode(), rng).decode("utf-8", "replace")
    return rng.choice(
        (
            *(None, True, -1, 0, 10**30, 10**400, 1e308, float("nan"), float("inf"), 0.5, ""),
            *("x" * 5000, "\ud800", "../../etc", [], {}, [[[]]], {"a": {}}, torch.zeros(3)),
            *(torch.zeros(()), rng.random(), rng.randrange(300), str(rng.randrange(300))),
        )
    )


def _hostile_tensor(value: torch.Tensor, rng: random.Random) -> Any:
    changes: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (
        lambda x: x[:1] if x.ndim else x.reshape(1),
        lambda x: x.flatten(),
        lambda x: x.repeat(*([3] * max(1, x.ndim))),
        lambda x: x.t() if x.ndim == 2 else x,
        lambda x: x.new_zeros(1).expand(x.shape) if x.ndim else x,
        lambda x: x.double(),
        lambda x: x.half(),
        lambda x: x.to(torch.uint8),
        lambda x: x.new_zeros(()),
        lambda x: x.new_zeros(0),
        lambda x: x * 1e30 if x.is_floating_point() else x + 1,
        lambda x: x * float("nan") if x.is_floating_point() else x.flip(0),
        lambda x: -x if x.is_floating_point() else x,
        lambda x: torch.empty_like(x, device="meta"),
        lambda x: x.to_sparse() if x.ndim and x.is_floating_point() else x,
        lambda x: x.as_strided((2**10, 2**10), (0, 0)),
    )
    return rng.choice(changes)(value.clone())


def _replace_deep(tree: Any, rng: random.Random, replace: Callable[..., Any]) -> Any:
    """``tree`` with one of its values, at whatever depth, made into something else."""
    if isinstance(tree, dict) and tree and rng.random() < 0.9:
        changed = dict(tree)
        name = rng.choice(list(changed))
        fate = rng.random()
        if fate < 0.08:
            del changed[name]
        elif fate < 0.12:
            changed[rng.choice(("x", 99, "params"))] = changed.pop(name)
        else:
            changed[name] = _replace_deep(changed[name], rng, replace)
        return changed
    if isinstance(tree, list | tuple) and tree and rng.random() < 0.9:
        items = list(tree)
        place = rng.randrange(len(items))
        items[place] = _replace_deep(items[place], rng, replace)
        return type(tree)(items)
    return replace(tree, rng)


def _checkpoint_values(content: bytes, rng: random.Random) -> bytes:
    stored = torch.load(io.BytesIO(content), weights_only=True)
    for _ in range(rng.choice((1, 1, 2, 5))):
        stored = _replace_deep(stored, rng, _hostile_value)
    buffer = io.BytesIO()
    torch.save(stored, buffer)
    return buffer.getvalue()


def _array_headers(content: bytes, rng: random.Random) -> bytes:
    """Other words in an array's header, with the length that they have."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(parts))
    length = struct.unpack_from("<H", parts[name], 8)[0]
    text, values = parts[name][10 : 10 + length], parts[name][10 + length :]
    words = rng.choice(
        (
            (b"40", str(rng.choice(_NUMBERS)).encode()),
            (b"6, 5", str(rng.choice(_NUMBERS)).encode()),
            (b"False", b"True"),
            (b"|u1", rng.choice((b"<f8", b"|O", b"<U9", b"|V9", b"<c8", b">i8", b"|b1"))),
            (b"<f4", rng.choice((b"<f2", b">f8", b"|i1", b"<M8[s]", b"<f16"))),
            (b"(", b"(" * rng.choice((2, 300, 9000))),
            (b"'shape'", b"'shapes'"),
        )
    )
    text = text.replace(*words)
    if rng.random() < 0.3:
        text = _bytes(text, rng)
    if rng.random() < 0.3:
        values = values[: rng.randrange(len(values) + 1)] + rng.randbytes(rng.choice((0, 9)))
    header = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) % 65536)
    parts[name] = header + text + values
    return _pack(parts, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def _array_members(content: bytes, rng: random.Random) -> bytes:
    return _members(content, rng, lambda _: True)


def _hostile_json(value: Any, rng: random.Random) -> Any:
    del value
    return rng.choice(
        (
            *(None, True, -1, 10**30, 1e308, float("inf"), "", "x" * 3000, [], {}, [[[]]]),
            *("../../../../etc/passwd", "/dev/zero", "member-1.pt", "\ud800", "a\0b"),
            *(rng.random(), rng.randrange(9), {"latent_dim": 10**9}),
        )
    )


def _manifest_values(content: bytes, rng: random.Random) -> bytes:
    manifest = json.loads(content)
    for _ in range(rng.choice((1, 1, 3))):
        manifest = _replace_deep(manifest, rng, _hostile_json)
    return json.dumps(manifest).encode()


def _manifest_texts(content: bytes, rng: random.Random) -> bytes:
    """What JSON allows and nobody writes."""
    numbers = (b"1e999", b"-1e999", b"NaN", b"1" * 5000, b"[" * 50_000, b'{"a":' * 50_000)
    return content.replace(rng.choice((b"5", b"0.001", b"null", b"3")), rng.choice(numbers))


def _png_chunks(content: bytes, rng: random.Random) -> bytes:
    """A changed chunk of a PNG under its right checksum; other pictures as ``_bytes``."""
    if not content.startswith(b"\x89PNG"):
        return _bytes(content, rng)
    parts, place = [], 8
    while place + 12 <= len(content):
        length = struct.unpack_from(">I", content, place)[0]
        parts.append(content[place + 4 : place + 8 + length])
        place += 12 + length
    chosen = rng.randrange(len(parts))
    kind, body = parts[chosen][:4], parts[chosen][4:]
    if kind == b"IDAT" and rng.random() < 0.5:
        body = zlib.compress(_bytes(zlib.decompress(body), rng))
    else:
        body = _bytes(body, rng)
    parts[chosen] = kind + body
    packed = [
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    ]
    return content[:8] + b"".join(packed)


def _sizes(content: bytes, rng: random.Random) -> bytes:
    """Another width or height wherever the picture says its own."""
    side = rng.choice((30, 40))
    layout = rng.choice(("<H", ">H", "<I", ">I"))
    number = rng.choice(_NUMBERS) % 256 ** struct.calcsize(layout)
    return content.replace(struct.pack(layout, side), struct.pack(layout, number))


_DEEP: dict[str, tuple[Callable[[bytes, random.Random], bytes], ...]] = {
    "checkpoint": (_pickle_bytes, _storage_bytes, _checkpoint_values, _checkpoint_values),
    "manifest": (_manifest_values, _manifest_values, _manifest_texts),
    "npz": (_array_headers, _array_members),
    "picture": (_png_chunks, _sizes),
}

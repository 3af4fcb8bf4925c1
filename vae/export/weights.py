"""Trained networks as one compact binary, which a browser reads to run them itself.

Layout, little-endian: ``VAEW``, the format's version and the header's length (uint32 each), the
header (JSON, padded with spaces to a multiple of 4), then the blocks that the header points into,
each at a multiple of 4 from the header's end. A matrix is integers of a few bits with a scale for
each row (float16); vectors, and the two small matrices at the latents, are float16.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.errors import CheckpointError
from vae.wire import tensor_files

MAGIC = b"VAEW"
VERSION = 1
# (encoder, decoder), bits for each weight. Rounding costs most where the likelihood is narrow: an
# error counts 1/sigma^2, and a continuous Bernoulli's logits reach -512 on black.
_BITS = {"bernoulli": (8, 8), "counter-biased": (8, 8), "continuous-bernoulli": (9, 11)}
_WIDE_BITS = (7, 7)
_NARROW_BITS = (10, 10)
# A fixed sigma from here on is a wide Gaussian.
_WIDE = 0.5
BITS = tuple(
    sorted({bits for pair in (*_BITS.values(), _WIDE_BITS, _NARROW_BITS) for bits in pair})
)
"""The bits that weights may come in, ascending."""
# A code of few numbers is narrow in each of them.
_FEW_LATENTS = 4
# What a likelihood has learned itself; a scale travels as a number.
_LIKELIHOODS_OWN = ("likelihood.table", "likelihood.bias")
# The engine's bound on a learned scale, which it applies with torch.
MIN_LOG_SCALE = -6.0
CODES = 500


@dataclass(frozen=True)
class Network:
    """A trained VAE as it lies in a checkpoint: settings, (height, width), tensors by name.

    ``kl_per_latent``: nats over the test set, where somebody has measured it.
    """

    config: TrainConfig
    image_shape: tuple[int, int]
    step: int
    tensors: Mapping[str, np.ndarray]
    kl_per_latent: tuple[float, ...] | None = None

    @property
    def scale(self) -> float | None:
        """The standard deviation of a pixel; None where the likelihood has none."""
        kind = BELIEFS[self.config.likelihood].scale
        if kind == "learned":
            free = float(self.tensors["likelihood.free_log_scale"])
            above = np.logaddexp(0.0, free - MIN_LOG_SCALE)
            return float(np.exp(MIN_LOG_SCALE + above))
        if kind == "fitted":
            return float(np.sqrt(self.tensors["likelihood.variance"]))
        return self.config.scale if kind == "fixed" else None

    def encode(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and logvar of q(z|x), (B, d) each, for pixels x (B, D) in [0, 1]."""
        weights = {name: values.astype(np.float32) for name, values in self.tensors.items()}
        if self.config.architecture == "linear":
            mean = (x - weights["encoder.centre"]) @ weights["encoder.mean.weight"].T
            return mean, np.broadcast_to(weights["encoder.logvar"], mean.shape)
        hidden = x @ weights["encoder.hidden.weight"].T + weights["encoder.hidden.bias"]
        head = np.maximum(hidden, 0) @ weights["encoder.head.weight"].T
        mean, logvar = np.split(head + weights["encoder.head.bias"], 2, axis=1)
        return mean, logvar


@dataclass(frozen=True)
class Look:
    """How a network is called and marked wherever it appears: text, and a colour as #rrggbb."""

    label: str
    colour: str


@dataclass(frozen=True)
class Sample:
    """Test images that the networks did not learn from: uint8 (n, h, w), labels (n,), names."""

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]


def read_network(path: str | Path) -> Network:
    """The network in a checkpoint or in exported weights.

    Raises:
        CheckpointError: missing, damaged, or not a checkpoint of this program.
    """
    try:
        stored = tensor_files.read(Path(path))
        height, width = stored["data"]["image_shape"]
        network = Network(
            TrainConfig.from_dict(stored["config"]),
            (int(height), int(width)),
            int(stored["step"]),
            dict(stored["weights"]),
        )
        _check_shapes(network)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:
        # What a damaged or hostile archive raises is anybody's guess.
        raise CheckpointError(f"{path}: not a checkpoint of this program ({error})") from error
    return network


def pack(
    networks: Sequence[Network],
    looks: Sequence[Look],
    sample: Sample | None = None,
    *,
    exact: bool = False,
) -> bytes:
    """The binary of ``networks``, which all read images of one size.

    With a ``sample`` each network's codes of its first images go along, for a map. A KL for each
    latent that nobody has measured is measured on them; without them the decoder's own weights
    rank the latents.
    ``exact`` keeps 16 bits a weight.

    Raises:
        ValueError: no network, networks for images of different sizes, or one without a look.
    """
    if not networks or len(networks) != len(looks):
        raise ValueError(f"networks: {len(networks)} with {len(looks)} looks given; 1 each needed")
    shapes = {network.image_shape for network in networks}
    if len(shapes) > 1:
        raise ValueError(f"networks: for images of {sorted(shapes)} given; allowed is one size")
    height, width = shapes.pop()
    if sample is not None and sample.images.shape[1:] != (height, width):
        sample = None
    blocks = _Blocks()
    header: dict[str, Any] = {"height": height, "width": width, "networks": []}
    if sample is not None:
        labels = sample.labels[:CODES].astype(np.uint8)
        header["labels"] = blocks.add(labels.tobytes(), len(labels))
        header["names"] = list(sample.names)
    for network, look in zip(networks, looks, strict=True):
        header["networks"].append(_describe(network, look, sample, blocks, exact))
    return _join(header, blocks)


class _Blocks:
    """Blocks one after another, each at a multiple of 4."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0

    def add(self, data: bytes, count: int, bits: int = 8) -> dict[str, int]:
        place = {"at": self._size, "count": count, "bits": bits}
        padded = data + bytes(-len(data) % 4)
        self.parts.append(padded)
        self._size += len(padded)
        return place

    def add_floats(self, values: np.ndarray) -> dict[str, int]:
        flat = np.ascontiguousarray(values, "<f2")
        return self.add(flat.tobytes(), flat.size, 16)


def _join(header: Mapping[str, Any], blocks: _Blocks) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return MAGIC + struct.pack("<II", VERSION, len(text)) + text + b"".join(blocks.parts)


def _describe(
    network: Network, look: Look, sample: Sample | None, blocks: _Blocks, exact: bool
) -> dict[str, Any]:
    config, belief = network.config, BELIEFS[network.config.likelihood]
    tensors = {
        name: _add_tensor(values, 16 if exact else _bits(network, name), blocks)
        for name, values in network.tensors.items()
        if not name.startswith("likelihood.") or name in _LIKELIHOODS_OWN
    }
    described = {
        "label": look.label,
        "colour": look.colour,
        "likelihood": config.likelihood,
        "scale": network.scale,
        "squash": config.architecture != "linear",
        "dequantised": belief.dequantised,
        "architecture": config.architecture,
        "latents": config.latent_dim,
        "reduction": config.reduction,
        "beta": config.beta if config.sampling else 0.0,
        "step": network.step,
        "tensors": tensors,
    }
    return {**described, **_measure(network, sample, blocks)}


def _bits(network: Network, name: str) -> int:
    """How many bits each number of a tensor takes."""
    # The matrices at the latents are small, and all of a code passes through them.
    small = (*_LIKELIHOODS_OWN, "encoder.head.weight", "decoder.hidden.weight")
    if network.tensors[name].ndim < 2 or name in small:
        return 16
    config = network.config
    wide = config.likelihood == "gaussian" and config.scale >= _WIDE
    encoder, decoder = _BITS.get(config.likelihood, _WIDE_BITS if wide else _NARROW_BITS)
    if config.latent_dim <= _FEW_LATENTS:
        encoder, decoder = max(encoder, 10), max(decoder, 10)
    return encoder if name.startswith("encoder.") else decoder


def as_read(network: Network, name: str) -> np.ndarray:
    """A tensor of ``network`` as a reader of its binary has it, float32."""
    values, bits = network.tensors[name], _bits(network, name)
    if name.startswith("likelihood.") and name not in _LIKELIHOODS_OWN:
        return values.astype(np.float32)
    return values.astype(np.float16).astype(np.float32) if bits == 16 else dequantise(values, bits)


def _add_tensor(values: np.ndarray, bits: int, blocks: _Blocks) -> dict[str, Any]:
    described: dict[str, Any] = {"shape": list(values.shape)}
    if bits == 16:
        return {**described, "values": blocks.add_floats(values)}
    scales, integers = quantise(values, bits)
    return {
        **described,
        "values": blocks.add(_pack_bits(integers, bits), integers.size, bits),
        "scales": blocks.add_floats(scales),
    }


def quantise(matrix: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Row scales (rows,) float16, and integers of ``bits`` bits: the matrix is nearly their
    product, wrong by at most half a scale.
    """
    most = 2 ** (bits - 1) - 1
    values = matrix.astype(np.float32)
    largest = np.abs(values).max(axis=1)
    # Rounded up, so that the largest weight still fits; a row of zeros needs any scale.
    scales = np.nextafter((largest / most).astype(np.float16), np.float16(np.inf))
    integers = np.rint(values / scales[:, None].astype(np.float32)).astype(np.int32)
    return scales, np.clip(integers, -most, most)


def dequantise(matrix: np.ndarray, bits: int) -> np.ndarray:
    """``matrix`` as a reader of the binary sees it, float32."""
    scales, integers = quantise(matrix, bits)
    return integers.astype(np.float32) * scales[:, None].astype(np.float32)


def _pack_bits(integers: np.ndarray, bits: int) -> bytes:
    """Offset binary, the lowest bit of each first, without gaps."""
    shifted = (integers.reshape(-1) + 2 ** (bits - 1)).astype(np.uint16)
    planes = (shifted[:, None] >> np.arange(bits, dtype=np.uint16)) & 1
    return np.packbits(planes.astype(np.uint8), bitorder="little").tobytes()


def _measure(network: Network, sample: Sample | None, blocks: _Blocks) -> dict[str, Any]:
    """KL for each latent, and codes in the two latents that have most of it."""
    kl, codes = network.kl_per_latent, None
    if sample is not None:
        images = sample.images[:CODES]
        mean, logvar = network.encode(images.reshape(len(images), -1).astype(np.float32) / 255)
        kl = kl or tuple((0.5 * (np.square(mean) + np.exp(logvar) - 1 - logvar)).mean(0).tolist())
    weight = network.tensors.get("decoder.hidden.weight", network.tensors.get("decoder.weight"))
    assert weight is not None
    strength = kl or tuple(np.square(weight.astype(np.float32)).sum(0).tolist())
    ranked = np.argsort(-np.asarray(strength), kind="stable")
    if sample is not None:
        codes = blocks.add_floats(np.clip(mean[:, ranked[:2]], -60000, 60000))
    return {
        "ranked": ranked.tolist(),
        "klPerLatent": [round(value, 4) for value in kl] if kl else None,
        "codes": codes,
    }


def _check_shapes(network: Network) -> None:
    """Raises ``ValueError`` when a tensor is absent, of another shape, or not finite."""
    config = network.config
    height, width = network.image_shape
    pixels, latents, hidden = height * width, config.latent_dim, config.hidden_dim
    numbers = BELIEFS[config.likelihood].outputs
    outputs = pixels * numbers
    expected: dict[str, tuple[int, ...]]
    if config.architecture == "linear":
        expected = {
            "encoder.mean.weight": (latents, pixels),
            "encoder.logvar": (latents,),
            "encoder.centre": (pixels,),
            "decoder.weight": (outputs, latents),
            "decoder.bias": (outputs,),
        }
    else:
        expected = {
            "encoder.hidden.weight": (hidden, pixels),
            "encoder.hidden.bias": (hidden,),
            "encoder.head.weight": (2 * latents, hidden),
            "encoder.head.bias": (2 * latents,),
            "decoder.hidden.weight": (hidden, latents),
            "decoder.hidden.bias": (hidden,),
            "decoder.head.weight": (outputs, hidden),
            "decoder.head.bias": (outputs,),
        }
    if config.likelihood == "categorical":
        expected |= {"likelihood.table": (numbers, 256), "likelihood.bias": (256,)}
    for name, shape in expected.items():
        if network.tensors[name].shape != shape:
            raise ValueError(f"{name}: shape {network.tensors[name].shape}, not {shape}")
        if not np.isfinite(network.tensors[name]).all():
            raise ValueError(f"{name}: it holds what is no number")

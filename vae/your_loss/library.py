"""Which operation a dotted name of a library stands for."""

from collections.abc import Mapping

from vae.your_loss import (
    chainer_names,
    distributions,
    losses,
    operations,
    other_losses,
    shaping,
)
from vae.your_loss.operations import Call, Operation
from vae.your_loss.values import LossObject

# Names that code uses without its imports being pasted.
ALIASES: Mapping[str, str] = {
    "torch": "torch",
    "F": "torch.nn.functional",
    "nn": "torch.nn",
    "td": "torch.distributions",
    "dist": "torch.distributions",
    "dists": "torch.distributions",
    "distributions": "torch.distributions",
    "tdist": "torch.distributions",
    "distrib": "torch.distributions",
    "tf": "tensorflow",
    "tensorflow": "tensorflow",
    "keras": "keras",
    "K": "keras.backend",
    "ops": "keras.ops",
    "losses": "keras.losses",
    "objectives": "keras.losses",
    "metrics": "keras.losses",
    "layers": "keras.layers",
    "tfp": "tensorflow_probability",
    "tfd": "tensorflow_probability.distributions",
    "ds": "tensorflow_probability.distributions",
    "jax": "jax",
    "jnp": "jax.numpy",
    "lax": "jax.lax",
    "random": "jax.random",
    "optax": "optax",
    "pyro": "pyro",
    "numpyro": "numpyro",
    "flax": "flax",
    "distrax": "distrax",
    "hk": "haiku",
    "nnx": "flax.nnx",
    "np": "numpy",
    "onp": "numpy",
    "numpy": "numpy",
    "math": "math",
    "functools": "functools",
    "partial": "functools.partial",
    "vmap": "jax.vmap",
    "jit": "jax.jit",
    "grad": "jax.grad",
    "value_and_grad": "jax.value_and_grad",
    "mx": "mxnet",
    "Lambda": "keras.layers.Lambda",
    "Input": "keras.Input",
    "Dense": "keras.layers.Dense",
    "mse": "keras.losses.mse",
    "binary_crossentropy": "keras.losses.binary_crossentropy",
    "mean_squared_error": "keras.losses.mean_squared_error",
    "mean_absolute_error": "keras.losses.mean_absolute_error",
    "Normal": "torch.distributions.Normal",
    "Bernoulli": "torch.distributions.Bernoulli",
    "Laplace": "torch.distributions.Laplace",
    "Independent": "torch.distributions.Independent",
    "MultivariateNormal": "torch.distributions.MultivariateNormal",
    "kl_divergence": "torch.distributions.kl_divergence",
    "MSELoss": "torch.nn.MSELoss",
    "L1Loss": "torch.nn.L1Loss",
    "BCELoss": "torch.nn.BCELoss",
    "BCEWithLogitsLoss": "torch.nn.BCEWithLogitsLoss",
    "mse_loss": "torch.nn.functional.mse_loss",
    "l1_loss": "torch.nn.functional.l1_loss",
    "binary_cross_entropy": "torch.nn.functional.binary_cross_entropy",
}
# Those of them that no function of one's own is called by.
HANDED_ON = frozenset({"torch", "nn", "F", "np", "tf", "K", "keras", "jax", "jnp", "optax"})
FRAMEWORKS: Mapping[str, str] = {
    "torch": "torch",
    "pyro": "torch",
    "einops": "torch",
    "tensorflow": "tf",
    "tensorflow_probability": "tf",
    "keras": "tf",
    "jax": "jax",
    "optax": "jax",
    "flax": "jax",
    "distrax": "jax",
    "numpyro": "jax",
    "haiku": "jax",
    "numpy": "numpy",
    "math": "numpy",
    "scipy": "numpy",
    "sklearn": "numpy",
    "cupy": "numpy",
    "theano": "numpy",
    "lasagne": "numpy",
    "chainer": "numpy",
    "mxnet": "numpy",
    "mlx": "jax",
    "paddle": "torch",
    "jittor": "torch",
    "oneflow": "torch",
    "megengine": "torch",
    "lightning": "torch",
}
CONSTANTS: Mapping[str, object] = {
    "pi": 3.141592653589793,
    "e": 2.718281828459045,
    "inf": float("inf"),
    "newaxis": None,
}
DTYPES = frozenset(
    [
        "float16",
        "float32",
        "float64",
        "bfloat16",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "bool",
        "long",
        "float",
        "double",
        "half",
        "int",
        "FloatTensor",
        "LongTensor",
        "DoubleTensor",
    ]
)
NO_GRADIENT = frozenset({"no_grad", "inference_mode", "stop_recording"})
# Layers that are plain functions.
_LAYERS: Mapping[str, str] = {
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Tanh": "tanh",
    "ReLU": "relu",
    "Identity": "identity",
    "Flatten": "batch_flatten",
    "LogSigmoid": "logsigmoid",
}


def framework_of(path: str) -> str:
    return FRAMEWORKS.get(path.split(".", 1)[0], "")


def find(
    path: str, named: Mapping[str, object], *, first_tensorflow: bool = False
) -> Operation | None:
    """The operation that ``path`` stands for, or None where the vocabulary has none."""
    framework = framework_of(path)
    if not framework:
        return None
    parts = path.split(".")
    last = parts[-1]
    if (own := _own_table(parts)) and last in own:
        return own[last]
    if "losses" in parts or "metrics" in parts or "objectives" in parts:
        return _find_loss(framework, parts, last, named, first_tensorflow)
    if "stats" in parts:
        return distributions.SCIPY.get(".".join(parts[-2:]))
    if parts[0] == "einops":
        return shaping.EINOPS.get(last)
    if path.startswith("optax."):
        return losses.OTHERS.get(f"optax.{last}")
    if "backend" in parts and last == "binary_crossentropy":
        return losses.OTHERS["K.binary_crossentropy"]
    if last.endswith("categorical_crossentropy") and {"backend", "ops"} & set(parts):
        return losses.KERAS[last]
    if last == "binary_crossentropy" and "ops" in parts:
        return losses.OTHERS["K.binary_crossentropy"]
    if framework == "torch":
        found = losses.TORCH.get(last) or losses.TORCH_OBJECTS.get(last)
        if found:
            return found
    if last in losses.OTHERS and framework in ("tf", "jax"):
        return losses.OTHERS[last]
    if last in distributions.TABLE and (framework == "torch" or _is_density(parts)):
        return distributions.TABLE[last]
    if last in _LAYERS and len(parts) > 1:
        return _layer(_LAYERS[last])
    if "layers" in parts and last == "flatten":
        return operations.TABLE.get("batch_flatten") or shaping.TABLE.get("batch_flatten")
    if "layers" in parts or (parts[0] == "torch" and "nn" in parts and "functional" not in parts):
        return operations.TABLE.get(last) if last[0].islower() else None
    if last in DTYPES and last not in ("FloatTensor",):
        return shaping.TABLE.get(last) or shaping.identity
    return operations.TABLE.get(last) or shaping.TABLE.get(last)


def _own_table(parts: list[str]) -> Mapping[str, Operation]:
    """The names that one library has to itself."""
    if parts[0] == "chainer":
        return chainer_names.TABLE
    if parts[0] == "mxnet":
        return other_losses.GLUON if "loss" in parts else {}
    if parts[0] == "mlx":
        return other_losses.MLX if "losses" in parts else {}
    theano = parts[0] == "lasagne" or (parts[0] == "theano" and "nnet" in parts)
    return other_losses.THEANO if theano else {}


def _is_density(parts: list[str]) -> bool:
    return parts[0] in ("tensorflow_probability", "distrax", "numpyro") or "distributions" in parts


def _find_loss(
    framework: str, parts: list[str], last: str, named: Mapping[str, object], old_code: bool
) -> Operation | None:
    if framework == "numpy":
        return losses.OTHERS.get(f"sklearn.{last}")
    old = losses.OTHERS.get(f"old.{last}")
    first_version = parts[0] == "tensorflow" and "keras" not in parts
    old_code = old_code or bool({"labels", "predictions", "logits"} & set(named))
    if old and first_version and (old_code or "v1" in parts):
        return old
    return losses.KERAS.get(last) or (old if first_version else None)


def _layer(name: str) -> Operation:
    operation = operations.TABLE.get(name) or shaping.TABLE[name]

    def build(call: Call) -> object:
        return LossObject(lambda inner: operation(inner), name, dict(call.named))

    return build


def method(name: str) -> Operation | None:
    """The operation of a method of an array."""
    return operations.TABLE.get(name) or shaping.TABLE.get(name)

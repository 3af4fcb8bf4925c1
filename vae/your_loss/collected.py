"""Collections of the first TensorFlow: losses that are put away, and summed where they are used."""

from typing import Any

from vae.your_loss.builtins_table import BUILTINS
from vae.your_loss.graph import Node
from vae.your_loss.values import Library, Opaque

LOSSES = "losses"
_GIVES = ("get_losses", "get_total_loss", "get_collection")
_TAKES = ("add_loss", "add_to_collection")


def call(state: Any, path: str, args: list[Any], named: dict[str, Any]) -> Any:
    """What a call of a collection gives; None for any other call, and where nothing is in it."""
    last = path.rpartition(".")[2]
    if not path.startswith("tensorflow.") or last not in (*_GIVES, *_TAKES):
        return None
    of_losses = ".losses." in path
    if of_losses != (last not in ("get_collection", "add_to_collection")):
        return None
    name = LOSSES if of_losses else _name(args[0] if args else named.get("key", named.get("name")))
    if last in _TAKES:
        keep(state, name, args[0 if of_losses else 1 :])
        return Opaque(f"{last}(...)", "call", state.line, callee=last)
    kept = state.held.get(f"collection:{name}")
    if not kept:
        return None
    return BUILTINS["sum"](state, [kept], {}) if last == "get_total_loss" else list(kept)


def keep(state: Any, name: str, values: list[Any]) -> None:
    """Put the first of ``values`` into the collection ``name``."""
    if name and values:
        state.held.setdefault(f"collection:{name}", []).append(values[0])


def keep_loss(state: Any, path: str, found: Any) -> None:
    """``tf.losses.mean_squared_error(...)`` is put away by itself."""
    first = state.setup.first_tensorflow and path.startswith("tensorflow.")
    if first and ".losses." in path and ".keras." not in path and isinstance(found, Node):
        keep(state, LOSSES, [found])


def _name(value: Any) -> str:
    if isinstance(value, Library):
        return value.path.rpartition(".")[2].lower()
    return value if isinstance(value, str) else ""

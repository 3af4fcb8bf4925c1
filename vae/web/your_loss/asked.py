"""What somebody asks to have read, as one value that a link carries whole.

Nothing here knows Streamlit. A link comes from anybody: it is unpacked within bounds, and its
parts are plain text until ``vae.your_loss`` reads them.
"""

import base64
import binascii
import json
import keyword
import re
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from vae.config import WrongValue
from vae.memo import shared
from vae.your_loss import ROLES, ClinicEntry, Reading, clinic, read

EXAMPLE = """\
def loss_function(x_hat, x, mu, logvar):
    error = F.mse_loss(x_hat, x)
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
    return error + kl
"""
LONGEST_CODE = 20_000
"""Characters of a field: some 500 lines; a browser sends all fields at each action."""
LONGEST_FIELD = 60_000
"""Characters that a field takes: what is longer than is read gets a sentence and stays there."""
LONGEST_LINK = 8_000
_LONGEST_KEPT = 120_000
_LONGEST_SIZE = 40
_LONGEST_VALUE = 60
_MOST_PAIRS = 64
_MOST_NAMES = 100
OWN = frozenset({"loss", "question"})
"""The query parameters that are this page's."""
RANGES: Mapping[str, tuple[str, Any]] = {
    "auto": ("as the code shows", "auto"),
    "unit": ("0 to 1", (0.0, 1.0)),
    "signed": ("−1 to 1", (-1.0, 1.0)),
    "bytes": ("0 to 255", (0.0, 255.0)),
    "standardised": ("standardised", None),
}
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asked:
    """A pasted loss, what its reader says of it, and a second loss to compare with.

    ``image``, ``latents`` and ``batch`` are texts, empty where the code is to say, as is
    ``function``, the one that is meant of several losses; ``span`` is a key of ``RANGES``.
    ``constants`` and ``roles`` are pairs of a name in the code and its value
    or role, sorted.
    """

    code: str = EXAMPLE
    second: str = ""
    image: str = ""
    latents: str = ""
    batch: str = ""
    span: str = "auto"
    function: str = ""
    constants: Pairs = field(default=())
    roles: Pairs = field(default=())

    def with_code(self, code: str) -> "Asked":
        """Another code: what was said of names counts where they still occur in it.

        Sizes stay, but for those of a question, which are no reader's.
        """
        if question_of(self) is not None:
            return Asked(code=code, second=self.second)
        constants, roles = (
            tuple(pair for pair in pairs if pair[0] in code)
            for pairs in (self.constants, self.roles)
        )
        meant = self.function if self.function.rpartition(".")[2] in code else ""
        return replace(self, code=code, constants=constants, roles=roles, function=meant)

    def to_query(self) -> dict[str, str]:
        """Query parameters; empty for the example, and where the code is too long for a link."""
        if (entry := question_of(self)) is not None:
            return {"question": entry.id}
        if self == Asked():
            return {}
        if max(len(self.code), len(self.second)) > LONGEST_CODE:
            return {}
        text = pack(self)
        return {"loss": text} if len(text) <= LONGEST_LINK else {}

    @property
    def fits_a_link(self) -> bool:
        return self == Asked() or bool(self.to_query())


def of_question(entry: ClinicEntry) -> Asked:
    """A question of the clinic, as if its loss had been pasted."""
    given = entry.settings
    span = given.get("data_range", "auto")
    wanted = tuple(span) if isinstance(span, list) else span
    return Asked(
        code=entry.code,
        image=str(given.get("image", "")),
        latents=str(given.get("latents", "")),
        batch=str(given.get("batch", "")),
        span=next((name for name, (_, value) in RANGES.items() if value == wanted), "auto"),
        constants=_pairs(given.get("constants", {})),
        roles=_pairs(given.get("roles", {})),
    )


def question_of(asked: Asked) -> ClinicEntry | None:
    """The clinic's question that ``asked`` is, where it is one."""
    return _by_asked().get(asked)


@shared(maxsize=1)
def _by_asked() -> Mapping[Asked, ClinicEntry]:
    return {of_question(entry): entry for entry in clinic()}


def questions() -> Mapping[str, ClinicEntry]:
    """The clinic's questions by their id, in their order."""
    return {entry.id: entry for entry in clinic()}


def from_query(query: Mapping[str, str]) -> tuple[Asked, tuple[WrongValue, ...]]:
    """What an address asks for, and a note for each part that cannot be used."""
    if (name := query.get("question")) is not None:
        found = questions().get(name)
        if found is not None:
            return of_question(found), ()
        needed = "the name of a question that this page lists"
        return Asked(), (WrongValue("question", name, needed, "The page opens with its example."),)
    if (text := query.get("loss")) is not None:
        asked = unpack(text)
        if asked is not None:
            return asked, ()
        needed = f"a link that this page made, of at most {LONGEST_LINK} characters,"
        return Asked(), (WrongValue("loss", text, needed, "The page opens with its example."),)
    return Asked(), ()


def pack(asked: Asked) -> str:
    """``asked`` as text for an address."""
    default = Asked()
    changed = {
        spec.name: getattr(asked, spec.name)
        for spec in fields(Asked)
        if getattr(asked, spec.name) != getattr(default, spec.name)
    }
    raw = zlib.compress(json.dumps(changed, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def unpack(text: str) -> Asked | None:
    """The value that ``pack`` made a link's text of; None for anything else, whatever its size."""
    return _unpack(text, LONGEST_LINK, LONGEST_CODE)


def unpack_kept(text: str) -> Asked | None:
    """The same of what a browser's tab has kept because no link could carry it."""
    return _unpack(text, _LONGEST_KEPT, LONGEST_FIELD)


def _unpack(text: str, longest: int, longest_code: int) -> Asked | None:
    if len(text) > longest:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        # Both codes, each sign escaped as a surrogate pair at worst, and what little else there is.
        plain = unpacking.decompress(raw, 2 * 12 * longest_code + 100_000)
        if not unpacking.eof:
            return None
        return _parse(json.loads(plain), longest_code)
    # json's own recursion on brackets, and what a wrong type raises.
    except (binascii.Error, zlib.error, ValueError, TypeError, RecursionError):
        return None


def _parse(given: Any, longest_code: int) -> Asked | None:
    if not isinstance(given, dict) or not given.keys() <= {spec.name for spec in fields(Asked)}:
        return None
    texts = {name: value for name, value in given.items() if name not in ("constants", "roles")}
    for name, value in texts.items():
        most = _LONGEST_VALUE if name == "function" else _LONGEST_SIZE
        if name in ("code", "second"):
            most = longest_code
        if not _is_text(value, most):
            return None
    pairs = {name: given.get(name, []) for name in ("constants", "roles")}
    for value in pairs.values():
        if not (
            isinstance(value, list) and len(value) <= _MOST_PAIRS and all(map(_is_pair, value))
        ):
            return None
    constants, roles = (_pairs(dict(pairs[name])) for name in ("constants", "roles"))
    asked = replace(Asked(**texts), constants=constants, roles=roles)
    good = asked.span in RANGES and all(role in ROLES for _, role in roles)
    return asked if good else None


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(
            _is_text(part, most) for part, most in zip(value, (200, _LONGEST_VALUE), strict=True)
        )
    )


def _is_text(value: Any, most: int) -> bool:
    """Whether ``value`` can be shown: half a surrogate pair cannot be sent to a browser."""
    if not isinstance(value, str) or len(value) > most:
        return False
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _pairs(given: Mapping[str, Any]) -> Pairs:
    return tuple(sorted((str(name), str(value)) for name, value in given.items()))


def names_in(asked: Asked) -> list[str]:
    """Names of the code that may stand for a picture, a mean, a scale: no calls, no keywords."""
    code = re.sub(r"#[^\n]*", "", asked.code)
    found = re.findall(r"(?<![\w.\"'])[^\W\d]\w*(?![\w.\"']|\s*\()", code)
    names = dict.fromkeys(name for name in found if not keyword.iskeyword(name))
    return list(names)[:_MOST_NAMES]


def read_first(asked: Asked) -> Reading:
    """The reading of what is asked.

    Raises ``ValueError`` for a size that is none, and for a code that is too long.
    """
    return _read(replace(asked, second=""))


def read_second(asked: Asked) -> Reading:
    """The reading of the second loss, with the sizes and the named numbers of the first."""
    return _read(replace(asked, code=asked.second, second="", function=""))


# All share one interpreter: side by side they would all come to an end with the last.
_ONE_AT_A_TIME = threading.Lock()


@shared(maxsize=256)
def _read(asked: Asked) -> Reading:
    if len(asked.code) > LONGEST_CODE:
        raise ValueError(
            f"code: {len(asked.code):,} characters given; at most {LONGEST_CODE:,} are read here. "
            "Paste the loss and what it calls"
        )
    with _ONE_AT_A_TIME:
        return _read_now(asked)


def _read_now(asked: Asked) -> Reading:
    return read(
        asked.code,
        image=asked.image.strip() or None,
        latents=asked.latents.strip() or None,
        batch=_whole("batch", asked.batch),
        data_range=RANGES[asked.span][1],
        constants={name: _value(text) for name, text in asked.constants},
        roles=dict(asked.roles),
        function=asked.function,
    )


def _whole(name: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isdecimal() and len(text) < 10):
        raise ValueError(f"{name}: {text!r} given; a whole number is needed")
    return int(text)


def _value(text: str) -> float | bool | str:
    word = text.strip().lower()
    if word in ("true", "false"):
        return word == "true"
    try:
        return float(word)
    except ValueError:
        return text

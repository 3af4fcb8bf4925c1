"""Numbers as a text writes them, not as a computer does: 1.2 × 10⁻⁷ for 1.2e-07, − for a hyphen."""

import re

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Neither in names, such as "base-10", nor in code that a sentence quotes: "sum(dim=-1)", "x[-1]".
_EXPONENT = re.compile(
    r"(?<![\w.=])(?<!\w[(\[])(-?\d(?:[\d,]*\d)?(?:\.\d+)?)e([+-]?\d+)(?!\w|\.\d)"
)
_HYPHEN = re.compile(r"(?<![\w.)\]=])(?<!\w[(\[])-(?=[\d.])")


def power(exponent: int) -> str:
    """A power of ten: 10⁻⁸."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def written(text: str) -> str:
    """``text``, prose with numbers as Python formats them, with a power of ten and a minus sign.

    No line ends within a number.

    Not for code or addresses, in which they mean something else.
    """

    def with_power(found: re.Match[str]) -> str:
        raised = power(int(found[2]))
        return raised if found[1] == "1" else f"{found[1]}\u00a0×\u00a0{raised}"

    return _HYPHEN.sub("\u2212", _EXPONENT.sub(with_power, text))


def counted(count: int, what: str) -> str:
    """``count`` of ``what``, an English noun in the singular: 1 epoch, 5 epochs."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

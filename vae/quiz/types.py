"""What a question of a section is made of: its choices, and what refutes a wrong one."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Show:
    """What one press sets so that the page itself refutes a wrong answer.

    ``dials`` are values by dial; ``choices`` are labels to press by the key of their control;
    ``anchor`` is the section to look at, where it is another than the question's own.
    """

    dials: Mapping[str, float] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    anchor: str = ""


@dataclass(frozen=True)
class Choice:
    """An answer, and what is said to who gives it. The right one has no ``show``."""

    text: str
    reply: str
    show: Show | None = None

    @property
    def right(self) -> bool:
        return self.show is None


@dataclass(frozen=True)
class Question:
    """One question of a section: exactly one of its two to four choices is right.

    Raises ``ValueError`` on any other number of either.
    """

    page: str
    anchor: str
    ask: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        right = sum(choice.right for choice in self.choices)
        if not 2 <= len(self.choices) <= 4 or right != 1:
            raise ValueError(
                f"choices: {len(self.choices)} given, {right} of them right, in {self.ask!r}; "
                "allowed are two to four, one of them right"
            )

    @property
    def id(self) -> str:
        return f"{self.page}-{self.anchor}"

    @property
    def answer(self) -> int:
        """The index of the right choice."""
        return next(index for index, choice in enumerate(self.choices) if choice.right)

"""What a teacher may ask a room: the sections' questions and Train's predictions, by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from vae.config import TrainConfig, default
from vae.lessons import questions
from vae.lessons.questions import LESSONS
from vae.memo import shared
from vae.quiz import SECTIONS
from vae.quiz.guesses import guess_for
from vae.web.train.loss import prediction

_PAGES = {"derivation": "Derivation", "bias": "Bias", "train": "Train"}


@dataclass(frozen=True)
class Asked:
    """A question as a room shows it. ``answer`` is None where nothing foretells it.

    ``replies`` say of each choice what is right or wrong with it; ``path`` is where it stands. Of
    Train's questions ``lesson`` is the name, ``theory`` what is foretold, and ``kept`` begins the
    words on a run's outcome; of others they are empty.
    """

    id: str
    page: str
    ask: str
    choices: tuple[str, ...]
    replies: tuple[str, ...]
    answer: int | None
    path: str
    lesson: str = ""
    theory: str = ""
    kept: str = ""


@shared(maxsize=1)
def catalogue() -> Mapping[str, Asked]:
    """All questions by their ids, in the order of the pages."""
    found = [
        Asked(
            question.id,
            _PAGES[question.page],
            question.ask,
            tuple(choice.text for choice in question.choices),
            tuple(choice.reply for choice in question.choices),
            question.answer,
            f"{question.page}#{question.anchor}",
        )
        for question in SECTIONS.values()
    ]
    found += [asked for lesson in LESSONS if (asked := _lesson(lesson)) is not None]
    return {asked.id: asked for asked in found}


def _lesson(name: str) -> Asked | None:
    """A question of Train with the settings that it brings; what is right is theory's answer."""
    lesson = LESSONS[name]
    configs = questions.members(TrainConfig(**lesson.settings), lesson.against)
    # Other greys would have to be drawn first; what is asked of them needs no spectrum.
    expected = [prediction(c) if c.grey == default("grey") else None for c in configs]
    guess = guess_for(name, configs, expected)
    if guess is None:
        return None
    answer = None if guess.theory is None else guess.nearest(guess.theory)
    return Asked(
        f"train-{name}",
        _PAGES["train"],
        guess.ask,
        tuple(option.text for option in guess.options),
        tuple(option.overlooks for option in guess.options),
        answer,
        f"train?lesson={name}",
        name,
        guess.theory_text,
        guess.kept,
    )

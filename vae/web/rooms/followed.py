"""What the run that a room follows says of the room's question: Train's, once the run is over."""

from dataclasses import dataclass

from vae.memo import shared
from vae.quiz.guesses import guess_for, outcome
from vae.web.rooms.catalogue import Asked
from vae.web.train import loss, shown, verdict


@dataclass(frozen=True)
class Came:
    """Theory's answer and the run's, in words; ``right`` is the choice that came out so.

    ``right`` is None where the run did not measure it.
    """

    theory: str
    outcome: str
    right: int | None


def came_out(asked: Asked, run: str) -> Came | None:
    """What the finished ``run`` says of ``asked``.

    None while it goes on, where it asks another question, or with other choices: a run with ten
    latents is no answer to "20, 10 or 0?".
    """
    snapshot = shown.look(run) if asked.lesson else None
    if snapshot is None or not verdict.is_over(snapshot):
        return None
    return _came_out(asked, run)


# A finished run stays as it is; a class of 300 asks for it every two seconds.
@shared(maxsize=64)
def _came_out(asked: Asked, run: str) -> Came | None:
    snapshot = shown.look(run)
    if snapshot is None:
        return None
    configs = [member.config for member in snapshot.members]
    guess = guess_for(asked.lesson, configs, [loss.prediction(config) for config in configs])
    if guess is None or tuple(option.text for option in guess.options) != asked.choices:
        return None
    told = outcome(guess, verdict.outcomes(snapshot.members))
    return Came(guess.theory_text, told.text, told.right)

"""Train's question as a prediction, and the verdict that stays folded until one has made it."""

from collections.abc import Sequence

from vae.config import TrainConfig
from vae.runs.snapshots import RunSnapshot
from vae.web import quiz
from vae.web.train import loss, verdict
from vae.web.train.page_state import PageState


def show(page: PageState, snapshot: RunSnapshot | None) -> None:
    """The prediction that the page's question asks for; of a run that is over, what came out."""
    configs: Sequence[TrainConfig] = page.members
    lesson, outcomes = page.lesson, []
    if snapshot is not None:
        configs = tuple(member.config for member in snapshot.members)
        lesson = page.question_of(configs)
        if verdict.is_over(snapshot):
            outcomes = verdict.outcomes(snapshot.members)
    expected = [loss.prediction(config) for config in configs]
    quiz.ask_guess(lesson, configs, expected, outcomes)

"""A browser that has not heard the last answer yet tells of controls as they were before it.

It tells of all of them, at any press and at every poll; what somebody chose just before must stand.
"""

import asyncio

import pytest
from appserver import Server
from benchmarks.client import Session

from vae.lessons.questions import LESSONS
from vae.web.train.page_state import PageState
from vae.web.your_loss.asked import questions


async def choose_and_tell_late(session: Session, label: str, value: object) -> str:
    """The address after ``label`` was set and a message followed that does not know the answer."""
    shown, controls = dict(session.values), dict(session.widgets)
    await session.set(label, value)
    chosen = session.query
    session.widgets = controls | session.widgets
    session.values = {**session.values, **shown}
    for name, widget in controls.items():
        if widget.proto.label == label:
            session.values[name] = value
    await session.rerun()
    await session.close()
    assert session.query == chosen
    return chosen


@pytest.mark.parametrize("lesson", ["binary", "sampling"])
def test_a_question_brings_its_settings_though_the_next_message_tells_of_those_before(
    app: Server, lesson: str
) -> None:
    async def choose() -> str:
        session = await Session(app.url, "train?lesson=pixel-mean&beta=2").open()
        return await choose_and_tell_late(session, "Ask a question", [LESSONS[lesson].name])

    query = asyncio.run(choose())
    assert dict(part.split("=") for part in query.split("&")) == (
        PageState().with_lesson(lesson).to_query()
    )


def test_a_question_that_people_asked_keeps_its_loss_though_the_next_message_tells_of_another(
    app: Server,
) -> None:
    label = "A question that people asked, by what they saw; or paste your own below"

    async def choose() -> str:
        session = await Session(app.url, "your_loss").open()
        [choice] = [each.proto for each in session.widgets.values() if each.proto.label == label]
        return await choose_and_tell_late(session, label, choice.options[0])

    assert asyncio.run(choose()) == f"question={next(iter(questions()))}"

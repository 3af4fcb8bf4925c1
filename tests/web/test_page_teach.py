"""The teachers' page: plans of 10, 45 and 90 minutes whose links open, and links put together."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from page_runs import open_app, text_of

from vae.lessons.plans import PLANS, RATES, machine_seconds
from vae.lessons.questions import LESSONS
from vae.web.teach import build_link

ADDRESSES = sorted({step.address for plan in PLANS for step in plan.steps})


def test_the_plans_are_of_ten_forty_five_and_ninety_minutes():
    assert [plan.minutes for plan in PLANS] == [10, 45, 90]
    text = text_of(open_app("teach"))
    for plan in PLANS:
        assert f"{plan.name}: {plan.minutes} minutes" in text
        for step in plan.steps:
            assert f"]({step.address})" in text


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_plans_link_opens_its_view_without_a_note(address):
    parts = urlsplit(address)
    app = open_app(parts.path or "overview", **dict(parse_qsl(parts.query)))
    notes = [note.value for note in app.info if "in the address" in note.value]
    assert notes == []
    if parts.fragment:
        assert parts.fragment in [header.proto.anchor for header in app.header]


def test_machine_time_is_that_of_all_members():
    rate = max(RATES.values())
    epochs = LESSONS["race"].settings["epochs"]
    assert machine_seconds("race", rate) == pytest.approx(4 * epochs * 12_000 / rate)
    assert machine_seconds("sigma", rate) == pytest.approx(epochs * 12_000 / rate)


def test_a_link_is_put_together():
    here = "https://a.b/c/teach"
    query = {"present": "1", "quiz": "", "hide": "presets,drawing"}
    assert build_link(here, "derivation", "sigma", query) == (
        "https://a.b/c/derivation?present=1&hide=presets%2Cdrawing#sigma"
    )
    assert build_link(here, "train", "race", {}) == "https://a.b/c/train?lesson=race"
    assert build_link(here, "", "", {"quiz": "0"}) == "https://a.b/c/?quiz=0"


def test_the_builder_says_its_link_and_follows_its_choices():
    app = open_app("teach")
    assert app.code[0].value.endswith("/derivation")
    app.selectbox(key="built_page").set_value("Train").run()
    app.selectbox(key="built_at_train").set_value("race").run()
    app.checkbox(key="built_present").check().run()
    assert app.code[0].value.endswith("/train?lesson=race&present=1")
    assert not app.exception

"""One figure with its dials: every name draws, and the code that embeds it names it."""

import re

import pytest
from appserver import ROOT
from page_runs import open_app

from vae.quiz import SECTIONS
from vae.web.embedded import FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_stands_alone_with_its_dials(name):
    app = open_app(figure=name, embed="true")
    assert len(app.get("vega_lite_chart")) == 1
    assert len(app.get("bidi_component")) == (1 if FIGURES[name].dials else 0)
    assert not app.markdown
    assert not app.info


def test_a_name_that_is_none_gets_a_note_and_the_page():
    app = open_app(figure="nothing", embed="true")
    assert any(note.value.startswith("figure in the address") for note in app.info)
    assert app.title


def test_the_browsers_list_of_figures_is_this_one():
    text = (ROOT / "vae/web/assets/classroom/view.js").read_text(encoding="utf-8")
    listed = re.search(r"FIGURES = \[(.*?)\]", text, re.S)
    assert re.findall(r'"([\w-]+)"', listed[1]) == list(FIGURES)


def test_most_sections_have_a_figure_of_their_own():
    own = {question.anchor for question in SECTIONS.values()} & set(FIGURES)
    assert len(own) >= 12

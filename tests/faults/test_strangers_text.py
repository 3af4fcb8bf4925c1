"""An address comes from anybody: what it says is shown as it is, and never read as markdown."""

import re
from dataclasses import fields

import pytest
from hostile import HOST, SHOWS_MORE, TEXTS, parameters
from page_runs import open_app

from vae.config import TrainConfig
from vae.web.kit import address

PAGES = ["overview", "derivation", "bias", "your_loss", "train", "teach"]
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")


def names_of(page: str) -> frozenset[str]:
    # The Train page goes through its settings' names where one stands in the address.
    settings = {spec.name for spec in fields(TrainConfig)} if page == "train" else set()
    return parameters(page) | settings | {"hide", "present"}


def test_the_names_that_pages_read_are_found():
    assert {"t", "p", "sigma", "verdict", "thread"} <= parameters("overview")
    assert {"step", "sigma", "digit", "latents", "weight"} <= names_of("derivation")
    assert {"lesson", "against", "run"} <= parameters("train")


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_in_every_parameter_is_shown_as_code_or_not_at_all(page, kind):
    names = names_of(page)
    app = open_app(page, **{**dict.fromkeys(names, TEXTS[kind]), **SHOWS_MORE.get(page, {})})
    notes = [element.value for element in (*app.info, *app.warning, *app.error)]
    # One for each parameter at most, however long its list.
    assert 1 <= len(notes) <= len(names)
    for note in notes:
        # What stands outside the code is the page's own.
        assert HOST not in _CODE.sub("", note), note
        assert all(len(code[0]) <= 50 for code in _CODE.finditer(note)), note
        assert len(note) < 600, note
    for element in app.main:
        proto = getattr(element, "proto", None)
        if proto is None or element.type in ("info", "warning", "error", "code"):
            continue
        # A link to be copied says what the address says; the browser writes it as text.
        if element.type == "bidi_component" and '"part": "link"' in str(proto).replace("\\", ""):
            continue
        assert HOST not in str(proto), element.type


def test_a_value_is_quoted_within_forty_characters_and_stays_on_its_line():
    for text in [*TEXTS.values(), "", "`", "``` `", "a\n\nb", "\u202eabc", "'\""]:
        code = address.quote(text)
        assert _CODE.fullmatch(code), code
        assert len(code.strip("`")) <= 40
        assert code.isprintable()


def test_a_plain_sentence_leaves_no_sign_for_markdown_to_read():
    for text in [*TEXTS.values(), "1. one", "- two", "a_b_c *d* |e| &amp; ~f~ {g}"]:
        drawn = address.plain(text)
        # Every sign stands behind a backslash, and what is read without signs is apart.
        assert not re.search(r"(?<!\\)[`*_\[\]()<>!$~|&{}:#]|^[-+=\d]", drawn)
        assert not re.search(r"//\w|www\.|@\w|:\w", drawn.replace("\\", ""))
        assert drawn.replace("\\", "").replace("\u2060", "").split() == (
            text.replace("\\", "").split()
        )

"""A stranger's link calls no other host and puts no link of its own on a page."""

from dataclasses import fields
from urllib.parse import quote, urlencode

import pytest
from browsing import record_of
from hostile import HOST, TEXTS, parameters

from vae.config import TrainConfig

pytestmark = pytest.mark.browser

# A page of each kind: with dials and a link to share them, with a form, with settings. What notes
# of every parameter of all pages say is held without a browser (tests/faults).
PAGES = ("derivation", "your_loss", "train")
# One address holds them all, a parameter each.
SHORT = [text for kind, text in TEXTS.items() if kind not in ("long", "digits")]


@pytest.mark.parametrize("path", PAGES)
def test_hostile_addresses_make_no_link_and_no_foreign_request(open_page, path):
    names = sorted(parameters(path) | {spec.name for spec in fields(TrainConfig)})
    texts = [SHORT[number % len(SHORT)] for number in range(len(names))]
    page = open_page(f"{path}?{urlencode(dict(zip(names, texts, strict=True)))}")
    assert page.locator("[data-testid=stAlert]").count() >= min(len(SHORT), 4)
    look_for_strangers(page)


def test_a_long_value_makes_a_short_note(open_page):
    page = open_page(f"train?lesson={quote('![x](//evil.example/a) ' * 400)}", width=390)
    box = page.locator("[data-testid=stAlert]").bounding_box()
    assert box is not None
    assert box["height"] < 300


def look_for_strangers(page) -> None:
    marked = page.evaluate(
        """(host) => [...document.querySelectorAll("[href], [src]")]
            .map((part) => part.href?.baseVal || part.href || part.src)
            // The page's own address, with the stranger's text in it, is no stranger's.
            .filter((link) => link.includes(host) && !link.startsWith(location.origin))""",
        HOST,
    )
    assert marked == []
    assert record_of(page).outside == []

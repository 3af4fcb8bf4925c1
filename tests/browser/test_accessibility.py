"""axe-core on every page in every mode: nothing that is ours, however slight."""

# The script below is JavaScript, in its own style.
# ruff: noqa: E501

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_everything, shifted, wait_ready

from vae.charts.kit.theme import STYLES, in_themes
from vae.web import navigation

pytestmark = pytest.mark.browser

PAGES = tuple("" if name == "overview" else name for name in navigation.PAGES)

# What Streamlit's own frontend does, by rule and by the part of a selector, with the reason.
STREAMLITS: dict[tuple[str, str], str] = {}


# Of axe's rules those that ask for colours, which take most of its time: all that another theme
# changes, and for what is seen in a folded page the same as when it is open.
COLOURS = ("color-contrast", "link-in-text-block")


def violations(page, colours: bool | None = None) -> list[str]:
    """What axe finds by all of its rules; by those of colours alone, or by all but those."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if colours:
        options["runOnly"] = list(COLOURS)
    elif colours is False:
        options["rules"] = {rule: {"enabled": False} for rule in COLOURS}
    found = []
    for violation in Axe().run(page, options=options).response["violations"]:
        for node in violation["nodes"]:
            target = " ".join(str(part) for part in node["target"])
            if not any(
                violation["id"] == rule and part in target + node["html"]
                for rule, part in STREAMLITS
            ):
                found.append(f"{violation['id']}: {target}: {node['html']:.160}")
    return found


# Everything that the page paints, shadow trees, figures and marks before names included, as
# "colour where": text, grounds, edges, fills, strokes, and what a canvas strokes with.
PAINTS = """
() => {
  const paints = new Map();
  const add = (colour, where) => colour?.startsWith("rgb(") && !paints.has(colour) && paints.set(colour, where);
  const walk = (root) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.shadowRoot) walk(each.shadowRoot);
      if (!each.checkVisibility()) continue;
      const where = `${each.tagName}.${each.getAttribute("class") ?? ""}`;
      const styles = [getComputedStyle(each), getComputedStyle(each, "::before")];
      for (const style of styles) {
        add(style.color, where);
        add(style.backgroundColor, where);
        for (const side of ["Left", "Right", "Top", "Bottom"])
          if (parseFloat(style[`border${side}Width`]) > 0) add(style[`border${side}Color`], where);
      }
      if (each instanceof SVGElement) [styles[0].fill, styles[0].stroke].forEach((each) => add(each, where));
      if (each.tagName === "CANVAS") add(styles[0].outlineColor, where);
    }
  };
  walk(document);
  return [...paints];
}
"""


def as_rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour.removeprefix("#")))


def shades() -> list[tuple[str, str]]:
    """Each colour of the figures' palette on the light ground and on the dark one."""
    colours = {style.colour for style in STYLES.values()}
    pairs = []
    for written in map(in_themes, colours):
        found = re.findall("#[0-9A-F]{6}", written)
        pairs.append((as_rgb(found[0]), as_rgb(found[-1])))
    return pairs


def wrong_paints(page, dark: bool) -> list[str]:
    """What is painted in a colour of the palette as it is on the other ground."""
    raw = {as_rgb(style.colour) for style in STYLES.values()}
    own = {pair[dark] for pair in shades()}
    others = raw | {pair[not dark] for pair in shades()}
    paints = page.evaluate(PAINTS)
    assert any(colour in own for colour, _ in paints)
    return [f"{colour}: {where}" for colour, where in paints if colour in others - own]


def settle(page) -> None:
    wait_ready(page)
    page.wait_for_timeout(800)


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_nothing_is_found_in_any_mode(open_page, name: str) -> None:
    """Opened once, and turned from one mode to the next: folded, open, dark; two pages presenting.
    Equal things have one colour in each theme, in figures and beside names."""
    page = open_page(name)
    settle(page)
    score, worst = shifted(page)
    assert score < 0.1, worst
    assert violations(page, colours=False) == []
    open_everything(page)
    settle(page)
    assert violations(page) == []
    assert wrong_paints(page, dark=False) == []
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert violations(page, colours=True) == []
    assert wrong_paints(page, dark=True) == []
    if name in ("", "train"):
        # The mode enlarges what is there; its own bar is one for all.
        page.locator(".st-key-presenter label").click()
        settle(page)
        assert violations(page) == []


@pytest.mark.wide
@pytest.mark.parametrize(("mode", "width"), [("embed=true", 700), ("present=1", 1280)])
@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_nothing_is_found_in_a_frame_presenting_or_with_hidden_controls(
    open_page, name: str, mode: str, width: int
) -> None:
    page = open_page(f"{name}?{mode}&hide=presets,seed,sigma,t&quiz=0", dark=True, width=width)
    settle(page)
    assert violations(page) == []


def test_nothing_is_found_beside_a_finished_run_open_and_folded(open_page) -> None:
    page = open_page("train?run=shown-race", dark=True)
    settle(page)
    assert violations(page, colours=False) == []
    open_everything(page)
    for scheme, colours in (("dark", None), ("light", True)):
        page.emulate_media(color_scheme=scheme)
        settle(page)
        assert violations(page, colours) == [], scheme
        assert wrong_paints(page, scheme == "dark") == []


def test_the_audit_sees_a_violation(open_page) -> None:
    page = open_page("teach")
    page.evaluate(
        """() => {
            const faint = document.createElement("p");
            Object.assign(faint, { textContent: "hardly seen", style: "color: #bbb" });
            document.querySelector("[data-testid=stMain]").prepend(faint, new Image());
        }"""
    )
    found = {colours: violations(page, colours) for colours in (None, True, False)}
    kinds = {key: {line.split(":")[0] for line in lines} for key, lines in found.items()}
    assert kinds[None] >= {"image-alt", "color-contrast"}
    assert (kinds[True], kinds[False]) == ({"color-contrast"}, kinds[None] - {"color-contrast"})

"""Every section of a lesson says first what one is to see, and explains what it names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from page_runs import open_app

from vae.lessons.glossary import GLOSSARY

# What somebody who reads the page cannot be expected to know; common words are left out.
TERMS = (
    "q(z|x)", "p(x|z)", "p(z)", "p(x)", "p(z|x)", "μ", "λ", "σ", "τ", "β", "vⱼ", "H(t)",
    "NLL", "SSE", "MSE", "BCE", "KL", "ELBO", "nat", "log likelihood", "reconstruction error",
    "linear VAE", "principal direction", "posterior collapse", "Bregman loss", "calibration",
    "regression to the mean", "dequantise",
)  # fmt: skip
_ENTRIES = {name: e for e in GLOSSARY for name in (e.term, e.symbol) if name}


@dataclass
class Section:
    """A heading, its help, and what stands below it: kinds of elements, and their words."""

    title: str
    help: str
    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if getattr(child, "children", None) is not None:
            yield from elements(child)
        else:
            yield child


def sections(page: str) -> list[Section]:
    """The sections of a page below its title."""
    found: list[Section] = []
    for element in elements(open_app(page).main):
        if element.type == "header":
            found.append(Section(element.value, element.proto.help))
        elif found and element.type != "title":
            found[-1].kinds.append(element.type)
            if element.type in ("markdown", "caption", "success"):
                found[-1].texts.append(str(element.value))
    return found


def named(text: str) -> set[str]:
    """The terms that stand in ``text``."""
    # What the threads say is folded, and quotes; a formula of its own explains itself.
    plain = re.sub(r"<details.*?</details>|\$[^$]*\$|`[^`]*`", " ", text, flags=re.S)
    return {term for term in TERMS if re.search(rf"(?<![\w(|]){re.escape(term)}(?![\w|])", plain)}


@pytest.mark.parametrize("page", ["overview", "derivation", "bias"])
def test_each_section_explains_on_hover_what_it_names(page: str) -> None:
    missing = {
        section.title: sorted(
            term
            for term in named("\n".join(section.texts))
            if _ENTRIES[term].meaning not in section.help
        )
        for section in sections(page)
        if "vega_lite_chart" in section.kinds
    }
    assert len(missing) >= 2
    assert not {title: terms for title, terms in missing.items() if terms}


@pytest.mark.parametrize("page", ["overview", "derivation", "bias"])
def test_each_section_with_a_figure_says_first_what_to_see(page: str) -> None:
    with_figures = [each for each in sections(page) if "vega_lite_chart" in each.kinds]
    assert with_figures
    # A question may be asked before; the first words of the section itself count.
    silent = [
        section.title
        for section in with_figures
        if not re.search(r"\b[Ss]ee\b", section.texts[0].partition("\n\n")[0])
    ]
    assert not silent


@pytest.mark.parametrize("page", ["derivation", "bias"])
def test_each_section_ends_with_what_to_keep_and_why(page: str) -> None:
    held = sections(page)
    assert held
    for section in held:
        kept = [text for text in section.texts if "*Why?*" in text]
        assert len(kept) == section.kinds.count("success") == 1, section.title
        told, _, why = kept[0].partition("\n\n*Why?* ")
        assert len(told.split()) > 3, section.title
        assert len(why.split()) > 3, section.title


def test_a_term_without_its_explanation_is_found() -> None:
    assert named("σ sets the weight of the KL, says `beta`, in nats") == {"σ", "KL"}
    assert named("log p(x|z) is not p(x)") == {"p(x|z)", "p(x)"}

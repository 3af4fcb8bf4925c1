"""A link that is shared opens on another machine, and every symptom has a place to start."""

import ipaddress
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from page_runs import open_app

from vae.web.kit import links
from vae.web.your_loss.symptoms import first_questions
from vae.your_loss import clinic


@pytest.fixture
def opened_as(monkeypatch):
    """Have the app opened under an address, on a machine with another one in its network."""

    def opened(url: str, network: str = "10.1.2.3", listens: str | None = None) -> None:
        context = SimpleNamespace(context=SimpleNamespace(url=url), get_option=lambda _: listens)
        monkeypatch.setattr(links, "st", context)
        monkeypatch.setattr(links, "network_address", lambda: network)

    return opened


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501"])
def test_who_opened_it_as_localhost_shares_the_machines_address(opened_as, host):
    opened_as(f"http://{host}/train?seed=1")
    link, note = links.link_for_others({"run": "abc"})
    assert link == "http://10.1.2.3:8501/train?run=abc"
    assert "in its network" in note


def test_a_public_address_is_shared_as_it_stands(opened_as):
    opened_as("https://vae.example.org/course/train?seed=1#curves")
    assert links.link_for_others({}) == ("https://vae.example.org/course/train", "")


@pytest.mark.parametrize(("network", "listens"), [("", None), ("10.1.2.3", "127.0.0.1")])
def test_a_server_that_nobody_reaches_says_so(opened_as, network, listens):
    opened_as("http://localhost:8501/train", network, listens)
    link, note = links.link_for_others({})
    assert link == "http://localhost:8501/train"
    assert "its own machine alone" in note


def test_the_machines_own_address_is_one_of_its_network_or_none():
    found = links.network_address()
    assert not found or not ipaddress.ip_address(found).is_loopback


@pytest.mark.parametrize("present", ["", "1"])
def test_every_symptom_leads_from_overview_to_a_question_that_had_it(present):
    app = open_app(**({"present": present} if present else {}))
    [html] = [m.value for m in app.markdown if "What do you see?" in m.value]
    first = first_questions()
    assert set(first) == {entry.symptom for entry in clinic()}
    assert next(iter(first)) == "KL goes to 0"
    hrefs = [part.split('"')[0] for part in html.split('href="')[1:]]
    asked = [parse_qs(urlsplit(href.replace("&amp;", "&")).query) for href in hrefs]
    assert [query["question"][0] for query in asked] == list(first.values())
    assert all(query.get("present", [""])[0] == present for query in asked)
    [shown] = open_app("your_loss", question=first["KL goes to 0"]).info
    assert "in the address" not in shown.value

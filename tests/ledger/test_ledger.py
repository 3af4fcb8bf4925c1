"""The ledger: complete, computed, able to fail, free of torch, and its links open."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vae import ledger
from vae.ledger.checks import bias, choices, gradients, linear, objective
from vae.ledger.types import REFERENCES
from vae.shipped import cards
from vae.theory import (
    bernoulli,
    continuous_bernoulli,
    corruptions,
    counter_biased,
    early_stopping,
    evidence,
    gaussian,
    implied,
    ppca,
    pull,
)

ROOT = Path(__file__).resolve().parents[2]
IDS = [f"D{n}" for n in range(1, 38)] + [f"B{n}" for n in range(1, 29)]
BY_SOURCE = {"D18", "D21", "D26", "D29", "D31", "D32", "B13", "B14"}


def test_all_claims_are_there_in_order() -> None:
    assert list(ledger.CLAIMS) == IDS
    assert len(IDS) >= 48
    assert {claim.id for claim in ledger.CLAIMS.values() if claim.by_source} == BY_SOURCE
    for claim in ledger.CLAIMS.values():
        assert claim.citations or not claim.by_source, f"{claim.id} names no source"
    assert {claim.thread for claim in ledger.CLAIMS.values()} == set("ABC")
    assert {claim.verdict for claim in ledger.CLAIMS.values()} == set(ledger.Verdict)


@pytest.mark.parametrize("claim_id", IDS)
def test_each_check_agrees_and_gives_a_number(claim_id: str) -> None:
    found = ledger.examine(ledger.CLAIMS[claim_id])
    assert found.agrees is True, found.figure
    assert re.search(r"\d", found.figure)


def test_checks_are_reproducible() -> None:
    for claim in ledger.CLAIMS.values():
        assert ledger.examine(claim) == ledger.evidence(claim.id)


def _laplace(x, mean, _):
    return -np.abs(np.asarray(x) - mean)


def _biased(t, p):
    return bernoulli.squared_error(t, 0.9 * p + 0.05)


def _half_trained(**_: bool) -> linear.Weights:
    return _TRAINED(True)


_TRAINED = linear.trained
# A wrong formula in the place that a claim is about, and the claim that must notice.
MUTATIONS = [
    ("D1", gaussian, "gaussian_log_prob", lambda x, m, s: -np.log(s) - 0.5 * (x - m) / s**2),
    ("D2", gaussian, "gradient_ratio", lambda scale, pixels=1: pixels / scale**2),
    ("D3", objective, "kl", lambda _: 0.0),
    ("D4", gaussian, "gaussian_log_prob", lambda x, m, s: 0.5 * ((x - m) / s) ** 2),
    ("D5", objective, "expected_error", lambda x, w, mean, _: (x - w * mean) ** 2),
    ("D6", implied, "implied_variance", lambda **_: 784.0),
    ("D7", implied, "implied_variance", lambda **_: 1.0),
    ("D8", objective, "bound", lambda *_, **__: -2.0),
    ("D9", gaussian, "gaussian_log_prob", lambda x, m, s: -((x - m - 0.1) ** 2) / s),
    ("D10", gaussian, "mass_outside_unit", lambda *_: 0.5),
    ("D11", gaussian, "nll_from_mse", lambda mse, scale, pixels=1: pixels * (mse - scale) ** 2),
    ("D11", gaussian, "best_nll", lambda mse, pixels=1: pixels * mse),
    ("D12", ppca, "active_latents", lambda *_, **__: 2),
    ("D12", ppca, "elbo", lambda *_, **__: 0.0),
    ("D13", gaussian, "chi_squared", lambda gap, scale: np.square(gap / scale)),
    ("D14", gaussian, "cross_entropy", lambda *_: 0.5),
    ("D15", gaussian, "gaussian_log_prob", lambda x, m, s: -0.5 * ((x - m) / s) ** 2),
    ("D16", linear, "kl_gradient", linear.error_gradient),
    ("D17", bernoulli, "bce_with_logits", lambda t, a: (bernoulli.sigmoid(a) - t) ** 2),
    ("D18", linear, "trained", _half_trained),
    ("D19", gaussian, "gaussian_log_prob", _laplace),
    ("D20", bernoulli, "squared_error", lambda t, p: t - p**2),
    ("D21", implied, "implied_variance", lambda **_: 0.5),
    ("D22", bernoulli, "bce", bernoulli.squared_error),
    ("D23", gaussian, "gaussian_log_prob", _laplace),
    ("D24", evidence, "kl", lambda mean, scale, *_: 0.5 * (mean**2 + scale**2)),
    ("D25", bernoulli, "bce", bernoulli.squared_error),
    ("D26", bernoulli, "squared_error", lambda t, p: np.abs(t - p)),
    ("D27", corruptions, "shift", lambda image, _: image),
    ("D28", gaussian, "gaussian_log_prob", _laplace),
    ("D29", bernoulli, "bce", bernoulli.squared_error),
    ("D30", gaussian, "gaussian_log_prob", lambda x, *_: -np.square(x)),
    ("D32", gaussian, "nll_from_mse", lambda mse, *_: mse),
    ("D33", evidence.OnePixel, "expected_log_likelihood", lambda at, m, _: at.log_likelihood(m)),
    ("D34", gaussian, "gaussian_log_prob", lambda x, m, _: -0.5 * (x - m) ** 2),
    ("D35", bernoulli, "bce", bernoulli.squared_error),
    ("D36", choices, "softmax", lambda logits, axis: np.exp(logits)),  # noqa: ARG005
    ("D37", bernoulli, "bce", bernoulli.squared_error),
    ("B1", bernoulli, "squared_error", lambda t, p: (p - t) ** 2 + 0.1 * (p - t)),
    ("B2", bernoulli, "excess_ratio", bernoulli.raw_ratio),
    ("B3", pull, "bce_optimum", lambda t, _: t),
    ("B3", bernoulli, "bce", _biased),
    ("B4", bernoulli, "double_mse_error", lambda h: 0 * h),
    ("B6", bernoulli, "bce", lambda t, p: 2 * bernoulli.squared_error(t, p)),
    ("B7", early_stopping, "mse_gradient", lambda t, a, *_: bernoulli.sigmoid(a) - t),
    ("B8", counter_biased, "loss", lambda t, p, _: (p - t) ** 2),
    ("B10", early_stopping, "mse_gradient", lambda t, a, *_: bernoulli.sigmoid(a) - t),
    ("B10", early_stopping, "adam_steps", lambda loss, *_: {"bce": 50, "mse": 300}[loss]),
    ("B11", bernoulli, "bce", lambda t, p: (p - t) ** 2),
    ("B12", continuous_bernoulli, "log_normaliser", lambda logits: 0 * logits),
    ("B12", continuous_bernoulli, "best_logits", lambda t: bernoulli.logit(t)),
    ("B13", bias, "r_squared", lambda targets, outputs: np.square(outputs - targets).mean(axis=1)),
    ("B14", gradients, "roughness", lambda images: np.zeros(len(images))),
    ("B15", early_stopping, "mse_gradient", lambda t, a, *_: bernoulli.sigmoid(a) - t),
    ("B16", bernoulli, "bce", _biased),
    ("B18", bernoulli, "squared_error", lambda t, p: np.abs(t - p)),
    ("B19", bernoulli, "bce", _biased),
    ("B20", bernoulli, "squared_error", lambda t, p: (p - 0.9 * t) ** 2),
    ("B21", bernoulli, "excess_ratio", lambda *_: 1.726),
    ("B22", gaussian, "gaussian_log_prob", lambda x, m, s: -0.5 * ((x - m) / (10 * s)) ** 2),
    ("B23", pull, "loss_one_optimum", lambda t, _: t),
    ("B26", bernoulli, "bce", bernoulli.squared_error),
    ("B27", bernoulli, "bce_with_logits", lambda t, a: (bernoulli.sigmoid(a) - t) ** 2),
]


@pytest.mark.parametrize(("claim_id", "module", "name", "wrong"), MUTATIONS)
def test_a_wrong_formula_makes_the_check_disagree(
    claim_id: str, module: object, name: str, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, wrong)
    assert not ledger.examine(ledger.CLAIMS[claim_id]).agrees


def _faithful(card: cards.Card) -> cards.Card:
    return replace(card, response=tuple(replace(row, output=row.target) for row in card.response))


def _flat(card: cards.Card) -> cards.Card:
    return replace(card, history=(card.history[-1],) * len(card.history))


# What a card says otherwise, and the claim that must notice.
CARD_MUTATIONS = [
    ("B5", _faithful),
    ("B16", lambda card: replace(card, test_kl=20.0)),
    ("B17", lambda card: replace(card, test_kl=20.0)),
    ("B24", _flat),
]
SUMMARY_MUTATIONS = [
    ("D31", lambda mnist: replace(mnist, grey_counts=(1,) * 256)),
    ("B9", lambda mnist: replace(mnist, grey_counts=(5, *(0,) * 254, 5))),
    ("B25", lambda mnist: replace(mnist, grey_counts=(5, *(0,) * 254, 5))),
    ("B28", lambda mnist: replace(mnist, eigenvalues=mnist.pixel_variances)),
]


@pytest.mark.parametrize(("claim_id", "change"), CARD_MUTATIONS)
def test_cards_that_say_otherwise_make_the_check_disagree(
    claim_id: str, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {name: change(card) for name, card in cards.load_cards().items()}
    monkeypatch.setattr(cards, "load_cards", lambda: told)
    assert not ledger.examine(ledger.CLAIMS[claim_id]).agrees


@pytest.mark.parametrize(("claim_id", "change"), SUMMARY_MUTATIONS)
def test_data_that_are_otherwise_make_the_check_disagree(
    claim_id: str, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = change(cards.data_summary("mnist"))
    monkeypatch.setattr(cards, "data_summary", lambda _: told)
    assert not ledger.examine(ledger.CLAIMS[claim_id]).agrees


def test_every_check_is_shown_to_notice_something_wrong() -> None:
    shown = {case[0] for case in (*MUTATIONS, *CARD_MUTATIONS, *SUMMARY_MUTATIONS)}
    assert shown == set(IDS)


def test_a_check_that_cannot_compute_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "load_cards", dict)
    found = ledger.examine(ledger.CLAIMS["B5"])
    assert not found.agrees
    assert "mnist-bernoulli" in found.figure


def test_the_statements_numbers_are_the_computed_ones() -> None:
    d10 = ledger.CLAIMS["D10"].statement
    assert f"{100 * float(gaussian.mass_outside_unit(0.5, 0.3)):.1f}%" in d10
    b2 = ledger.CLAIMS["B2"].statement
    for t in (0.8, 0.3):
        assert f"{float(bernoulli.excess_ratio(t, 0.1)):.3f}" in b2
    b4 = ledger.CLAIMS["B4"].statement
    for h in (0.1, 0.3):
        assert f"{100 * float(bernoulli.double_mse_error(h)):.0f}% " in b4
    mnist, b9 = cards.data_summary("mnist"), ledger.CLAIMS["B9"].statement
    assert f"{100 * mnist.grey_share:.1f}%" in b9
    assert f"{100 * mnist.mid_grey_share:.1f}%" in b9
    assert f"{mnist.bernoulli_floor:.1f} nats" in b9


def test_each_citation_is_a_known_reference_of_the_web() -> None:
    for claim in ledger.CLAIMS.values():
        for citation in claim.citations:
            assert REFERENCES[citation.key].url.startswith("https://")


def test_each_link_names_a_page_with_that_section() -> None:
    links = [(c, link) for c in ledger.CLAIMS.values() for link in (c.link, c.beside) if link]
    assert {link.page for _, link in links} >= {"derivation", "bias", "your_loss"}
    for claim, link in links:
        files = [ROOT / "pages" / f"{link.page}.py", *sorted((ROOT / "vae" / "web").rglob("*.py"))]
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        assert f'anchor="{link.anchor}"' in text, f"{claim.id}: {link.address}"


def test_the_source_of_a_check_is_its_code() -> None:
    assert ledger.source("D10").startswith("def mass_outside")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_prints_all_as_json() -> None:
    done = run("-m", "vae", "claims", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["id"] for row in rows] == IDS
    keys = {"id", "thread", "claim", "verdict", "decided_by", "figure", "agrees"}
    assert all(set(row) == keys for row in rows)
    by_source = {row["id"] for row in rows if row["decided_by"] == "a source"}
    assert by_source == BY_SOURCE
    assert all(row["agrees"] is True for row in rows)


def test_the_ledger_imports_no_torch_and_opens_no_socket() -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\n"
        "from vae import ledger\n"
        "assert ledger.main(write=lambda _: None) == 0\n"
        "assert 'torch' not in sys.modules and 'streamlit' not in sys.modules\n"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


def test_a_disagreeing_check_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "evidence", lambda _: ledger.Evidence("0", agrees=False))
    printed: list[str] = []
    assert ledger.main(write=printed.append) == 1
    assert "DISAGREES" in printed[0]
    assert f"0 of {len(IDS)}" in printed[0]

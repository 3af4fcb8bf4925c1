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
from vae.ledger.types import REFERENCES
from vae.shipped import cards
from vae.theory import (
    bernoulli,
    continuous_bernoulli,
    counter_biased,
    early_stopping,
    gaussian,
    implied,
    ppca,
    pull,
)

ROOT = Path(__file__).resolve().parents[2]
IDS = [f"D{n}" for n in range(1, 19)] + [f"B{n}" for n in range(1, 15)]


def test_all_32_claims_are_there_in_order() -> None:
    assert list(ledger.CLAIMS) == IDS
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


# A wrong formula in the place that a claim is about, and the claim that must notice.
MUTATIONS = [
    ("D1", gaussian, "gaussian_log_prob", lambda x, m, s: -np.log(s) - 0.5 * (x - m) / s**2),
    ("D2", gaussian, "gradient_ratio", lambda scale, pixels=1: pixels / scale**2),
    ("D4", gaussian, "gaussian_log_prob", lambda x, m, s: 0.5 * ((x - m) / s) ** 2),
    ("D6", implied, "implied_variance", lambda **_: 784.0),
    ("D7", implied, "implied_variance", lambda **_: 1.0),
    ("D9", gaussian, "gaussian_log_prob", lambda x, m, s: -((x - m - 0.1) ** 2) / s),
    ("D10", gaussian, "mass_outside_unit", lambda *_: 0.5),
    ("D11", gaussian, "nll_from_mse", lambda mse, scale, pixels=1: pixels * (mse - scale) ** 2),
    ("D12", ppca, "active_latents", lambda *_, **__: 2),
    ("D12", ppca, "elbo", lambda *_, **__: 0.0),
    ("D13", gaussian, "gaussian_log_prob", lambda x, m, _: -((x - m) ** 2)),
    ("D14", gaussian, "cross_entropy", lambda *_: 0.5),
    ("D15", gaussian, "gaussian_log_prob", lambda x, m, s: -0.5 * ((x - m) / s) ** 2),
    ("B1", bernoulli, "squared_error", lambda t, p: (p - t) ** 2 + 0.1 * (p - t)),
    ("B2", bernoulli, "excess_ratio", bernoulli.raw_ratio),
    ("B3", pull, "bce_optimum", lambda t, _: t),
    ("B3", bernoulli, "bce", lambda t, p: bernoulli.squared_error(t, 0.9 * p + 0.05)),
    ("B4", bernoulli, "double_mse_error", lambda h: 0 * h),
    ("B6", bernoulli, "bce", lambda t, p: 2 * bernoulli.squared_error(t, p)),
    ("B7", early_stopping, "mse_gradient", lambda t, logits: bernoulli.sigmoid(logits) - t),
    ("B8", counter_biased, "loss", lambda t, p, _: (p - t) ** 2),
    ("B11", bernoulli, "bce", lambda t, p: (p - t) ** 2),
    ("B12", continuous_bernoulli, "log_normaliser", lambda logits: 0 * logits),
    ("B12", continuous_bernoulli, "best_logits", lambda t: bernoulli.logit(t)),
]


@pytest.mark.parametrize(("claim_id", "module", "name", "wrong"), MUTATIONS)
def test_a_wrong_formula_makes_the_check_disagree(
    claim_id: str, module: object, name: str, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, wrong)
    assert not ledger.examine(ledger.CLAIMS[claim_id]).agrees


def test_a_card_that_says_otherwise_makes_the_check_disagree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards_now = dict(cards.load_cards())
    matched = cards_now["fashion-gaussian-matched"]
    faithful = tuple(replace(row, output=row.target) for row in matched.response)
    cards_now["fashion-gaussian-matched"] = replace(matched, response=faithful)
    monkeypatch.setattr(cards, "load_cards", lambda: cards_now)
    assert not ledger.examine(ledger.CLAIMS["B5"]).agrees


def test_a_check_that_cannot_compute_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "load_cards", dict)
    found = ledger.examine(ledger.CLAIMS["B5"])
    assert not found.agrees
    assert "fashion-bernoulli" in found.figure


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
    for claim in ledger.CLAIMS.values():
        link = claim.link
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
    assert all(set(row) == {"id", "thread", "claim", "verdict", "figure", "agrees"} for row in rows)
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
    assert "0 of 32" in printed[0]

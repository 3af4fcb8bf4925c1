"""Losses in the forms people have them in: whole files, methods, training steps, four libraries.

Each file holds what is expected and the settings in its first line; none of it is public code.
"""

import json
from pathlib import Path

import pytest

from vae import your_loss

FOLDER = Path(__file__).parent / "forms"
FORMS = sorted(path.stem for path in FOLDER.glob("*.txt"))


def load(name: str) -> tuple[dict, dict, str]:
    first, _, code = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n")
    head = json.loads(first)
    if isinstance(head["settings"].get("data_range"), list):
        head["settings"]["data_range"] = tuple(head["settings"]["data_range"])
    return head["expect"], head["settings"], code


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_read_rightly_or_not_at_all(name: str) -> None:
    expect, settings, code = load(name)
    found = your_loss.read(code, **settings)
    assert found.read == expect.get("read", True), found.verdict
    if not found.read:
        assert found.message.endswith(".")
        assert found.sigma2 is found.beta is found.laplace_scale is None
        return
    assert found.family == expect["family"], found.verdict
    for key in ("sigma2", "beta", "laplace_scale", "near_sigma2", "sigma2_unit"):
        if key in expect:
            wanted = expect[key]
            got = getattr(found, key)
            assert got == (None if wanted is None else pytest.approx(wanted, rel=1e-6)), (
                found.verdict
            )
    kinds = {fault.kind for fault in found.faults}
    assert set(expect.get("faults", ())) <= kinds

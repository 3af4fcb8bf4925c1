"""The 64 public losses: each reading equals the value derived for it by hand or by autograd."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from vae import your_loss
from vae.memo import shared

LOSSES = [
    json.loads(line)
    for line in (Path(__file__).parent / "losses.jsonl").read_text(encoding="utf-8").splitlines()
]
RANGES = {"[0,1]": (0.0, 1.0), "[-1,1]": (-1.0, 1.0), "[-.5,.5]": (-0.5, 0.5)}
# What each family is called by the command; where several are right, all of them.
FAMILIES = {
    "gauss-fixed": {"gaussian"},
    "gauss-annealed": {"gaussian"},
    "gauss-fixed-wrong-kl": {"gaussian"},
    "gauss-fixed+free-bits": {"gaussian"},
    "gauss-fixed+perceptual": {"gaussian"},
    "gauss-fixed+categorical": {"gaussian"},
    "gauss-nonwhite": {"gaussian"},
    "gauss-learned": {"gaussian-learned"},
    "capacity": {"gaussian"},
    "laplace": {"laplace"},
    "laplace-learned": {"laplace-learned"},
    "bernoulli": {"bernoulli"},
    "bernoulli-on-onehot": {"bernoulli"},
    "bernoulli-out-of-range": {"none"},
    "log-cosh": {"log-cosh"},
    "perceptual": {"none"},
    # Their reconstruction term is computed elsewhere and handed in.
    "categorical": {"categorical", "unknown"},
    "mixture-logistic": {"unknown"},
    "importance-weighted": {"none"},
}
# The table rounds 1.00496 to 1.005: exp(2 (softplus(6) - 6)).
EXACT = {"sigma-pt-gauss": math.exp(2 * (math.log1p(math.exp(6.0)) - 6.0))}
# Their values are handed over as lists, or with shapes that no call of this code shows.
SHAPES = {"mri-3d": (4, 160, 192, 128), "gqn-chainer": (3, 64, 64)}


# The first axis of its latents holds the draws of an image.
DRAWN = {"pt-vae-iwae"}


def image_of(row: dict[str, Any]) -> tuple[int, ...]:
    """The shape of an image of D values, in the form of the test shape."""
    shape = tuple((row["x_shape"] or [0, row["D"] or 784])[1:])
    pixels = row["D"]
    if row["id"] in SHAPES:
        return SHAPES[row["id"]]
    if pixels is None or math.prod(shape) == pixels or row["id"] == "vits":
        return shape
    if len(shape) == 3:
        channels = next(s for s in (shape[0], shape[-1]) if s in (1, 3))
        side = math.isqrt(pixels // channels)
        return (channels, side, side) if shape[0] == channels else (side, side, channels)
    return (pixels,)


def reading_of(row: dict[str, Any]) -> your_loss.Reading:
    return _reading_of(row["id"])


@shared(maxsize=len(LOSSES))
def _reading_of(name: str) -> your_loss.Reading:
    """Each is read once, for several tests."""
    row = next(row for row in LOSSES if row["id"] == name)
    latents = tuple((row["z_shape"] or [0, row["d"] or 20])[1:])
    if row["d"] and (len(latents) == 1 or row["id"] in DRAWN):
        latents = (row["d"],)
    return your_loss.read(
        row["code"],
        image=image_of(row),
        latents=latents,
        batch=row["B"] or 64,
        data_range=RANGES.get(row["units"]),
    )


@pytest.mark.parametrize("row", LOSSES, ids=[row["id"] for row in LOSSES])
def test_a_public_loss_is_read_rightly(row: dict[str, Any]) -> None:
    found = reading_of(row)
    assert found.family in FAMILIES[row["family"]], found.verdict
    sigma2 = EXACT.get(row["id"], row["implied_sigma2"])
    for got, wanted in (
        (found.sigma2, sigma2),
        (found.laplace_scale, row["laplace_scale"]),
        (found.beta, row["equivalent_beta"]),
    ):
        if wanted is not None:
            assert got == pytest.approx(wanted, rel=1e-6)
    if row["sigma2_in_unit_pixels"] is not None and row["id"] not in EXACT:
        assert found.sigma2_unit == pytest.approx(row["sigma2_in_unit_pixels"], rel=1e-6)
    if row["certain_collapse"]:
        assert found.survival is not None
        assert found.survival.certain_collapse


def test_draws_that_are_weighed_by_their_own_loss_are_no_elbo() -> None:
    row = next(row for row in LOSSES if row["id"] == "pt-vae-iwae")
    found = reading_of(row)
    assert found.read
    assert found.sigma2 is found.beta is None
    assert "sigma^2 = 1.54" in found.verdict
    assert [f.line for f in found.faults if f.kind == "importance-weights"] == [3]
    turned = row["code"].replace("F.softmax(w", "F.softmax(-w")
    right = your_loss.read(turned, image="3x64x64", latents=128)
    assert right.family == "none"
    assert all(fault.kind != "importance-weights" for fault in right.faults)


# Their terms come from elsewhere: no belief stands in this code.
NOT_IN_THIS_CODE = {
    "jtnn": "word_loss, topo_loss and assm_loss come ready computed",
    "nvae": "log_prob and kl_groups come ready computed",
    "vdvae": "nll_per_dim and kls come ready computed",
    "musicvae": "the decoder's output does not occur in the loss",
}


def test_all_are_read_whose_belief_stands_in_the_code_and_the_others_say_why() -> None:
    readings = {row["id"]: reading_of(row) for row in LOSSES}
    refused = {name: found.message for name, found in readings.items() if not found.read}
    assert refused.keys() == NOT_IN_THIS_CODE.keys()
    for name, reason in NOT_IN_THIS_CODE.items():
        assert reason in refused[name]


@pytest.mark.parametrize("entry", your_loss.clinic(), ids=lambda entry: entry.id)
def test_a_public_question_has_its_number(entry: your_loss.ClinicEntry) -> None:
    found = entry.reading()
    numbers = [v for v in (found.sigma2, found.laplace_scale, found.beta) if v is not None]
    if entry.deciding is None:
        assert not numbers
        assert any(fault.kind == "cross-entropy-range" for fault in found.faults)
    else:
        assert numbers == [pytest.approx(entry.deciding, rel=1e-6)]


def test_the_census_has_every_fixed_gaussian() -> None:
    wanted = {row["id"] for row in LOSSES if row["implied_sigma2"] is not None}
    assert {entry.id for entry in your_loss.census()} == wanted
    values = [e.sigma2_unit for e in your_loss.census() if e.sigma2_unit is not None]
    assert values == sorted(values)
    assert max(values) / min(values) > 1e11

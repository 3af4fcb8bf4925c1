"""Why there is a KL: log p(x) as an area over z, and the bound whose gap a dial of q closes."""

from collections.abc import Sequence

import altair as alt

from vae.charts.derivation.parts import SIGMA, TARGET_PIXEL
from vae.charts.kit.dials import Dial
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import UNDESCRIBED, key_line, one_row
from vae.charts.kit.theme import GAUSSIAN, KL, TARGET
from vae.charts.vega import evidence as ex
from vae.charts.vega import gaussian

Q_MEAN = Dial("q_mean", "mean of q", -3.0, 3.0, 0.0, 0.01, digits=2)
Q_SCALE = Dial("q_scale", "sd of q, its width", 0.05, 2.0, 1.0, 0.005, log=True)
Q_DIALS = (Q_MEAN, Q_SCALE)
HEIGHT = 275
# Nats: what lies beyond is drawn at the edge, and its number is written out.
LOWEST, HIGHEST = -3.0, 1.0
# What is the same at every z is worked out once at a move, not at three hundred places.
_LIKELIHOOD_PEAK = alt.param(name="likelihood_peak", expr=gaussian.peak("sigma"))
_POSTERIOR = (
    alt.param(name="posterior_mean", expr=ex.POSTERIOR_MEAN),
    alt.param(name="posterior_scale", expr=ex.POSTERIOR_SCALE),
    alt.param(name="posterior_peak", expr=gaussian.peak("posterior_scale")),
)
_Q_PEAK = alt.param(name="q_peak", expr=gaussian.peak("q_scale"))
_PRIOR = f"{gaussian.peak('1')} * {gaussian.density_to_peak('datum.z', '0', '1')}"
_LIKELIHOOD = f"likelihood_peak * {ex.likelihood_to_peak('datum.z')}"
_Z = alt.X("z:Q", title="z, the code", scale=alt.Scale(domain=[-4, 4], nice=False))


def build_area_chart(*, x: float, sigma: float) -> alt.LayerChart:
    """Prior, likelihood and their product over z; the area under the product is p(x)."""
    prior, likelihood = _density(_PRIOR), _density(_LIKELIHOOD)
    both = _density(f"{_PRIOR} * {_LIKELIHOOD}")
    y = _height("density", 2.1)
    return _figure(
        both.mark_area(color=GAUSSIAN.colour, opacity=0.35, line=False, clip=True).encode(
            x=_Z, y=y
        ),
        both.mark_line(color=GAUSSIAN.colour, strokeWidth=3, clip=True).encode(x=_Z, y=y),
        _line(prior, y, TARGET.colour, TARGET.dash),
        _line(likelihood, y, GAUSSIAN.colour, (6, 4)),
        *key_line(0, "'prior p(z)'", colour=TARGET.colour, dash=TARGET.dash),
        *key_line(1, "'likelihood p(x|z), as z runs'", colour=GAUSSIAN.colour, dash=(6, 4)),
        *key_line(
            2,
            f"'product; its area is p(x) = ' + {gaussian.number(f'exp({ex.LOG_EVIDENCE})')}",
            colour=GAUSSIAN.colour,
            width=6,
        ),
        *key_line(
            3, f"'log p(x) = ' + {gaussian.number(ex.LOG_EVIDENCE)} + ' nats'", colour="transparent"
        ),
        params=[*SIGMA.params(sigma), *TARGET_PIXEL.params(x), _LIKELIHOOD_PEAK],
        description="Over one latent z: the prior's bell, the likelihood of the chosen pixel for "
        "each z, and their product. The area under the product is the evidence p(x).",
    )


def build_posterior_chart(
    *, x: float, sigma: float, q_mean: float, q_scale: float
) -> alt.LayerChart:
    """The posterior, which is the product divided by its area, and the q that the dials set."""
    posterior = _density(
        "posterior_peak * "
        + gaussian.density_to_peak("datum.z", "posterior_mean", "posterior_scale")
    )
    guess = _density(f"q_peak * {gaussian.density_to_peak('datum.z', 'q_mean', 'q_scale')}")
    y = _height("density", 2.0)
    return _figure(
        posterior.mark_area(color=GAUSSIAN.colour, opacity=0.35, line=False, clip=True).encode(
            x=_Z, y=y
        ),
        _line(posterior, y, GAUSSIAN.colour, (1, 0)),
        _line(guess, y, KL.colour, KL.dash),
        *key_line(
            0,
            f"'posterior p(z|x): mean ' + {gaussian.number(ex.POSTERIOR_MEAN)} + ', sd ' + "
            f"{gaussian.number(ex.POSTERIOR_SCALE)}",
            colour=GAUSSIAN.colour,
            width=6,
        ),
        *key_line(
            1,
            f"'q(z): mean ' + {gaussian.number('q_mean')} + ', sd ' + {gaussian.number('q_scale')}",
            colour=KL.colour,
            dash=KL.dash,
        ),
        *key_line(
            2, f"'KL(q ‖ posterior) = ' + {gaussian.number(ex.GAP)} + ' nats'", colour="transparent"
        ),
        params=[*_params(x, sigma, q_mean, q_scale), *_POSTERIOR, _Q_PEAK],
        description="Over z: the posterior, which is the product of prior and likelihood divided "
        "by its area, and the Gaussian q that the dials set, with the divergence between them.",
    )


def build_bound_chart(*, x: float, sigma: float, q_mean: float, q_scale: float) -> alt.LayerChart:
    """From E[log p(x|z)] down by the KL to the bound, and up by the gap to log p(x)."""
    rows = (
        ("E[log p(x|z)]", "0", ex.EXPECTED, GAUSSIAN.colour, 0.75, ex.EXPECTED),
        ("− KL(q ‖ prior)", ex.EXPECTED, ex.ELBO, KL.colour, 0.9, f"-{ex.KL}"),
        ("= the bound", "0", ex.ELBO, TARGET.colour, 0.75, ex.ELBO),
        ("+ gap, KL(q ‖ posterior)", ex.ELBO, ex.LOG_EVIDENCE, KL.colour, 0.45, ex.GAP),
        ("= log p(x)", "0", ex.LOG_EVIDENCE, TARGET.colour, 0.75, ex.LOG_EVIDENCE),
    )
    names = [row[0] for row in rows]
    place = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(ticks=False))
    nats = alt.X("start:Q", title="nats", scale=alt.Scale(domain=[LOWEST, HIGHEST + 1], nice=False))
    layers = []
    for name, start, end, colour, opacity, value in rows:
        row = one_row(
            name=f"'{name}'",
            start=f"clamp({start}, {LOWEST}, {HIGHEST})",
            end=f"clamp({end}, {LOWEST}, {HIGHEST})",
            words=gaussian.number(value),
        )
        layers.append(
            row.mark_bar(color=colour, opacity=opacity, height=18).encode(
                x=nats, x2=alt.X2("end:Q"), y=place
            )
        )
        layers.append(
            row.mark_text(align="right", fontWeight=600).encode(
                x=alt.XDatum(HIGHEST + 0.95), y=place, text=alt.Text("words:N")
            )
        )
    level = one_row(start=f"clamp({ex.LOG_EVIDENCE}, {LOWEST}, {HIGHEST})").mark_rule(
        color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2
    )
    return layered(
        *layers,
        level.encode(x=nats),
        params=_params(x, sigma, q_mean, q_scale),
        height=200,
        config=UNDESCRIBED,
        description="Bars in nats: the expected log likelihood, less the divergence of q from the "
        "prior, is the bound. The divergence of q from the posterior is the gap that is left to "
        "log p(x), marked by a dotted line.",
    )


def _params(x: float, sigma: float, q_mean: float, q_scale: float) -> list[alt.Parameter]:
    return [
        *SIGMA.params(sigma),
        *TARGET_PIXEL.params(x),
        *Q_MEAN.params(q_mean),
        *Q_SCALE.params(q_scale),
    ]


def _density(height: str) -> alt.Chart:
    return alt.Chart(alt.sequence(-4, 4.001, 0.025, as_="z")).transform_calculate(height=height)


def _height(title: str, highest: float) -> alt.Y:
    return alt.Y(
        "height:Q",
        title=title,
        scale=alt.Scale(domain=[0, highest], nice=False),
        axis=alt.Axis(values=[0, 0.5, 1.0]),
    )


def _line(chart: alt.Chart, y: alt.Y, colour: str, dash: Sequence[int]) -> alt.Chart:
    return chart.mark_line(
        color=colour, strokeWidth=2.5, strokeDash=list(dash) or [1, 0], clip=True
    ).encode(x=_Z, y=y)


def _figure(
    *layers: alt.Chart, params: Sequence[alt.Parameter], description: str
) -> alt.LayerChart:
    return layered(
        *layers,
        params=params,
        height=HEIGHT,
        config=UNDESCRIBED,
        description=description,
    )

"""A run's figures on the page: numbers now, curves, KL per latent, sigma, calibration.

Specifications are built once for a run and only their data change, so that nothing flickers;
frames are made once for all who watch.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import altair as alt
import streamlit as st

from vae.beliefs import BELIEFS
from vae.charts.kit import calibration
from vae.charts.kit.theme import Style
from vae.charts.train import curves
from vae.charts.train import styles as train_styles
from vae.config import TrainConfig
from vae.memo import Memo, shared
from vae.runs import tables
from vae.runs.snapshots import MemberSnapshot, RunSnapshot
from vae.theory.prediction import active_latents
from vae.web.streamlit_private import DeltaGenerator, to_arrow
from vae.web.train import loss

# Frames, and the same in the form in which they travel: Streamlit would convert them anew for
# every viewer.
_frames = Memo(24)
_packed = Memo(96)
_ROWS = "rows"
_BINS = {
    "response": calibration.build_response_chart,
    "calibration": calibration.build_calibration_chart,
}


def show_figures(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    """The figures of every member; of a comparison only those in units that all share."""
    if len(snapshot.members) == 1:
        _show_numbers(snapshot.members[0])
        _show_single(snapshot, styles)
    else:
        _show_table(snapshot.members, styles)
        _show_comparison(snapshot, styles)


def _show_numbers(member: MemberSnapshot) -> None:
    """The loss of the last batch taken apart: one line of numbers that add up."""
    last, config = member.last_step, member.config
    assert last is not None
    weight = config.beta if config.sampling else 0.0
    kl = "KL" if weight == 1 else f"{weight:g} · KL"
    parts = [
        f"loss **{_nats(last.loss)}** = −log p(x|z) **{_nats(-last.log_likelihood)}** "
        f"+ {kl} **{_nats(weight * last.kl)}** nats",
        f"MSE **{last.mse:.4f}** per pixel",
        f"**{_in_use(member)}** latents in use",
    ]
    if last.scale is not None:
        parts.append(f"sigma **{last.scale:.3f}** beside RMSE **{last.mse**0.5:.3f}**")
    st.markdown(" &nbsp;·&nbsp; ".join(parts))


def _nats(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _in_use(member: MemberSnapshot) -> str:
    assert member.last_step is not None
    text = f"{active_latents(member.last_step.kl_per_latent)} of {member.config.latent_dim}"
    expected = loss.prediction(member.config)
    if expected is not None and expected.active is not None:
        text += f" (predicted {expected.active})"
    return text


def _show_table(members: Sequence[MemberSnapshot], styles: Sequence[Style]) -> None:
    """The members' numbers now, the common units first."""
    lines = [
        "| | MSE per pixel | KL, nats | latents in use | its own loss |",
        "|:--|--:|--:|--:|--:|",
    ]
    for member, style in zip(members, styles, strict=True):
        last = member.last_step
        assert last is not None
        fixed = BELIEFS[member.config.likelihood].scale == "fixed"
        learned = last.scale is not None and not fixed
        name = f"{style.label} ({last.scale:.3f})" if learned else style.label
        lines.append(
            f"| {name} | **{last.mse:.4f}** | **{last.kl:.1f}** | {_in_use(member)} "
            f"| {_nats(last.loss)} |"
        )
    st.markdown("\n".join(lines))
    if not comparable_in_nats([member.config for member in members]):
        st.caption(
            "Squared error and KL compare across losses. The losses themselves do not: a density "
            "on [0, 1], a probability of binary pixels and a loss that is no likelihood each "
            "count nats of something else."
        )


def comparable_in_nats(configs: Sequence[TrainConfig]) -> bool:
    """Whether log p(x|z) means the same in all: densities of the same pixels, summed alike."""
    kinds = {BELIEFS[config.likelihood].counts for config in configs}
    return len(kinds) == 1 and len({(c.reduction, c.binarise) for c in configs}) == 1


def _panels() -> DeltaGenerator:
    """A row of figures that wraps where the page is narrow; columns would be sent at every poll."""
    return st.container(horizontal=True, key="train-figures")


def _show_single(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    # Only a Gaussian's best scale is the RMSE beside which it is drawn.
    has_scale = BELIEFS[snapshot.members[0].config.likelihood].gaussian
    with _panels():
        for field in ("log_likelihood", "kl", "loss"):
            _show_curve(snapshot, styles, field)
        if has_scale:
            _show_scale(snapshot)
        else:
            _show_curve(snapshot, styles, "mse")
        _show_kl(snapshot, styles)
        _show_calibration(snapshot, styles)


def _show_comparison(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    with _panels():
        _show_curve(snapshot, styles, "mse")
        _show_curve(snapshot, styles, "kl")
        show(
            curves.build_trade_chart,
            _curves(snapshot, styles, "kl", "mse"),
            key=f"trade-{len(styles)}",
            styles=styles,
            total_steps=snapshot.total_steps,
        )
        _show_kl(snapshot, styles)
        _show_calibration(snapshot, styles)
        if comparable_in_nats([member.config for member in snapshot.members]):
            _show_curve(snapshot, styles, "log_likelihood")


def _show_curve(snapshot: RunSnapshot, styles: tuple[Style, ...], field: str) -> None:
    show(
        curves.build_curve_chart,
        _curves(snapshot, styles, field),
        key=f"curve-{field}-{len(styles)}",
        field=field,
        styles=styles,
        total_steps=snapshot.total_steps,
    )


def _curves(snapshot: RunSnapshot, styles: Sequence[Style], *fields: str) -> bytes:
    labels = [style.label for style in styles]
    frame = _frames.get(
        ("curves", snapshot.run_id, snapshot.version),
        lambda: tables.curve_frame(snapshot.members, labels),
    )
    return _packed.get(
        ("curves", snapshot.run_id, snapshot.version, fields),
        lambda: to_arrow(frame[["step", "member", "on", *fields]]),
    )


def _show_scale(snapshot: RunSnapshot) -> None:
    rows = _packed.get(
        ("scale", snapshot.run_id, snapshot.version),
        lambda: to_arrow(tables.scale_frame(snapshot.members[0])),
    )
    show(curves.build_scale_chart, rows, key="scale", total_steps=snapshot.total_steps)


def _show_kl(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    expected = [loss.prediction(member.config) for member in snapshot.members]
    predicted = [each.kl_per_latent if each else () for each in expected]
    labels = [style.label for style in styles]
    rows = _packed.get(
        ("kl", snapshot.run_id, snapshot.version),
        lambda: to_arrow(tables.kl_frame(snapshot.members, labels, predicted)),
    )
    latents = max(member.config.latent_dim for member in snapshot.members)
    show(
        curves.build_kl_chart,
        rows,
        key=f"latents-{len(styles)}",
        styles=styles,
        latents=latents,
        predicted=any(predicted),
    )


def _show_calibration(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    labels = [style.label for style in styles]
    if not all(member.epochs for member in snapshot.members):
        st.caption("Calibration, mean target by output: measured after the first epoch.")
        return
    last = snapshot.members[0].epochs[-1].epoch
    for name, build in _BINS.items():
        pack = partial(_pack_bins, snapshot.members, labels, name)
        rows = _packed.get((name, snapshot.run_id, last), pack)
        show(build, rows, key=f"{name}-{len(styles)}", styles=styles)


def _pack_bins(members: Sequence[MemberSnapshot], labels: Sequence[str], name: str) -> bytes:
    return to_arrow(tables.bins_frame(members, labels, name))


def show(build: Any, rows: bytes, *, key: str, **arguments: Any) -> None:
    """Draw ``build(**arguments)`` over ``rows``, a frame in the form in which it travels."""
    # A copy, because Streamlit takes parts out of the specification it is given.
    given = {**_spec(build, **arguments), "datasets": {_ROWS: rows}}
    st.vega_lite_chart(spec=given, alt=given.pop("description"), key=key)


@shared(maxsize=256)
def _spec(build: Any, **arguments: Any) -> dict[str, Any]:
    chart: alt.TopLevelMixin = build(**arguments)
    return {**train_styles.without_data(chart.to_dict(validate=False)), "data": {"name": _ROWS}}

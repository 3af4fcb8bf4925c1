"""A run's figures on the page: numbers now, curves, KL per latent, sigma, calibration.

Specifications are built once for a run and only their data change, so that nothing flickers;
frames are made once for all who watch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import streamlit as st

from vae.beliefs import BELIEFS
from vae.charts.kit import calibration
from vae.charts.kit.theme import Style, dressed
from vae.charts.train import bound, curves, rate
from vae.charts.train import styles as train_styles
from vae.config import TrainConfig
from vae.lessons.questions import is_sweep, sweep_of
from vae.memo import Memo, shared
from vae.numerals import written
from vae.runs import tables
from vae.runs.snapshots import MemberSnapshot, RunSnapshot
from vae.theory.prediction import active_latents
from vae.web.kit import figures as kit_figures
from vae.web.streamlit_private import to_arrow
from vae.web.train import loss
from vae.web.train.verdict import test_images
from vae.wire.events import BoundEvent

# Frames, and the same in the form in which they travel: Streamlit would convert them anew for
# every viewer.
_frames = Memo(24)
# Of all curves of a figure: a line of a race bends every nine pixels of a wide figure.
_MOST_STEPS = 320
_packed = Memo(96)
_ROWS = "rows"
_BINS = {
    "response": calibration.build_response_chart,
    "calibration": calibration.build_calibration_chart,
}


_NAMES = {
    "log_likelihood": "log p(x|z)",
    "kl": "KL",
    "loss": "loss",
    "mse": "squared error",
    "trade": "squared error against KL",
    "scale": "σ and RMSE",
    "latents": "KL of each latent",
    "response": "mean output by grey of the target",
    "calibration": "calibration",
}
"""Every figure of a run by its name, and as the page speaks of it."""
_MAIN_HEIGHT = 340
_NAMED_HEIGHT = 290


def show_figures(snapshot: RunSnapshot, styles: tuple[Style, ...], answer: str) -> None:
    """The numbers, the figure ``answer`` that the question asks for, large; the others folded."""
    if len(snapshot.members) == 1:
        _show_numbers(snapshot)
    else:
        _show_table(snapshot, styles)
    if is_sweep([member.config for member in snapshot.members]):
        _show_rates(snapshot, styles)
        return
    names = _figures_of(snapshot)
    main = answer if answer in names else names[0]
    _show_figure(main, snapshot, styles, height=_MAIN_HEIGHT)
    st.caption(_caption(main, snapshot) + _changed_rates(snapshot))
    rest = [name for name in names if name != main]
    listed = ", ".join(_NAMES[name] for name in rest)
    # Drawn when it is open: at every poll each figure would be sent to every browser.
    fold = st.expander(
        f"More figures: {listed}",
        icon=":material/monitoring:",
        key="more-figures",
        on_change="rerun",
    )
    if fold.open:
        with fold, st.container(horizontal=True, key="train-figures"):
            # The first names the runs for all that are folded with it.
            several = len(styles) > 1
            for index, name in enumerate(rest):
                named = several and index == 0
                height = _NAMED_HEIGHT if named else None
                _show_figure(name, snapshot, styles, height, named=named)


def _caption(name: str, snapshot: RunSnapshot) -> str:
    """Of what the figure's marks were measured."""
    if name in _BINS:
        return "The test set after the newest epoch; a point's area grows with its pixels."
    if name == "latents":
        return f"Measured on {_numbers(snapshot)[0]}, the largest first."
    if name == "scale":
        return "Lines: training batches."
    return "Lines: training batches. Markers: the test set, after each epoch."


def _changed_rates(snapshot: RunSnapshot) -> str:
    """A sentence for the figures that have no axis of steps on which to mark it."""
    changes = tables.rate_changes(snapshot.members)
    steps = ", ".join(f"{step:,} (to {written(f'{rate:g}')})" for step, rate in changes)
    return f" The learning rate was changed at step {steps}." if changes else ""


def _figures_of(snapshot: RunSnapshot) -> list[str]:
    """The figures of a run: of a comparison only those in units that all share."""
    configs = [member.config for member in snapshot.members]
    if len(configs) == 1:
        names = ["latents", "log_likelihood", "kl", "loss", "mse", "response", "calibration"]
        # Only a Gaussian's best scale is the RMSE beside which it is drawn.
        return [*names, "scale"] if BELIEFS[configs[0].likelihood].gaussian else names
    names = ["trade", "mse", "kl", "latents", "response", "calibration"]
    return [*names, "log_likelihood"] if comparable_in_nats(configs) else names


@dataclass(frozen=True)
class _Numbers:
    """The figures of one member that the page prints; nats an image, squared error a pixel."""

    loss: float
    log_likelihood: float
    kl: float
    mse: float
    kl_per_latent: tuple[float, ...]
    scale: float | None


def _numbers(snapshot: RunSnapshot) -> tuple[str, list[_Numbers]]:
    """Of what the numbers are, and each member's: of a run that is over the test set's."""
    members = snapshot.members
    if _is_over(snapshot):
        ends = [member.epochs[-1] for member in members]
        words = f"{test_images(members[0])}, after epoch {ends[0].epoch} (step {ends[0].step:,})"
        return words, [
            _Numbers(
                end.test_loss,
                end.test_log_likelihood,
                end.test_kl,
                end.test_mse,
                end.test_kl_per_latent,
                end.scale,
            )
            for end in ends
        ]
    steps = [member.last_step for member in members]
    return f"the training batch of step {max(s.step for s in steps if s):,}", [
        _Numbers(step.loss, step.log_likelihood, step.kl, step.mse, step.kl_per_latent, step.scale)
        for step in steps
        if step is not None
    ]


def _is_over(snapshot: RunSnapshot) -> bool:
    """Whether the test set's figures after the last epoch are the run's result."""
    return snapshot.state.is_finished() and all(member.epochs for member in snapshot.members)


def _show_numbers(snapshot: RunSnapshot) -> None:
    """The loss taken apart: one line of numbers that add up."""
    words, [now] = _numbers(snapshot)
    config = snapshot.members[0].config
    weight = config.beta if config.sampling else 0.0
    kl = "KL" if weight == 1 else f"{weight:g} · KL"
    parts = [
        f"loss **{_nats(now.loss)}** = −log p(x|z) **{_nats(-now.log_likelihood)}** "
        f"+ {kl} **{_nats(weight * now.kl)}** nats",
        f"MSE **{now.mse:.4f}** per pixel",
        f"**{_in_use(now, config)}** latents in use",
    ]
    if now.scale is not None and BELIEFS[config.likelihood].gaussian:
        parts.append(f"σ **{now.scale:.3f}** beside RMSE **{now.mse**0.5:.3f}**")
    elif now.scale is not None:
        parts.append(f"scale **{now.scale:.3f}**")
    if (bits := _bits(snapshot.members[0])) != _NO_BITS:
        parts.append(f"**{bits}** bits per pixel on the test set")
    st.markdown(f"*On {words}:* " + " &nbsp;·&nbsp; ".join(parts))


def _nats(value: float) -> str:
    return written(f"{value:.1f}")


def _in_use(now: _Numbers, config: TrainConfig) -> str:
    text = f"{active_latents(now.kl_per_latent)} of {config.latent_dim}"
    expected = loss.prediction(config)
    if expected is not None and expected.active is not None:
        text += f" (predicted {expected.active})"
    return text


_NO_BITS = "–"


def _bits(member: MemberSnapshot) -> str:
    """Bits per pixel after the last epoch; a dash before the first, and for no likelihood."""
    bits = member.epochs[-1].bits_per_pixel if member.epochs else None
    return _NO_BITS if bits is None else f"{bits:.3f}"


def _show_table(snapshot: RunSnapshot, styles: Sequence[Style]) -> None:
    """The members' numbers, the common units first."""
    words, numbers = _numbers(snapshot)
    lines = [
        "| loss | bits per pixel | MSE per pixel | KL, nats | latents in use | its own loss |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    configs = [member.config for member in snapshot.members]
    for member, now, style in zip(snapshot.members, numbers, styles, strict=True):
        config = member.config
        learned = now.scale is not None and BELIEFS[config.likelihood].scale != "fixed"
        name = f"{style.label} ({now.scale:.3f})" if learned else style.label
        lines.append(
            f"| {name} | **{_bits(member)}** | **{now.mse:.4f}** | **{now.kl:.1f}** "
            f"| {_in_use(now, config)} | {_nats(now.loss)} |"
        )
    st.markdown(f"*On {words}:*\n\n" + "\n".join(lines))
    if not comparable_in_nats(configs):
        st.caption(
            "**Bits per pixel** are the one ruler for all, on the test set after each epoch. Each "
            "loss is read as a probability of a pixel's 256 grey levels: −log₂ of it, and the KL "
            "added. Squared error and KL compare too. The losses' own nats do not: a density, a "
            "probability of levels and a loss that is no likelihood count different things."
        )


def comparable_in_nats(configs: Sequence[TrainConfig]) -> bool:
    """Whether log p(x|z) means the same in all: densities of the same pixels, summed alike."""
    kinds = {BELIEFS[config.likelihood].counts for config in configs}
    return len(kinds) == 1 and len({(c.reduction, c.binarise) for c in configs}) == 1


def show_bounds(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    """The importance-weighted bound of the members for which it is measured, and its gap."""
    measured = [
        (member.bound, style)
        for member, style in zip(snapshot.members, styles, strict=True)
        if member.bound is not None
    ]
    if not measured:
        return
    st.header("A tighter bound", anchor="bound")
    show(
        bound.build_bound_chart,
        _packed.get(
            ("bound", snapshot.run_id, snapshot.version),
            lambda: to_arrow(
                tables.bound_frame(snapshot.members, [style.label for style in styles])
            ),
        ),
        key=f"bound-{len(styles)}",
        styles=styles,
    )
    st.markdown("\n".join(f"- **{style.label}**: {_gap(event)}" for event, style in measured))
    st.caption(
        "K draws of z for each image, weighed by what they are worth, bound log p(x) from below "
        "more tightly than one (importance weighting; Burda et al. 2016). What is gained over the "
        "ELBO is about KL(q ‖ posterior). The encoder's part of it goes when q is fitted to each "
        "image alone (the amortisation gap); the rest is q's shape, and what 1,000 draws miss."
    )


def _gap(event: BoundEvent) -> str:
    """Where the measurement stands, and how the gap splits."""
    if event.samples < event.total_samples:
        return f"{event.samples:,} of {event.total_samples:,} draws on {event.images} test images"
    words = f"the gap is **{event.gap:.1f} ± {event.gap_error:.1f}** nats per image"
    if event.amortisation_gap is None or event.amortisation_error is None:
        return f"{words}; fitting q to each of {event.images} images"
    rest = event.gap - event.amortisation_gap
    return (
        f"{words}: **{event.amortisation_gap:.1f} ± {event.amortisation_error:.1f}** of it the "
        f"encoder's, **{_nats(rest)}** the rest ({event.images} test images, "
        f"{event.seconds:.1f} s)"
    )


def _show_rates(snapshot: RunSnapshot, styles: tuple[Style, ...]) -> None:
    """What a nat buys under each loss, beside the linear VAE's curve."""
    members = snapshot.members
    configs = [member.config for member in members]
    kind = sweep_of(configs)
    families = [BELIEFS[config.likelihood].style for config in configs]
    config = configs[0]
    rows = _packed.get(
        ("rates", snapshot.run_id, snapshot.version),
        lambda: to_arrow(
            tables.rate_frame(
                members,
                [style.label for style in styles],
                [style.label for style in families],
                loss.linear_curve(config),
                [f"seed {c.seed}" for c in configs] if kind == "seeds" else (),
            )
        ),
    )
    show(rate.build_rate_chart, rows, key="rates", families=tuple(dict.fromkeys(families)))
    said = _over_the_seeds(members) if kind == "seeds" else _at_equal_rate(members)
    if said:
        st.markdown("\n".join(said))
    st.caption(
        "Each point is a run: what it pays in KL, and the squared error that it leaves on the test "
        "set. A small σ, or a small β, buys detail with nats; every loss picks one rate of "
        "exchange. The dotted line is the least a linear VAE leaves at each KL (reverse "
        "water-filling): a network may lie below it, since its pictures are no Gaussian's. Sharper "
        "at equal KL is what counts: compare points above one another, with more than one seed."
    )


def _at_equal_rate(members: Sequence[MemberSnapshot]) -> list[str]:
    """For each loss beside the swept one, the swept one's error at that KL, between its points."""
    swept = members[0].config.likelihood
    tested = [member for member in members if member.epochs]
    curve = sorted(
        (member.epochs[-1].test_kl, math.log(member.epochs[-1].test_mse))
        for member in tested
        if member.config.likelihood == swept
    )
    name = "a Gaussian" if swept == "gaussian" else f"{BELIEFS[swept].short} with another β"
    sentences = []
    for member in tested:
        last, belief = member.epochs[-1], BELIEFS[member.config.likelihood]
        if belief.name == swept or len(curve) < 2:
            continue
        if curve[0][0] <= last.test_kl <= curve[-1][0]:
            rates, errors = zip(*curve, strict=True)
            error = math.exp(float(np.interp(last.test_kl, rates, errors)))
            sentences.append(
                f"- At {belief.short}'s KL of **{last.test_kl:.1f}** nats it leaves a squared "
                f"error of **{last.test_mse:.4f}**; {name} would leave **{error:.4f}**."
            )
    return sentences


def _over_the_seeds(members: Sequence[MemberSnapshot]) -> list[str]:
    """A table of the losses over their seeds: mean and half the range; empty before the end of the
    first epoch."""
    if not all(member.epochs for member in members):
        return []
    lines = [
        "| mean ± half the range | KL, nats | MSE per pixel | bits per pixel |",
        "|:--|--:|--:|--:|",
    ]
    for likelihood in dict.fromkeys(member.config.likelihood for member in members):
        ends = [m.epochs[-1] for m in members if m.config.likelihood == likelihood]
        cells = [
            _spread([end.test_kl for end in ends], ".1f"),
            _spread([end.test_mse for end in ends], ".4f"),
            _spread([end.bits_per_pixel or math.nan for end in ends], ".3f"),
        ]
        lines.append(f"| {BELIEFS[likelihood].short} | " + " | ".join(cells) + " |")
    return lines


def _spread(values: Sequence[float], form: str) -> str:
    return f"{np.mean(values):{form}} ± {np.ptp(values) / 2:{form}}"


def _show_figure(
    name: str,
    snapshot: RunSnapshot,
    styles: tuple[Style, ...],
    height: int | None = None,
    *,
    named: bool = True,
) -> None:
    """``named``: whether the figure names its runs, where it has several."""
    named = named and len(styles) > 1
    if name in _BINS:
        _show_bins(name, snapshot, styles, height, named)
    elif name == "latents":
        _show_kl(snapshot, styles, height, named)
    elif name == "scale":
        _show_scale(snapshot, height)
    elif name == "trade":
        show(
            curves.build_trade_chart,
            _curves(snapshot, styles, "kl", "mse"),
            key=f"trade-{len(styles)}",
            height=height,
            styles=styles,
            named=named,
            total_steps=snapshot.total_steps,
            rate_changes=tables.rate_changes(snapshot.members),
        )
    else:
        show(
            curves.build_curve_chart,
            _curves(snapshot, styles, name),
            key=f"curve-{name}-{len(styles)}",
            height=height,
            field=name,
            styles=styles,
            named=named,
            total_steps=snapshot.total_steps,
            rate_changes=tables.rate_changes(snapshot.members),
        )


def _curves(snapshot: RunSnapshot, styles: Sequence[Style], *fields: str) -> bytes:
    labels = [style.label for style in styles]
    frame = _frames.get(
        ("curves", snapshot.run_id, snapshot.version),
        lambda: tables.curve_frame(snapshot.members, labels, _MOST_STEPS),
    )
    return _packed.get(
        ("curves", snapshot.run_id, snapshot.version, fields),
        lambda: to_arrow(tables.light(frame[["step", "member", "on", *fields]])),
    )


def _show_scale(snapshot: RunSnapshot, height: int | None) -> None:
    rows = _packed.get(
        ("scale", snapshot.run_id, snapshot.version),
        lambda: to_arrow(tables.light(tables.scale_frame(snapshot.members[0], _MOST_STEPS))),
    )
    show(
        curves.build_scale_chart,
        rows,
        key="scale",
        height=height,
        total_steps=snapshot.total_steps,
        rate_changes=tables.rate_changes(snapshot.members),
    )


def _show_kl(
    snapshot: RunSnapshot, styles: tuple[Style, ...], height: int | None, named: bool
) -> None:
    expected = [loss.prediction(member.config) for member in snapshot.members]
    predicted = [each.kl_per_latent if each else () for each in expected]
    labels = [style.label for style in styles]
    on = tables.TEST if _is_over(snapshot) else tables.BATCH
    rows = _packed.get(
        ("kl", snapshot.run_id, snapshot.version),
        lambda: to_arrow(tables.kl_frame(snapshot.members, labels, predicted, on=on)),
    )
    latents = max(member.config.latent_dim for member in snapshot.members)
    show(
        curves.build_kl_chart,
        rows,
        key=f"latents-{len(styles)}",
        height=height,
        styles=styles,
        named=named,
        latents=latents,
        predicted=any(predicted),
    )


def _show_bins(
    name: str, snapshot: RunSnapshot, styles: tuple[Style, ...], height: int | None, named: bool
) -> None:
    labels = [style.label for style in styles]
    if not all(member.epochs for member in snapshot.members):
        what = _NAMES[name]
        st.caption(f"{what[0].upper()}{what[1:]}: measured after the first epoch.")
        return
    last = snapshot.members[0].epochs[-1].epoch
    pack = partial(_pack_bins, snapshot.members, labels, name)
    rows = _packed.get((name, snapshot.run_id, last), pack)
    show(
        _BINS[name],
        rows,
        key=f"{name}-{len(styles)}",
        height=height,
        styles=styles,
        named=named,
    )


def _pack_bins(members: Sequence[MemberSnapshot], labels: Sequence[str], name: str) -> bytes:
    return to_arrow(tables.bins_frame(members, labels, name))


def show(build: Any, rows: bytes, *, key: str, height: int | None = None, **arguments: Any) -> None:
    """Draw ``build(**arguments)`` over ``rows``, a frame in the form in which it travels.

    ``height`` in pixels, where it is not the chart's own.
    """
    given = {**_spec(build, **arguments), "datasets": {_ROWS: rows}}
    what = (build, rows, tuple(sorted(arguments.items())))
    kit_figures.draw_once(what, given, key=key, height=height)


@shared(maxsize=256)
def _spec(build: Any, **arguments: Any) -> dict[str, Any]:
    chart: alt.TopLevelMixin = build(**arguments)
    spec = dressed(chart.to_dict(validate=False))
    return {**train_styles.without_data(spec), "data": {"name": _ROWS}}

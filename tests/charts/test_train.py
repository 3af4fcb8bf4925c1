"""The charts of a run: what they draw is what was measured, under one specification."""

import json
import re
from dataclasses import replace
from itertools import combinations

import altair as alt
import numpy as np
import pandas as pd
import pytest
import run_samples
import vl_convert
from vega import rows_of

from vae.beliefs import BELIEFS
from vae.charts.kit import calibration
from vae.charts.kit.theme import dressed
from vae.charts.train import curves, maps, rate
from vae.charts.train.styles import member_styles, without_data
from vae.config import LIKELIHOODS, TrainConfig
from vae.images.sets import DIGIT_NAMES, FASHION_NAMES
from vae.runs import tables
from vae.wire.events import StepEvent

LABELS = ("BCE", "MSE, σ 1")
CONFIGS = (TrainConfig(latent_dim=4), TrainConfig(likelihood="gaussian", latent_dim=4))
STYLES = member_styles(CONFIGS, LABELS)
MEMBERS = run_samples.run(*CONFIGS).members
BUILDERS = [
    (curves.build_curve_chart, {"field": "kl", "styles": STYLES, "total_steps": 100}),
    (curves.build_curve_chart, {"field": "mse", "styles": STYLES[:1], "total_steps": 100}),
    (curves.build_trade_chart, {"styles": STYLES, "total_steps": 100}),
    (curves.build_curve_chart, {"field": "mse", "styles": STYLES, "total_steps": 9, "named": True}),
    (curves.build_kl_chart, {"styles": STYLES, "latents": 4}),
    (curves.build_kl_chart, {"styles": STYLES, "latents": 4, "named": True}),
    (calibration.build_response_chart, {"styles": STYLES, "named": True}),
    (curves.build_kl_chart, {"styles": STYLES[:1], "latents": 4, "predicted": False}),
    (curves.build_scale_chart, {"total_steps": 100}),
    (calibration.build_calibration_chart, {"styles": STYLES}),
    (calibration.build_response_chart, {"styles": STYLES}),
    (maps.build_map_chart, {"names": ("0", "1"), "latents": (3, 1)}),
]


def _with(chart: alt.TopLevelMixin, frame) -> dict:
    spec = without_data(chart.to_dict())
    rows = json.loads(frame.to_json(orient="records", double_precision=15))
    return {**spec, "data": {"values": rows}}


class _Drawn:
    """A specification that ``rows_of`` takes for a chart."""

    def __init__(self, spec: dict) -> None:
        self.spec = spec

    def to_dict(self) -> dict:
        return self.spec


def test_curves_hold_every_step_and_epoch_of_every_member():
    frame = tables.curve_frame(MEMBERS, LABELS)
    assert len(frame) == sum(len(each.steps) + len(each.epochs) for each in MEMBERS)
    batches = frame[(frame["member"] == "BCE") & (frame["on"] == "training batch")]
    assert list(batches["loss"]) == [event.loss for event in MEMBERS[0].steps]
    test = frame[frame["on"] == "test set"]
    assert list(test["mse"]) == [each.epochs[0].test_mse for each in MEMBERS]


def test_a_value_that_is_not_finite_is_no_point():
    broken = replace(MEMBERS[0].steps[-1], loss=float("nan"), log_likelihood=float("-inf"))
    member = replace(MEMBERS[0], steps=(*MEMBERS[0].steps, broken))
    frame = tables.curve_frame([member], ["BCE"])
    assert len(frame) == len(member.steps) - 1 + len(member.epochs)


def test_sigma_stands_beside_the_error_that_it_should_be():
    frame = tables.scale_frame(MEMBERS[1])
    rmse = frame[frame["quantity"] == tables.RMSE]["value"]
    assert list(rmse) == pytest.approx([event.mse**0.5 for event in MEMBERS[1].steps])
    assert set(frame[frame["quantity"] == tables.SCALE]["value"]) == {0.5}
    assert tables.scale_frame(MEMBERS[0]).empty


def test_latents_are_ranked_and_held_against_the_prediction():
    frame = tables.kl_frame(MEMBERS, LABELS, [(), (2.5, 0.5)])
    measured = frame[(frame["kind"] == "measured") & (frame["member"] == LABELS[1])]
    assert list(measured["kl"]) == [3.0, 2.0, 1.0, 0.0]
    predicted = frame[frame["kind"] == "predicted"]
    assert list(predicted["kl"]) == [2.5, 0.5]
    assert set(predicted["member"]) == {LABELS[1]}


def test_codes_carry_their_class_names():
    gallery = MEMBERS[0].gallery
    frame = tables.code_frame(gallery, [f"class {index}" for index in range(10)])
    assert list(frame["name"][:3]) == ["class 0", "class 1", "class 2"]
    assert frame["first"].to_numpy() == pytest.approx(gallery.codes[:, 0])


@pytest.mark.parametrize(("build", "arguments"), BUILDERS)
def test_every_chart_is_described_and_draws_in_vega(build, arguments):
    spec = without_data(build(**arguments).to_dict())
    assert len(spec["description"]) > 40
    assert "empty" not in str(spec), "a data set that the page does not send"
    # The Vega compiler accepts it, and it renders without data as before a first step.
    assert "<svg" in vl_convert.vegalite_to_svg({**spec, "data": {"values": []}})


@pytest.mark.parametrize(("build", "arguments"), BUILDERS)
def test_a_specification_is_the_same_every_time(build, arguments):
    assert build(**arguments).to_dict() == build(**arguments).to_dict()


def _steps(values) -> tuple[StepEvent, ...]:
    first = MEMBERS[0].steps[0]
    return tuple(
        replace(first, step=step, loss=float(value)) for step, value in enumerate(values, 1)
    )


def test_the_first_steps_far_off_the_scale_do_not_flatten_the_rest():
    settled = 100 + np.linspace(5, 0, 200)
    member = replace(MEMBERS[0], steps=_steps([900.0, 600.0, *settled]), epochs=())
    frame = tables.curve_frame([member], LABELS[:1])
    chart = curves.build_curve_chart(field="loss", styles=STYLES[:1], total_steps=202)
    drawn = rows_of(_Drawn(_with(chart, frame)), ["loss", "_middle"])
    losses = {row["loss"] for row in drawn}
    assert sorted(losses) == pytest.approx(sorted(settled), rel=1e-12)


def test_nothing_is_hidden_of_curves_without_outliers():
    values = 100 + np.linspace(50, 0, 40)
    member = replace(MEMBERS[0], steps=_steps(values), epochs=())
    frame = tables.curve_frame([member], LABELS[:1])
    chart = curves.build_curve_chart(field="loss", styles=STYLES[:1], total_steps=40)
    drawn = rows_of(_Drawn(_with(chart, frame)), ["loss", "_middle"])
    losses = {row["loss"] for row in drawn}
    assert sorted(losses) == pytest.approx(sorted(values), rel=1e-12)


def test_the_map_names_each_class_by_the_median_of_its_codes():
    names = tuple(str(index) for index in range(10))
    frame = tables.code_frame(MEMBERS[0].gallery, names)
    expected = frame.groupby("name")[["first", "second"]].median()
    middles = maps.middles_of(frame)
    for name, x, y in middles:
        assert (x, y) == pytest.approx(tuple(expected.loc[name]))
    placed = maps.place_names(middles, 3.6)
    spec = maps.build_map_chart(names=names, latents=(0, 1), placed=placed).to_dict()
    [words] = [layer for layer in spec["layer"] if "text" in layer["encoding"]]
    drawn = {row["text"]: (row["x"], row["y"]) for row in words["data"]["values"]}
    assert drawn == {each.text: (each.x, each.y) for each in placed}


def _drawn_boxes(placed, names, reach) -> list[tuple[float, float, float, float]]:
    """Where each name is on a phone's map in a low window, by the size that the chart gives it."""
    spec = maps.build_map_chart(names=names, latents=(0, 1), reach=reach, placed=placed).to_dict()
    [words] = [layer for layer in spec["layer"] if "text" in layer["encoding"]]
    size = words["mark"]["fontSize"]
    across, down = 250 / (2 * reach), 130 / (2 * reach)
    return [
        (each.x * across - 0.3 * size * len(each.text), each.y * down - 0.5 * size,
         each.x * across + 0.3 * size * len(each.text), each.y * down + 0.5 * size)
        for each in placed
    ]  # fmt: skip


@pytest.mark.parametrize("names", [DIGIT_NAMES, FASHION_NAMES], ids=["digits", "fashion"])
@pytest.mark.parametrize("spread", [0.0, 0.02, 0.5, 1.5])
def test_no_name_on_a_map_lies_on_another_and_a_line_leads_from_what_moved(names, spread):
    random, reach = np.random.default_rng(3), 3.6
    places = np.clip(random.normal(0, spread, (len(names), 2)), -3.5, 3.5)
    middles = tuple((name, *map(float, at)) for name, at in zip(names, places, strict=True))
    placed = maps.place_names(middles, reach)
    boxes = _drawn_boxes(placed, names, reach)
    for (left, low, right, high), (left_, low_, right_, high_) in combinations(boxes, 2):
        assert min(right, right_) <= max(left, left_) or min(high, high_) <= max(low, low_)
    assert all(abs(each.x) <= reach and abs(each.y) <= reach for each in placed)
    spec = maps.build_map_chart(names=names, latents=(0, 1), reach=reach, placed=placed).to_dict()
    lines = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    begun = {(row["x"], row["y"]) for layer in lines for row in layer["data"]["values"]}
    # A name that no longer covers the middle of its class is led to it.
    for each, (left, low, right, high) in zip(placed, boxes, strict=True):
        x, y = each.middle[0] * 250 / (2 * reach), each.middle[1] * 130 / (2 * reach)
        if not (left - 2 <= x <= right + 2 and low - 2 <= y <= high + 2):
            assert each.middle in begun


@pytest.mark.parametrize(
    ("build", "arguments"), [each for each in BUILDERS if each[1].get("named")]
)
def test_a_figure_that_stands_alone_names_its_runs(build, arguments):
    """By a legend that shows the strokes, and never by colour alone."""
    drawn = build(**arguments).to_dict()
    channels = [
        channel
        for layer in drawn["layer"]
        for name, channel in layer["encoding"].items()
        if name in ("strokeDash", "shape") and channel.get("field") == "member"
    ]
    assert any(channel.get("legend", {}) is not None for channel in channels)


def test_a_path_ends_with_its_name():
    chart = curves.build_trade_chart(styles=STYLES, total_steps=1, named=True)
    spec = _with(chart, tables.curve_frame(MEMBERS, LABELS))
    names = rows_of(_Drawn(spec), ["member", "kl", "mse", "newest"])
    ends = {label: each.epochs[-1] for label, each in zip(LABELS, MEMBERS, strict=True)}
    assert sorted(row["member"] for row in names) == sorted(ends)
    for row in names:
        end = ends[row["member"]]
        assert (row["kl"], row["mse"]) == pytest.approx((end.test_kl, end.test_mse))


def _svg(chart: alt.TopLevelMixin, frame, width: int = 330) -> str:
    """As a phone draws it."""
    spec = _with(chart, frame)
    return vl_convert.vegalite_to_svg({**dressed(spec), "width": width, "autosize": "fit"})


LONG = ("BCE, z drawn (VAE)", "BCE, z not drawn (autoencoder)")


def test_a_long_name_at_the_far_end_of_a_path_does_not_shrink_the_plot():
    """It would stand beyond the plot, which makes room for it."""

    def plot(names, named) -> float:
        far = replace(MEMBERS[1].epochs[-1], test_kl=150.0)
        members = [MEMBERS[0], replace(MEMBERS[1], epochs=(far,))]
        chart = curves.build_trade_chart(
            styles=member_styles(CONFIGS, names), total_steps=1, named=named
        )
        drawn = _svg(chart, tables.curve_frame(members, names))
        return float(re.search(r'class="background"[^>]*d="M[-\d.]+,[-\d.]+h([\d.]+)', drawn)[1])

    assert plot(LONG, named=True) > 0.85 * plot(LONG, named=False)


@pytest.mark.parametrize("names", [LABELS, LONG], ids=["short", "long"])
def test_a_legend_of_runs_shows_strokes_and_fits_a_phone(names):
    styles = member_styles(CONFIGS, names)
    chart = curves.build_curve_chart(field="mse", styles=styles, total_steps=9, named=True)
    drawn = _svg(chart, tables.curve_frame(MEMBERS, names))
    symbols = re.findall(r'role-legend-symbol".*? d="([^"]+)"', drawn)
    # A stroke to the right, and no shape.
    assert [re.sub(r"[\d.]+", "", symbol) for symbol in symbols] == ["M-,L,"] * len(names)
    for build, frame in (
        (curves.build_curve_chart, tables.curve_frame(MEMBERS, names)),
        (calibration.build_response_chart, tables.bins_frame(MEMBERS, names, "response")),
    ):
        arguments = {"field": "kl", "total_steps": 9} if build is curves.build_curve_chart else {}
        drawn = _svg(build(styles=styles, named=True, **arguments), frame)
        legend = drawn.split('role-legend"')[1]
        assert float(re.search(r"M0,0h([\d.]+)v", legend)[1]) < 330


def test_members_differ_in_colour_and_in_dash():
    configs = [TrainConfig(likelihood=name) for name in LIKELIHOODS]
    for first in configs:
        for second in configs:
            pair = member_styles([first, second], ["a", "b"])
            assert pair[0].colour != pair[1].colour
            assert pair[0].dash != pair[1].dash
    same = member_styles([TrainConfig(seed=seed) for seed in range(4)], "abcd")
    assert len({style.colour for style in same}) == 4


def test_an_unknown_field_is_refused_by_name():
    with pytest.raises(ValueError, match="field: 'purple' given; allowed is one of"):
        curves.build_curve_chart(field="purple", styles=STYLES, total_steps=1)


def test_greys_are_told_both_ways():
    """Given the target and given the output: each chart has its own bins, and its own x axis."""
    for name, x, build in (
        ("response", "target", calibration.build_response_chart),
        ("calibration", "output", calibration.build_calibration_chart),
    ):
        frame = tables.bins_frame(MEMBERS, LABELS, name)
        bins = getattr(MEMBERS[0].epochs[-1], name)
        assert list(frame[frame["member"] == "BCE"]["output"]) == [each.output for each in bins]
        points = build(styles=STYLES).to_dict()["layer"][-1]["encoding"]
        assert points["x"]["field"] == x


RATES = ((40, 0.01), (70, 0.002))


@pytest.mark.parametrize("field", ["kl", "mse"])
def test_a_changed_rate_is_a_mark_on_the_curves(field):
    chart = curves.build_curve_chart(
        field=field, styles=STYLES, total_steps=100, rate_changes=RATES
    )
    spec = _with(chart, tables.curve_frame(MEMBERS, LABELS))
    marks = rows_of(_Drawn(spec), ["step", "rate"])
    assert {(row["step"], row["rate"]) for row in marks} == {(40, "rate 0.01"), (70, "rate 0.002")}
    assert "0.01 from step 40" in spec["description"]
    assert "<svg" in vl_convert.vegalite_to_svg(spec)
    assert "changed" not in curves.build_scale_chart(total_steps=100).to_dict()["description"]


def test_a_changed_rate_is_a_cross_on_every_path():
    steps = MEMBERS[0].steps[-1].step, MEMBERS[0].steps[-2].step
    changes = ((steps[1], 0.01), (steps[0], 0.002))
    chart = curves.build_trade_chart(styles=STYLES, total_steps=100, rate_changes=changes)
    spec = _with(chart, tables.curve_frame(MEMBERS, LABELS))
    crosses = {**spec, "layer": [spec["layer"][-2]]}
    marks = rows_of(_Drawn(crosses), ["step", "rate", "member"])
    assert {(row["member"], row["rate"]) for row in marks} == {
        (label, rate) for label in LABELS for rate in ("rate 0.01", "rate 0.002")
    }
    assert "<svg" in vl_convert.vegalite_to_svg(spec)
    assert f"0.002 from step {steps[0]}" in spec["description"]


def test_rate_changes_are_read_from_the_steps():
    steps = [
        replace(MEMBERS[0].steps[0], step=step, learning_rate=rate)
        for step, rate in ((1, 1e-3), (20, 1e-3), (40, 1e-2), (60, 1e-2), (70, 2e-3))
    ]
    assert tables.rate_changes([replace(MEMBERS[0], steps=tuple(steps))]) == RATES
    assert tables.rate_changes(MEMBERS) == ()


def test_of_a_run_that_is_over_the_test_sets_latents_are_drawn():
    epoch = replace(MEMBERS[0].epochs[-1], test_kl_per_latent=(0.5, 2.5, 0.0, 1.0))
    member = replace(MEMBERS[0], epochs=(epoch,))
    frame = tables.kl_frame([member], LABELS[:1], [()], on=tables.TEST)
    assert list(frame["kl"]) == [2.5, 1.0, 0.5, 0.0]
    assert list(tables.kl_frame([member], LABELS[:1], [()])["kl"]) == [3.0, 2.0, 1.0, 0.0]


def test_a_map_reaches_as_far_as_it_is_told():
    chart = maps.build_map_chart(names=("0", "1"), latents=(0, 1), reach=12.5).to_dict()
    scales = [layer["encoding"]["x"].get("scale", {}) for layer in chart["layer"]]
    assert {"domain": [-12.5, 12.5], "nice": False} in scales


@pytest.mark.parametrize(
    ("runs", "named"),
    [
        ([("σ 0.05", 60, 0.008), ("σ 0.2", 20, 0.02), ("BCE", 19.5, 0.0195)], 3),
        ([("one", 0.1, 0.2153), ("two", 60, 0.008), ("far away", 60.1, 0.008)], 3),
        ([("one", 60, 0.008), ("two", 60, 0.008), ("three", 60, 0.008), ("four", 1, 0.2)], 3),
    ],
)
def test_no_name_in_a_sweep_lies_on_another(runs, named):
    family = BELIEFS["gaussian"].style
    rows = [
        {"kind": tables.MEASURED, "family": family.label, "name": name, "kl": kl, "mse": mse}
        for name, kl, mse in runs
    ]
    drawn = _svg(rate.build_rate_chart(families=(family,)), pd.DataFrame(rows))
    texts = re.findall(
        r'text-anchor="(start|end)" transform="translate\(([-\d.]+),([-\d.]+)\)"[^>]*>([^<]+)<',
        drawn,
    )
    boxes = []
    for anchor, x, y, text in texts:
        if text in {name for name, _, _ in runs}:
            left = float(x) - (7 * len(text) if anchor == "end" else 0)
            boxes.append((left, left + 7 * len(text), float(y)))
    assert len(boxes) == named
    for (left, right, y), (left_, right_, y_) in combinations(boxes, 2):
        assert min(right, right_) <= max(left, left_) or abs(y - y_) >= 12

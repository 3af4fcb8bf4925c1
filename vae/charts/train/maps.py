"""What a trained model does: outputs against targets, and where its codes lie."""

import altair as alt

from vae.charts.kit.layers import layered
from vae.charts.kit.theme import TARGET, Style
from vae.charts.train.styles import HEIGHT, colour, dash, shape, title


def build_response_chart(*, styles: tuple[Style, ...]) -> alt.TopLevelMixin:
    """Mean output for each grey of the target: it leans to the middle where z does not tell all."""
    return _bins_chart(
        styles,
        "target",
        "output",
        "mean output by grey of the target",
        "Mean output against target grey in twenty bins of the test set's pixels; "
        "the dotted diagonal is an output equal to its target.",
    )


def build_calibration_chart(*, styles: tuple[Style, ...]) -> alt.TopLevelMixin:
    """Mean target for each output: on the diagonal an output means what it says."""
    return _bins_chart(
        styles,
        "output",
        "target",
        "calibration: mean target by output",
        "Calibration: mean target against output in twenty bins of the test set's pixels; "
        "on the dotted diagonal an output of a grey is that grey on average.",
    )


def _bins_chart(
    styles: tuple[Style, ...], x: str, y: str, words: str, description: str
) -> alt.TopLevelMixin:
    ends = alt.Data(values=[{"target": 0, "output": 0}, {"target": 1, "output": 1}])
    axis = alt.Scale(domain=[0, 1], nice=False)
    diagonal = (
        alt.Chart(ends)
        .mark_line(color=TARGET.colour, strokeDash=[2, 3])
        .encode(x=alt.X(f"{x}:Q"), y=alt.Y(f"{y}:Q"))
    )
    base = alt.Chart().encode(
        x=alt.X(f"{x}:Q", title=None, scale=axis),
        y=alt.Y(f"{y}:Q", title=None, scale=axis),
        color=colour(styles),
    )
    line = base.mark_line(strokeWidth=1.5).encode(strokeDash=dash(styles))
    points = base.mark_point(filled=True, size=45, opacity=1).encode(
        shape=shape(styles),
        tooltip=[
            alt.Tooltip("member:N", title="run"),
            alt.Tooltip("target:Q", format=".3f"),
            alt.Tooltip("output:Q", format=".3f"),
            alt.Tooltip("count:Q", title="pixels", format=",.0f"),
        ],
    )
    return layered(
        diagonal,
        line,
        points,
        height=HEIGHT,
        title=title(words),
        description=description,
    )


def build_map_chart(*, names: tuple[str, ...], latents: tuple[int, ...]) -> alt.TopLevelMixin:
    """Codes of test images in two latents, a colour for each class and its name at its centre."""
    axis = alt.Scale(domain=[-3.6, 3.6], nice=False)
    titles = [f"latent {latent + 1}" for latent in latents] + ["(no second latent)"]
    base = alt.Chart()
    by_class = alt.Color(
        "name:N", scale=alt.Scale(domain=list(names), scheme="tableau10"), legend=None
    )
    points = base.mark_circle(size=14, opacity=0.35, clip=True).encode(
        x=alt.X("first:Q", title=titles[0], scale=axis),
        y=alt.Y("second:Q", title=titles[1], scale=axis),
        color=by_class,
        tooltip=[alt.Tooltip("name:N", title="class")],
    )
    centres = (
        base.transform_aggregate(x="median(first)", y="median(second)", groupby=["name"])
        .mark_text(fontSize=20, fontWeight="bold")
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("name:N"), color=by_class)
    )
    return layered(
        points,
        centres,
        height=300,
        description="Posterior means of test images in the two most informative latents, coloured "
        "by class, each class's name at its median.",
    )

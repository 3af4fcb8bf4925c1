"""Where a trained model's codes lie."""

import altair as alt

from vae.charts.kit.layers import layered


def build_map_chart(
    *, names: tuple[str, ...], latents: tuple[int, ...], reach: float = 3.6
) -> alt.TopLevelMixin:
    """Codes of test images in two latents, a colour for each class and its name at its centre.

    ``reach``: how far from 0 both axes go.
    """
    axis = alt.Scale(domain=[-reach, reach], nice=False)
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

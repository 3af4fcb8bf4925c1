"""Derivation: from E[log p(x|z)] to the mean squared error, and what sigma does on the way."""

import streamlit as st

from vae.charts.derivation import learned
from vae.charts.derivation import sigma as panels
from vae.charts.derivation.nll import build_nll_chart
from vae.charts.derivation.parts import FIT_MEAN, FIT_SIGMA, PIXEL_DIALS, VARIANCE
from vae.lessons import pictures
from vae.theory.learned_scale import constant_pixels
from vae.web.derivation import lines, objective
from vae.web.kit import figures, layout, lesson

pixel = figures.query_values(PIXEL_DIALS)
variance = figures.query_values([VARIANCE])["variance"]
fit = figures.query_values([FIT_MEAN, FIT_SIGMA])

st.title("From log likelihood to MSE")
st.markdown(
    "A VAE's loss has a term called *reconstruction error*. Why is it a mean squared error in so "
    "much code, and what did that code decide without saying so? It decided one number: **σ**."
)

# The dials of one pixel stay in view while the sections that follow them are read.
with st.container():
    st.header("1 · The expansion", anchor="expansion")
    st.markdown(
        "Eight short lines lead from the likelihood to MSE. The numbers below each line are those "
        "of **your pixel**: drag x, μ and σ at the foot of the window, and read on with *Next*."
    )
    lines.show_expansion(pixel)
    lesson.take_away(
        "MSE is the Gaussian log likelihood with the sign turned, a factor "
        "1/(2σ²) and a constant. It is not a law; it is a Gaussian with one fixed σ."
    )
    lesson.threads("derivation", "expansion")

    st.header("2 · One σ moves everything", anchor="sigma")
    with layout.row("sigma"):
        st.markdown("**One parabola, stretched by 1/(2σ²) and shifted**")
        figures.show_chart(panels.build_log_prob_chart, key="log-prob", **pixel)
        st.markdown("**Two gradients, one ratio everywhere: 1/(2σ²)**")
        figures.show_chart(panels.build_gradient_chart, key="gradient", **pixel)
        st.markdown("**The NLL of 784 such pixels: least at σ = RMSE**")
        figures.show_chart(build_nll_chart, key="nll", **pixel)
        st.markdown("**What the Gaussian believes, and its mass outside [0, 1]**")
        figures.show_chart(panels.build_density_chart, key="density", **pixel)
    st.markdown(
        "Drag σ. **Parabola**: the dotted curve never leaves the log likelihood: fixed σ only "
        "stretches and shifts the squared error. **Gradients**: the gradients stay parallel. "
        "**NLL**: too small a σ is punished steeply and too large a one gently; the best "
        "is the RMSE, and below RMSE 0.242 the best NLL is *negative*, which is normal for a "
        "density. **Belief**: a wide σ believes in pixels that cannot exist."
    )
    lesson.take_away(
        "Fixed σ: same minimiser as MSE, gradient times 1/(2σ²). "
        "Code that averages over 784 pixels beside a summed KL sits at σ = 19.8: try the button."
    )
    lesson.threads("derivation", "sigma")

    st.header("3 · On an image", anchor="image")
    lines.show_pictures(pixel["sigma"])
    st.markdown(
        "Drag σ again. The map of −log p is the map of squared error on another ruler: a small σ "
        "makes every miss loud (orange) and every hit a reward (blue); a large σ hears nothing. "
        "The two sums agree to the last digits. The last picture is what the decoder *really* "
        "claims an image looks like: its mean **plus σ of noise on every pixel**. We look at means."
    )
    lesson.take_away("log p = −D/(2σ²) · MSE − D log σ − D/2 log 2π, for any image at all.")
    lesson.threads("derivation", "image")
    figures.dials(
        *PIXEL_DIALS,
        values=pixel,
        presets={
            "σ = 1": {"sigma": 1.0},
            "sum without ½: 0.707": {"sigma": 0.5**0.5},
            "pixel mean: 19.8": {"sigma": 392**0.5},
        },
        inline=True,
        key=figures.dock("pixel-dials"),
    )

st.header("4 · What σ does your code imply?", anchor="implied-sigma")
lines.show_calculator()
st.markdown(
    "Choose the lines that look like yours. A loss *a · SSE + b · KL* has the gradients of a "
    "Gaussian VAE with σ² = b/(2a), times b. Nobody wrote σ = 19.8; the mean over pixels did."
)
lesson.take_away(
    "Beside a KL, *how you reduce* is *which σ you chose*. "
    "With a fixed σ, β and σ² are one number: β · σ²."
)
lesson.threads("derivation", "implied-sigma")

st.header("5 · “Adjust the learning rate”", anchor="learning-rate")
objective.show_race()
st.markdown(
    "A linear VAE with one latent, trained twice: at σ = 1, and at another σ with the learning "
    "rate multiplied by σ² to make up for it (Adam keeps its rate). Without the KL the dashed "
    "path lies on the thick one. With the KL it goes elsewhere, and ends elsewhere."
)
lesson.take_away(
    "A factor on the *whole* loss is a learning rate. σ scales only one of two "
    "terms: it is another objective, and no learning rate undoes it."
)
lesson.threads("derivation", "learning-rate")

st.header("6 · Collapse", anchor="collapse")
objective.show_collapse(variance)
st.markdown(
    "Drag σ². Each stick is how much the data vary along one direction. In a linear VAE a latent "
    "pays for its KL only if its stick stands **above σ²**. At 392 none does: that is posterior "
    "collapse, from a mean over pixels. Deep VAEs need not obey. The points say what they "
    "did: they leave less error than the linear one while latents are alive, and at 392 "
    "collapse with it."
)
lesson.take_away(
    "Latent j is alive iff λⱼ > σ² (λⱼ > βσ² with a β). Then its KL is "
    "½ log(λⱼ/σ²) and its direction keeps an error of σ²."
)
lesson.threads("derivation", "collapse")

st.header("7 · A learned σ", anchor="learned-sigma")
with layout.row("learned-sigma"):
    st.markdown("**One σ, learned: the loss is D/2 · log MSE**")
    figures.show_chart(learned.build_learned_loss_chart, key="learned")
    st.markdown("**One σ for each pixel: no floor, no end**")
    figures.show_chart(learned.build_floor_chart, key="floor", errors=pictures.pixel_errors())
st.markdown(
    "**One σ**: each fixed σ is a straight line in MSE. A learned σ follows the logarithm that "
    "touches them all from below: the better the fit, the harder it pulls. **One σ a pixel**: the "
    f"built-in digits under their mean image; {constant_pixels(pictures.pixel_errors())} of their "
    "784 pixels never change, so a σ of their own goes to 0 and −log p to minus infinity."
)
lesson.take_away(
    "Learn *one* σ (it finds the RMSE), or set it to the RMSE. For one σ a pixel, "
    "set a floor: 8-bit rounding alone is σ = 0.00113."
)
lesson.threads("derivation", "learned-sigma")

st.header("8 · A likelihood is a cross-entropy", anchor="cross-entropy")
objective.show_cross_entropy(fit)
st.markdown(
    "Bars: the greys of one pixel over the built-in digits. Line: what a Gaussian charges for each "
    "grey, −log N. The mean charge is the **cross-entropy** from the data to the model, and it is "
    "the mean negative log likelihood, and it is MSE/(2σ²) plus a constant: one number, three "
    "names. Drag μ and σ to make it small."
)
lesson.take_away(
    "“MSE or cross-entropy?” asks *which model*: both are cross-entropies, one "
    "to a Gaussian and one to a Bernoulli (Goodfellow et al. 2016, section 5.5)."
)
lesson.threads("derivation", "cross-entropy")

"""Derivation: from log p(x) to the bound, from there to MSE and BCE, and what sigma does."""

import math

import streamlit as st

from vae.charts.derivation import evidence, learned
from vae.charts.derivation import sigma as panels
from vae.charts.derivation.nll import build_nll_chart
from vae.charts.derivation.parts import (
    FIT_MEAN,
    FIT_SIGMA,
    PIXEL_DIALS,
    PIXELS,
    PREDICTION,
    SIGMA,
    TARGET_PIXEL,
    VARIANCE,
)
from vae.charts.your_loss.census import build_census_chart
from vae.lessons import pictures, told
from vae.lessons.glossary import explain
from vae.theory.evidence import OnePixel
from vae.theory.gaussian import QUANTISATION_SCALE, ZERO_NLL_MSE
from vae.theory.learned_scale import constant_pixels
from vae.web import beliefs, quiz
from vae.web.derivation import lines, objective
from vae.web.kit import figures, layout, lesson

pixel = figures.query_values(PIXEL_DIALS)
q = figures.query_values(evidence.Q_DIALS)
variance = figures.query_values([VARIANCE])["variance"]
fit = figures.query_values([FIT_MEAN, FIT_SIGMA])
one = {name: pixel[name] for name in ("x", "sigma")}
best_q = OnePixel(0.8, 0.3).posterior
implied = math.sqrt(PIXELS / 2)
scales = {
    "σ = 1": {"sigma": 1.0},
    f"sum without ½: {math.sqrt(0.5):.3f}": {"sigma": math.sqrt(0.5)},
    f"pixel mean: {implied:.1f}": {"sigma": implied},
}

st.title("From log likelihood to MSE")
st.markdown(
    "A VAE's loss has a term called *reconstruction error*. Why is it a mean squared error in so "
    "much code, and what did that code decide without saying so? It decided one number: **σ**."
)

st.header(
    "0 · Why there is a KL at all",
    anchor="evidence",
    help=explain(
        "z",
        "p(z)",
        "p(x|z)",
        "p(x)",
        "p(z|x)",
        "KL",
        "nat",
        "ELBO",
        "q(z|x)",
        "σ",
        "linear VAE",
    ),
)
quiz.ask("derivation", "evidence")
st.markdown(
    "See one pixel x and one code z. The **prior** p(z) says which codes occur. The "
    "**decoder** p(x|z) says how likely the pixel is for each. Any code might be the one, so "
    "p(x) is an **area** over z."
)
with layout.steered("evidence"):
    with layout.row("evidence"):
        st.markdown("**Prior × likelihood: the area is p(x)**")
        figures.show_chart(evidence.build_area_chart, key="area", **one)
        st.markdown("**Divided by its area: the posterior. Dashed: a guess q**")
        figures.show_chart(evidence.build_posterior_chart, key="posterior", **one, **q)
    st.markdown("**What the guess is worth: the bound, and the gap up to log p(x)**")
    figures.show_chart(evidence.build_bound_chart, key="bound", **one, **q)
    figures.dials(
        *evidence.Q_DIALS,
        SIGMA,
        TARGET_PIXEL,
        values={**pixel, **q},
        presets={
            "q = prior": {"q_mean": 0.0, "q_scale": 1.0},
            "close the gap (x = 0.8, σ = 0.3)": {
                "x": 0.8,
                "sigma": 0.3,
                "q_mean": best_q[0],
                "q_scale": best_q[1],
            },
        },
        key="q-dials",
    )
st.markdown(
    "An image's area runs over all its codes at once; no computer can sum it. So an "
    "**encoder** guesses the codes that matter: q(z|x). For any guess q,"
)
st.latex(
    r"\log p(x) = \underbrace{\mathbb{E}_q[\log p(x|z)] - \mathrm{KL}\big(q\,\|\,p(z)\big)}"
    r"_{\text{the bound}} + \underbrace{\mathrm{KL}\big(q\,\|\,p(z|x)\big)}_{\text{the gap}}"
)
st.markdown(
    "The gap is never negative, so the bound never exceeds log p(x). Drag q onto the posterior "
    "and it closes. Here the decoder is a straight line (a **linear VAE**): a Gaussian q "
    "closes the gap exactly. If the decoder bends, something is left: "
    f"{told.sigmoid_gap():.3f} nats at best for a sigmoid, at "
    "x = 0.8 and σ = 0.1."
)
lesson.take_away(
    "The KL to the prior is the price of guessing: the loss is −E[log p(x|z)] + KL.",
    "log p(x) needs an area over all codes. The bound needs one guess q, and pays for how far "
    "q strays from the prior.",
)
lesson.threads("derivation", "evidence")

st.header(
    "1 · The expansion",
    anchor="expansion",
    help=explain(
        "x",
        "μ",
        "σ",
        "log likelihood",
        "SSE",
        "MSE",
        "D",
        "q(z|x)",
        "p(x|z)",
        "p(z)",
        "KL",
        "ELBO",
        "reconstruction error",
    ),
)
quiz.ask("derivation", "expansion")
st.markdown(
    "See the bound's first term, E[log p(x|z)], become MSE in eight short lines. The numbers "
    "below each line are those of **your pixel**: drag x, μ and σ. "
    "Read on with *Next*."
)
with layout.steered("expansion"):
    lines.show_expansion(pixel)
    figures.dials(*PIXEL_DIALS, values=pixel, presets=scales, key="pixel-dials")
lesson.take_away(
    "Minus the Gaussian log likelihood is D/(2σ²) times MSE, and a constant.",
    "The logarithm of a Gaussian's bell is a parabola. It is not a law of nature: it is a "
    "Gaussian with one fixed σ.",
)
lesson.threads("derivation", "expansion")

st.header(
    "2 · The same lines for a Bernoulli: BCE",
    anchor="bernoulli",
    help=explain("p", "BCE", "NLL", "μ", "SSE", "MSE", "log likelihood"),
)
quiz.ask("derivation", "bernoulli")
st.markdown(
    "See the same steps side by side. A pixel that is black or white is a coin: white with "
    "the decoder's output p. Drag x to 0 or 1, then to a grey between."
)
with layout.steered("bernoulli"):
    lines.show_two_likelihoods(pixel)
    figures.dials(
        TARGET_PIXEL,
        PREDICTION,
        SIGMA,
        values=pixel,
        presets={"black": {"x": 0.0}, "white": {"x": 1.0}, "a grey": {"x": 0.8}},
        key="likelihoods-dials",
    )
lesson.take_away(
    "BCE is minus the log likelihood of coins, as squared error over 2σ² is that of bells.",
    "The steps are the same: a density for one pixel, its logarithm, the sign, the sum. Only "
    "the first line was a choice.",
)
lesson.threads("derivation", "bernoulli")

st.header(
    "3 · One σ moves everything",
    anchor="sigma",
    help=explain("σ", "NLL", "MSE", "KL", "log likelihood"),
)
quiz.ask("derivation", "sigma")
st.markdown("See what a drag of σ does to one pixel: to its loss, gradient, best σ and belief.")
with layout.steered("sigma"):
    with layout.row("sigma"):
        st.markdown("**One parabola, stretched by 1/(2σ²) and shifted**")
        figures.show_chart(panels.build_log_prob_chart, key="log-prob", **pixel)
        st.markdown("**Two gradients, one ratio everywhere: 1/(2σ²)**")
        figures.show_chart(panels.build_gradient_chart, key="gradient", **pixel)
        st.markdown(f"**The NLL of {PIXELS} such pixels: least at σ = RMSE**")
        figures.show_chart(build_nll_chart, key="nll", **pixel)
        st.markdown("**What the Gaussian believes, and its mass outside [0, 1]**")
        figures.show_chart(panels.build_density_chart, key="density", **pixel)
    figures.dials(*PIXEL_DIALS, values=pixel, presets=scales, key="sigma-dials")
st.markdown(
    "**Parabola**: the dotted curve never leaves the log likelihood. **Gradients**: they stay "
    "parallel. **NLL**: too small a σ is punished steeply, too large a one gently. The best is "
    f"the RMSE; below RMSE {math.sqrt(ZERO_NLL_MSE):.3f} the best NLL is *negative*, which is "
    "normal for a density. **Belief**: a wide σ believes in pixels that cannot exist."
)
lesson.take_away(
    "A fixed σ keeps the minimiser of squared error and multiplies its gradient by 1/(2σ²). Code "
    f"that averages over {PIXELS} pixels beside a summed KL sits at σ = {implied:.1f}: try the "
    "button.",
    "σ stretches and shifts the parabola. Neither moves its lowest point, but the KL feels "
    "the stretch.",
)
lesson.threads("derivation", "sigma")

st.header("4 · On an image", anchor="image", help=explain("SSE", "MSE", "NLL", "σ", "p(x|z)", "μ"))
quiz.ask("derivation", "image")
st.markdown("See a target, a flawed reconstruction of it, and what σ makes of the flaw.")
with layout.steered("image"):
    lines.show_pictures(pixel["sigma"])
    figures.dials(SIGMA, values=pixel, presets=scales, key="image-dials")
st.markdown(
    "The map of −log p is the map of squared error on another ruler. A small σ makes every "
    "miss loud (orange) and every hit a reward (blue); a large σ hears nothing. The two sums "
    "agree to the last digits.\n\n"
    "The last picture is what the decoder *really* claims an image looks like: its mean "
    "**plus σ of noise on every pixel**. The mean is its most likely picture, yet no draw "
    "looks like it: draws lie about σ√D away. For a Bernoulli, and for the continuous "
    "Bernoulli, the mean is not even the most likely picture."
)
lesson.take_away(
    "log p(x|z) = −D/(2σ²) · MSE − D log σ − D/2 log 2π, for any image at all.",
    "Pixels are independent given z, so their log likelihoods add. Nothing else was used.",
)
lesson.threads("derivation", "image")

st.header(
    "5 · What σ does your code imply?",
    anchor="implied-sigma",
    help=explain("SSE", "KL", "β", "c, w", "D", "d", "σ", "ELBO"),
)
quiz.ask("derivation", "implied-sigma")
st.markdown(
    "See the σ that a few lines of code have chosen. Choose the lines that look like yours."
)
lines.show_calculator()
st.markdown(
    "A loss *c · SSE + w · KL* has the gradients of a Gaussian VAE with σ² = w/(2c), times w. "
    f"Nobody wrote σ = {implied:.1f}; the mean over pixels did. One printed version of Rybkin et "
    "al. (section 3.1) has σ = √(β/2) beside ½ SSE. With ½ SSE it is σ² = β: check the ½ in what "
    "you read."
)
with layout.row("implied-public", "wide"):
    figures.show_chart(build_census_chart, key="public-losses", own=PIXELS / 2, name="pixel mean")
    lines.show_way_to_public_losses()
lesson.take_away(
    "Beside a KL, *how you reduce* is *which σ you chose*. With a fixed σ, β and σ² are one "
    "number: β · σ².",
    "Only the ratio of the two weights counts. The rest is a learning rate.",
)
lesson.threads("derivation", "implied-sigma")

st.header(
    "6 · “Adjust the learning rate”", anchor="learning-rate", help=explain("linear VAE", "KL", "σ")
)
quiz.ask("derivation", "learning-rate")
st.markdown("See whether a learning rate can make up for another σ: without the KL, and with it.")
objective.show_race()
st.markdown(
    "A linear VAE with one latent is trained twice. Once at σ = 1, and once at another σ with the "
    "learning rate times σ² to make up for it (Adam keeps its rate). Without the KL the dashed "
    "path lies on the thick one. With the KL it goes, and ends, elsewhere."
)
lesson.take_away(
    "A factor on the *whole* loss is a learning rate. σ is another objective, and no learning "
    "rate undoes it.",
    "σ scales one of two terms. Where the two pull against each other, their balance moves.",
)
lesson.threads("derivation", "learning-rate")

st.header(
    "7 · Collapse",
    anchor="collapse",
    help=explain("principal direction", "vⱼ", "linear VAE", "posterior collapse", "β", "KL"),
)
quiz.ask("derivation", "collapse")
st.markdown(
    "See which latents survive. Images vary along patterns of pixels, their **principal "
    "directions**. Each stick is how much they vary along one: its **eigenvalue** vⱼ. Drag σ²."
)
objective.show_collapse(variance)
st.markdown(
    "In a linear VAE a latent pays for its KL only if its stick stands **above σ²**. At "
    f"{PIXELS // 2} none does: that is posterior collapse, from a mean over pixels. Deep VAEs need "
    "not obey; the points say what they did. They leave less error than the linear one while "
    "latents are alive, and collapse with it."
)
lesson.take_away(
    "In a linear VAE at its global optimum, latent j is alive iff vⱼ > σ². Then its KL is "
    "½ log(vⱼ/σ²), and its direction keeps an error of σ². With a β, put βσ² for σ² in all three.",
    "Sending direction j along costs KL and saves vⱼ − σ² of squared error. Below σ² there is "
    "nothing to save.",
)
lesson.threads("derivation", "collapse")

st.header("8 · A learned σ", anchor="learned-sigma", help=explain("σ", "MSE", "NLL", "KL", "nat"))
quiz.ask("derivation", "learned-sigma")
st.markdown("See what the loss becomes when σ is learned: one for all pixels, or one for each.")
with layout.row("learned-sigma"):
    st.markdown("**One σ, learned: the loss is D/2 · log MSE**")
    figures.show_chart(learned.build_learned_loss_chart, key="learned")
    st.markdown("**One σ for each pixel: no floor, no end**")
    figures.show_chart(learned.build_floor_chart, key="floor", errors=pictures.pixel_errors())
st.markdown(
    "**One σ**: each fixed σ is a straight line in MSE. A learned σ follows the logarithm that "
    "touches them all from below: the better the fit, the harder it pulls.\n\n"
    "**One σ a pixel**: the built-in digits under their mean image. "
    f"{constant_pixels(pictures.pixel_errors())} of their {PIXELS} pixels never change. A σ of "
    "their own goes to 0, and −log p to minus infinity."
)
lesson.take_away(
    "Learn *one* σ (it finds the RMSE), or set it to the RMSE. For one σ a pixel, set a floor: "
    f"8-bit rounding alone is σ = {QUANTISATION_SCALE:.5f}.",
    "Without a KL, one learned σ has MSE's minimiser, since a logarithm rises with its argument. "
    "Beside a KL it decides what a nat is worth.",
)
lesson.threads("derivation", "learned-sigma")

st.header(
    "9 · A likelihood is a cross-entropy",
    anchor="cross-entropy",
    help=explain("NLL", "MSE", "μ", "σ", "log likelihood"),
)
quiz.ask("derivation", "cross-entropy")
st.markdown(
    "See the greys of one pixel over the built-in test digits (bars), and what a model charges."
)
objective.show_cross_entropy(fit)
st.markdown(
    "The line is what a Gaussian charges for each grey, −log N. Its mean is the **cross-entropy** "
    "from the data to the model. It is also the mean negative log likelihood, and MSE/(2σ²) plus "
    "a constant: one number, three names. Drag μ and σ to make it small."
)
lesson.take_away(
    "“MSE or cross-entropy?” asks *which model*: both are cross-entropies, one to a Gaussian and "
    "one to a Bernoulli.",
    "Any mean negative log likelihood is a cross-entropy (Goodfellow et al. 2016, section 5.5).",
)
lesson.threads("derivation", "cross-entropy")

st.header("10 · Every loss is a belief", anchor="beliefs", help=explain("MSE", "Bregman loss"))
quiz.ask("derivation", "beliefs")
st.markdown(
    "See the derivation read backwards: any cost c(x, y) in nats stands for the belief "
    "exp(−c(x, y)), divided by what makes it a density. Choose a loss and shape the targets."
)
beliefs.show(key="derivation")
lesson.take_away(
    "The mean for every Bregman loss, the median for L1, near the mode for a robust one: what a "
    "decoder draws for an unsure pixel is a choice of loss.",
    "The expected cost is least where the pulls of the targets cancel. Pulls that grow with the "
    "distance balance at the mean, equal pulls at the median, fading ones at the nearest heap.",
)

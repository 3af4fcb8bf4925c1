"""Bias: what binary cross-entropy does to targets that are not binary."""

import numpy as np
import streamlit as st

from vae.charts.bias import (
    asymmetry,
    descent,
    expected,
    normaliser,
    opposite,
    pull_curves,
    question,
)
from vae.charts.bias.parts import CENTRE, DECAY, SIGMA, SKEW, SPREAD, START, STOP, TAU, G, H, S, T
from vae.lessons import told
from vae.lessons.glossary import explain
from vae.numerals import written
from vae.theory import bernoulli, shared_outputs
from vae.theory.early_stopping import CODE_SCALE
from vae.theory.pull import clipped_mse_optimum
from vae.web import bias, quiz
from vae.web.kit import figures, layout, lesson

value = figures.query_values([T, H, SIGMA, CENTRE, SPREAD, SKEW, S, TAU, DECAY, STOP, START, G])
pixel = {name: value[name] for name in ("t", "h")}
shape = {name: value[name] for name in ("centre", "spread", "skew")}
t, sigma = value["t"], value["sigma"]
ratios = {target: float(bernoulli.excess_ratio(target, 0.1)) for target in (0.8, 0.3)}
lines = {loss: np.array(told.shared_line(loss)) for loss in ("bce", "squared error")}

st.title("Is cross-entropy biased toward grey?")
st.markdown(
    "*“Cross-entropy is biased towards 0.5 whenever the ground truth is not binary”*, says a "
    "much-read answer. The **cost is lopsided**; its **lowest point is not moved**. "
    "Squared error needs a **σ** to be a loss in nats: where it matters, there is a dial for it."
)

st.header(
    "1 · Two costs for one target",
    anchor="asymmetry",
    help=explain("t", "p", "h", "BCE", "H(t)", "σ", "KL"),
)
quiz.ask("bias", "asymmetry")
st.markdown("See two outputs, equally far from the target, and what each loss charges. Drag h.")
with layout.steered("asymmetry"):
    figures.show_chart(asymmetry.build_cost_chart, key="cost", **pixel)
    with layout.more("Plain BCE hides it under a floor"):
        figures.show_chart(asymmetry.build_floor_chart, key="cost-floor", **pixel)
    figures.dials(
        T,
        H,
        values=value,
        presets={
            "0.8: 0.9 or 0.7?": {"t": 0.8, "h": 0.1},
            "0.3: 0.4 or 0.2?": {"t": 0.3, "h": 0.1},
            "0.7: 0.8 or 0.6?": {"t": 0.7, "h": 0.1},
        },
        key="target-dials",
    )
st.markdown(
    "Squared error charges t − h and t + h the same, at any σ. BCE charges the one **away from "
    f"½** more: {ratios[0.8]:.3f} times for the thread's 0.8, {ratios[0.3]:.3f} times for its "
    "0.3 and 0.7. Plain BCE never falls below its floor H(t): subtract it to see the bowl."
)
lesson.take_away(
    "BCE(t, p) = H(t) + KL(t ‖ p). The bowl is lopsided; its lowest point is p = t.",
    "The floor H(t) does not depend on p, and a KL divergence is 0 where both sides agree. A "
    "bowl may lean without its lowest point moving.",
)
lesson.threads("bias", "asymmetry")

st.header("2 · “Equal to 2 MSE at 0.5”", anchor="two-mse", help=explain("h", "MSE", "σ", "BCE"))
quiz.ask("bias", "two-mse")
st.markdown("See where BCE's bowl at t = ½ leaves the parabola 2h², which is σ = ½. Drag h.")
with layout.steered("two-mse"):
    figures.show_chart(asymmetry.build_double_mse_chart, key="double", h=value["h"])
    with layout.more("By how much they part, at every h"):
        figures.show_chart(asymmetry.build_double_mse_error_chart, key="double-error", h=value["h"])
    figures.dials(
        H,
        values=value,
        presets={
            "1% more": {"h": told.gap_at_error(0.01)},
            "10% more": {"h": told.gap_at_error(0.1)},
        },
        key="gap-dials",
    )
st.markdown(
    "At t = ½ the excess is exactly −½ log(1 − 4h²) = 2h² + 4h⁴ and more. It is 1% above 2 MSE, "
    f"which is σ = ½, at h = {told.gap_at_error(0.01):.3f}, 10% at "
    f"{told.gap_at_error(0.1):.3f}, and without bound as the output nears 0 or 1."
)
lesson.take_away(
    "For small errors, BCE above its floor is (p − t)²/(2t(1 − t)). “2 MSE” is that rule at t = ½.",
    "It is the second order of BCE's series. It is no Gaussian likelihood: its width t(1 − t) "
    "would depend on the target, which a model does not know.",
)
lesson.threads("bias", "two-mse")

st.header("3 · Is the minimum biased?", anchor="minimum", help=explain("p", "Bregman loss", "BCE"))
quiz.ask("bias", "minimum")
st.markdown("See 200 targets that one output must serve, and where each mean loss is least.")
with layout.steered("minimum"):
    with layout.row("minimum"):
        st.markdown("**200 targets for one output: shape them**")
        figures.show_chart(expected.build_targets_chart, key="targets-shape", **shape)
        st.markdown("**The best single output, under both losses**")
        figures.show_chart(expected.build_expected_chart, key="expected", **shape)
    figures.dials(
        CENTRE,
        SPREAD,
        SKEW,
        values=value,
        presets={
            "one grey": {"centre": 1.0, "spread": 0.0, "skew": 0.0},
            "mid-grey": {"centre": 0.0, "spread": 0.5, "skew": 0.0},
            "skewed": {"centre": 1.0, "spread": 1.5, "skew": 0.3},
            "almost binary": {"centre": 1.0, "spread": 8.0, "skew": 0.0},
        },
        key="shape-dials",
    )
st.markdown(
    "A network that cannot tell these targets apart gives one output p to all. The slopes of "
    "the mean losses are (p − mean)/(p(1 − p)) for BCE and (p − mean)/σ² for squared error. "
    "**Both vanish at the mean**, whatever the shape. Averaging is blur.\n\n"
    "That holds for an output that is free. Outputs that **share parameters** cannot all be at "
    "their means. One sigmoid line through nine greys of mean "
    f"{shared_outputs.TARGETS.mean():.4f}: BCE keeps the mean, {lines['bce'].mean():.4f}; "
    f"squared error gives {lines['squared error'].mean():.4f}. Single outputs differ by up to "
    f"{np.abs(lines['bce'] - lines['squared error']).max():.3f}."
)
lesson.take_away(
    "No pull in the minimiser: p = t for one target, p = E[t] for many.",
    "Both are Bregman losses, and those alone have the mean as their best output (Banerjee et "
    "al. 2005).",
)
lesson.threads("bias", "minimum")

st.header(
    "4 · Where the pull is real", anchor="noise", help=explain("s", "τ", "a", "σ", "g", "BCE")
)
quiz.ask("bias", "noise")
st.markdown(
    "See an output that cannot hold still: **shaken**, it settles where shaking costs least. "
    "The noise is uniform, between −√3 s and √3 s."
)
with layout.steered("noise"):
    figures.show_chart(pull_curves.build_noisy_cost_chart, key="noisy", t=t, s=value["s"])
    with layout.more("The best output, for every amount of noise"):
        figures.show_chart(pull_curves.build_optimum_chart, key="optimum", t=t, s=value["s"])
    figures.dials(
        S,
        T,
        values=value,
        presets={"a little: 0.05": {"s": 0.05}, "0.1": {"s": 0.1}, "too much: 0.2": {"s": 0.2}},
        key="noise-dials",
    )
st.markdown(
    "Drag s. **BCE moves toward ½**, by about s²(1 − 2t)/(t(1 − t)). **Squared "
    "error stays**, at any σ. **L₁ (section 8) moves away.** Past s = min(t, 1 − t)/√3 the "
    "noise would leave [0, 1], and the domain decides, not the loss.\n\n"
    "Clipping the noisy output instead moves squared error too: to "
    f"{clipped_mse_optimum(0.8, 0.1):.3f} for t = 0.8 and *normal* noise of 0.1."
)
with layout.more(
    "Noise on the logit instead: then squared error is pulled, away from ½, at any σ", "tau"
):
    with layout.steered("logit"):
        figures.show_chart(
            pull_curves.build_logit_noise_chart, key="logit-noise", t=t, tau=value["tau"]
        )
        figures.dials(TAU, T, values=value, key="tau-dials")
    st.markdown(
        "Networks are shaken *before* the sigmoid: z is drawn, the logit wobbles. Then BCE's "
        "condition is E[p] = t: **no pull at all**. It is squared error behind a sigmoid that is "
        "biased, **away** from ½, at any σ."
    )
with layout.more("Stopping early, and weight decay: both hold an output near ½", "stop", "decay"):
    with layout.steered("decay"):
        with layout.row("descent", "halves"):
            figures.show_chart(
                descent.build_stopping_chart, key="stopping", t=t, stop=value["stop"], sigma=sigma
            )
            figures.show_chart(
                descent.build_decay_chart, key="decayed", t=t, decay=value["decay"], sigma=sigma
            )
        figures.dials(
            STOP,
            DECAY,
            SIGMA,
            T,
            values=value,
            key="decay-dials",
        )
    decayed = [told.decayed(0.8, 0.1, scale) for scale in bias.SCALES.values()]
    st.markdown(
        "Both hold the output near ½, where it began, under plain gradient descent. Which loss is "
        "held more depends on **σ**: drag it. At t = 0.8 with decay 0.1, BCE is held at "
        f"{told.decayed(0.8, 0.1):.3f}. Squared error is held at "
        f"{decayed[0]:.3f} for σ = 0.707, which is plain (p − t)². For σ = 0.3 it is "
        f"{decayed[1]:.3f}, for σ = 0.1 {decayed[2]:.3f}."
    )
lesson.take_away(
    "A pull toward ½ needs noise on the *output*. After a short training, or under weight "
    "decay, σ decides which loss is nearer to t.",
    "Noise feels the lean of the bowl. Decay and an early stop of plain gradient descent feel its "
    "steepness, and for squared error that is 1/σ².",
)
lesson.threads("bias", "noise")

st.header("5 · On pictures", anchor="pictures", help=explain("a", "λ", "s", "τ", "σ", "BCE"))
quiz.ask("bias", "pictures")
st.markdown("See four losses fit the same greys while noise shakes them. Choose the noise.")
bias.show_fits()
st.markdown(
    "Every pixel is trained to its own grey: a real optimisation by Adam, run for your choice. "
    "With noise on the **logit**, BCE and the continuous Bernoulli give the targets back. "
    "Squared error, at any σ, and L₁ push greys to black and white.\n\n"
    "With noise on the **output**, BCE lifts the blacks and dims the whites. The continuous "
    "Bernoulli's output is λ, and λ does not bear shaking. Near 0 and 1 a small step in λ is a "
    "large one in its mean (section 6)."
)
escape = [told.escape_time(-5.0, scale) for scale in (None, CODE_SCALE, 0.1)]
with layout.more(
    "Binary targets, and a start that is confidently wrong: BCE's own case",
    *("steps", "descent", "descent_sigma"),
):
    bias.show_saturation()
    st.markdown(
        "Here BCE *is* the likelihood. Both start at the negative of the picture, at logits of "
        f"±5. Under plain descent the way to ½ takes BCE {escape[0]:.1f} units of time. Squared "
        f"error takes {escape[1]:.1f} at σ = 0.707, and {escape[2]:.2f} at σ = 0.1. Under Adam, "
        f"to p = 0.9: {told.adam_steps('bce')} steps with BCE, {told.adam_steps('mse')} with "
        "squared error at any σ."
    )
lesson.take_away(
    "Binary targets: BCE. That is the case it was made for.",
    "There it is the likelihood itself, with nothing to choose. Squared error needs a σ, and "
    "whether it is slow depends on σ and on the optimiser.",
)
lesson.threads("bias", "pictures")

st.header(
    "6 · The missing constant",
    anchor="continuous-bernoulli",
    help=explain("λ", "a", "dequantise", "NLL", "BCE"),
)
quiz.ask("bias", "continuous-bernoulli")
st.markdown("See why BCE is no density over greys, and what its missing constant does.")
with layout.steered("constant"):
    with layout.row("constant"):
        st.markdown("**exp(−BCE) is no density over greys**")
        figures.show_chart(normaliser.build_density_chart, key="density", t=t)
        st.markdown("**With its constant, the best λ lies further out**")
        figures.show_chart(normaliser.build_lambda_chart, key="lambda", t=t)
    figures.dials(
        T, values=value, presets={"0.8": {"t": 0.8}, "white": {"t": 1.0}}, key="constant-dials"
    )
st.markdown(
    "The **continuous Bernoulli** divides by the area: density C(λ) λˣ(1 − λ)¹⁻ˣ. Its best λ "
    f"for t = 0.8 is {bernoulli.sigmoid(told.best_logit(0.8)):.5f}. Shown as a picture, λ *looks* "
    "sharper, but it is not what the model expects. Its **mean** is, and that is least in cost "
    "at t again."
)
with layout.more("λ and its mean as pictures, a counter-view, and greys of exactly 0 or 1"):
    bias.show_lambda()
    st.markdown(
        "**The counter-view** (last picture): read a grey as the *probability* of white. BCE is "
        "then a valid bound, but a looser one: q sees the grey and not the draw (Shu 2018). "
        "Loaiza-Ganem & Cunningham (2019, section 1) find such readings wanting."
    )
    with layout.steered("beyond"):
        with layout.row("beyond"):
            st.markdown("**λ lies beyond t; its mean is t**")
            figures.show_chart(normaliser.build_beyond_chart, key="beyond", t=t)
            st.markdown("**A grey of exactly 1: likelihood without bound**")
            figures.show_chart(normaliser.build_unbounded_chart, key="unbounded")
        figures.dials(T, values=value, key="beyond-dials")
    st.markdown(
        "Exact zeros and ones have no best λ. So one **dequantises**: (k + u)/256 for byte k, with "
        "u from 0 to 1. Black then has the mean 1/512, and wants the logit "
        f"{written(f'{told.best_logit(1 / 512):.0f}')}: let the logit go that far. "
        "Training then raises the *mean* of log p over the bin of a level, which is at most the "
        "log of the bin's mass. At that logit the bound for black gives away "
        f"{told.black_bound_gap():.3f} nats."
    )
lesson.take_away(
    "As a likelihood of greys BCE lacks log C(λ). Show the mean, never λ.",
    "A density must have area 1. The constant depends on λ, so leaving it out changes which λ "
    "is best.",
)
lesson.threads("bias", "continuous-bernoulli")

st.header("7 · Why people like BCE", anchor="gradients", help=explain("a", "p", "σ", "BCE"))
quiz.ask("bias", "gradients")
st.markdown("See how hard each loss pushes a logit, and how long a wrong one takes to turn.")
with layout.steered("gradients"):
    figures.show_chart(
        descent.build_gradient_chart,
        key="gradients-at",
        t=t,
        start=value["start"],
        sigma=sigma,
    )
    with layout.more("The way out of a confident error: plain descent, target 1"):
        figures.show_chart(
            descent.build_escape_chart, key="escape", start=value["start"], sigma=sigma
        )
    figures.dials(
        START,
        T,
        SIGMA,
        values=value,
        presets={
            "confidently wrong": {"start": -7.0, "t": 1.0},
            "undecided": {"start": 0.0, "t": 1.0},
            "steepest for squared error": {"start": -0.6931, "t": 1.0},
            "σ = 0.707": {"sigma": 0.7071},
            "σ = 0.1": {"sigma": 0.1},
        },
        key="start-dials",
    )
st.markdown(
    "Drag the starting logit to the left, and t to 1. BCE's gradient is p − t: full strength "
    "when wrong. Squared error's is (p − t)p(1 − p)/σ². A small σ makes it as large as you "
    "like. But the factor p(1 − p) stays: **it fades when confidently wrong**, at any σ."
)
lesson.take_away(
    "BCE and the sigmoid belong together. Squared error behind a sigmoid waits, under plain "
    "gradient descent: the longer, the larger σ is.",
    "dBCE/dp = (p − t)/(p(1 − p)) and dp/da = p(1 − p): the factors cancel. Squared error has "
    "nothing to cancel the second one with, whatever its σ.",
)
lesson.threads("bias", "gradients")

st.header("8 · The opposite bias", anchor="opposite", help=explain("g", "t", "h", "σ", "BCE"))
quiz.ask("bias", "opposite")
st.markdown("See one family of losses lean either way, and stay least at t.")
with layout.steered("opposite"):
    figures.show_chart(opposite.build_family_chart, key="family", g=value["g"], **pixel)
    with layout.more(f"A soft edge, fitted under output noise of {opposite.EDGE_SCALE}"):
        figures.show_chart(opposite.build_edge_chart, key="edge", g=value["g"])
        st.markdown("What the thread warned of: shaken outputs leave ½, and a soft edge hardens.")
    figures.dials(
        G,
        T,
        H,
        values=value,
        presets={"BCE: −1": {"g": -1.0}, "MSE: 0": {"g": 0.0}, "opposite: 1": {"g": 1.0}},
        key="g-dials",
    )
st.markdown(
    "The cost is ∫ from t to p of (u − t)[4u(1 − u)]ᵍ du. Drag g from −1 (a quarter of BCE) by "
    "0 (½ squared error, σ = 1) to 1: the lean turns over, the lowest point stays. At g = 1 "
    "the mirrored costs differ by exactly (8/3)(2t − 1)h³."
)
lesson.take_away(
    "A loss of the opposite bias exists. It is not convex, its gradient vanishes at both ends, "
    "and edges go hard.",
    "Its weight 4u(1 − u) is largest at ½. An error toward ½ passes it, and costs more.",
)
lesson.threads("bias", "opposite")

st.header(
    "9 · Measured on trained VAEs",
    anchor="measured",
    help=explain("calibration", "regression to the mean", "KL", "β", "σ", "MSE", "BCE"),
)
quiz.ask("bias", "measured")
st.markdown(
    "See three losses at **one KL**: σ of the Gaussian and β of the continuous Bernoulli are "
    "set so. Networks, epochs and data are equal."
)
bias.show_trained()
short, long = bias.excess_errors()
st.markdown(
    "**Left**, given the target: every loss lifts the dark, dims the bright. z does not tell all, "
    "and an output that does not know is the mean of what might be. **Right**, given the "
    "output: BCE and the Gaussian stay near 0. Where they say 0.8, the pixels are 0.8 "
    "on average. So blur is regression to the mean; it is not a bias of cross-entropy."
)
with layout.more("Why the continuous Bernoulli leaves more squared error"):
    st.markdown(
        "It is as bright as the data on the whole. At this KL its greys are too far out. A part "
        "of that is time: it learns more slowly. On the built-in digits it leaves "
        f"{short[1]:.1f} times BCE's error after {short[0]} epochs, and {long[1]:.1f} times after "
        f"{long[0]}. Its σ is its own: "
        f"{told.best_deviation(0.5):.3f} at mid-grey, {told.best_deviation(1 / 512):.3f} at "
        "black. It spends its nats on telling black from nearly black."
    )
lesson.take_away(
    "Blur comes from what z does not know. Compare losses at one KL, over several seeds, and "
    "read *both* charts before blaming one.",
    "Mean output by target leans to the middle for any predictor that does not know all. Mean "
    "target by output does not, if the predictor is right.",
)
lesson.threads("bias", "measured")

st.header(
    "10 · So why MSE for one and BCE for the other?",
    anchor="question",
    help=explain("Bregman loss", "KL", "σ", "β", "MSE", "BCE", "log likelihood"),
)
quiz.ask("bias", "question")
st.markdown("See the thread's question answered: without a KL (left), and beside one (right).")
with layout.row("question"):
    st.markdown("**Without a KL: one minimum for all**")
    figures.show_chart(question.build_minimum_chart, key="one-minimum")
    st.markdown("**Beside a KL, on MNIST: σ is a rate of exchange**")
    figures.show_chart(question.build_exchange_chart, key="exchange", runs=bias.exchange_runs())
st.markdown(
    "**An autoencoder** has no KL. A factor on its loss is a learning rate, and every Bregman "
    "loss finds the same mean. MSE or BCE is a matter of taste, and of speed.\n\n"
    "**A VAE** weighs its loss against a KL in nats. So the loss must be the nats of some "
    "likelihood. BCE is one, with its weight built in: here it lies on the Gaussian's curve. "
    "MSE is a whole family, and σ slides along that curve. Code that says “MSE” has chosen a "
    "point on it, knowingly or not."
)
lesson.take_away(
    "MSE for the autoencoder and BCE for the VAE is a habit. The choice behind it is real: "
    "which likelihood, and which σ.",
    "The KL is in nats. Only a log likelihood is too, and every likelihood has a scale.",
)
lesson.threads("bias", "question")

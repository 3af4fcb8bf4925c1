"""Bias: what binary cross-entropy does to targets that are not binary."""

import streamlit as st

from vae.charts.bias import asymmetry, descent, expected, normaliser, opposite, pull_curves
from vae.charts.bias.parts import CENTRE, DECAY, SIGMA, SKEW, SPREAD, START, STOP, TAU, G, H, S, T
from vae.theory.pull import clipped_mse_optimum
from vae.web import bias
from vae.web.kit import figures, layout, lesson

value = figures.query_values([T, H, SIGMA, CENTRE, SPREAD, SKEW, S, TAU, DECAY, STOP, START, G])
pixel = {name: value[name] for name in ("t", "h")}
shape = {name: value[name] for name in ("centre", "spread", "skew")}
t, sigma = value["t"], value["sigma"]

st.title("Is cross-entropy biased toward grey?")
st.markdown(
    "*“Cross-entropy is biased towards 0.5 whenever the ground truth is not binary”*, says a "
    "much-read answer. The **cost is lopsided**; its **lowest point is not moved**. Drag t below."
)

# The target stays in view: every section asks what happens to it.
with st.container():
    st.header("1 · Two costs for one target", anchor="asymmetry")
    with layout.row("asymmetry"):
        st.markdown("**Equally wrong, unequally dear**")
        figures.show_chart(asymmetry.build_cost_chart, key="cost", **pixel)
        st.markdown("**Plain BCE hides it under a floor**")
        figures.show_chart(asymmetry.build_floor_chart, key="cost-floor", **pixel)
    st.markdown(
        "Drag h. Two outputs, t − h and t + h, are equally far off. Squared error charges both the "
        "same; BCE charges the one **away from ½** more: 1.726 times for the thread's 0.8, 1.304 "
        "times for its 0.3 and 0.7. **Right**, BCE never falls below its floor H(t) (grey), so the "
        "plain ratio looks harmless: subtract the floor to see the slope of the bowl."
    )
    lesson.take_away(
        "BCE(t, p) = H(t) + KL(t ‖ p). The bowl is lopsided; its lowest point is p = t."
    )
    lesson.threads("bias", "asymmetry")

    st.header("2 · “Equal to 2 MSE at 0.5”", anchor="two-mse")
    with layout.row("two-mse"):
        st.markdown("**Two curves that part**")
        figures.show_chart(asymmetry.build_double_mse_chart, key="double", h=value["h"])
        st.markdown("**By how much**")
        figures.show_chart(asymmetry.build_double_mse_error_chart, key="double-error", h=value["h"])
    st.markdown(
        "At t = ½ the excess is exactly −½ log(1 − 4h²) = 2h² + 4h⁴ + … Drag h: 1% more than "
        "2 MSE at h = 0.070, 10% at 0.210, and without bound as the output nears 0 or 1."
    )
    lesson.take_away(
        "Near *any* target, BCE is squared error over 2t(1 − t): a Gaussian whose variance is "
        "t(1 − t). “2 MSE” is that rule at t = ½, for small errors."
    )
    lesson.threads("bias", "two-mse")

    st.header("3 · Is the minimum biased?", anchor="minimum")
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
        "the mean losses are (p − mean)/(p(1 − p)) and 4(p − mean): **both vanish at the "
        "mean**, whatever the shape. Averaging is blur, and both losses do it equally."
    )
    lesson.take_away("No pull in the minimiser: p = t for one target, p = E[t] for many.")
    lesson.threads("bias", "minimum")

    st.header("4 · Where the pull is real", anchor="noise")
    st.markdown(
        "A lopsided bowl matters to somebody who cannot hold still: **shake the output**, and it "
        "settles where the shaking costs least."
    )
    with layout.row("noise"):
        st.markdown("**Noise on the output: mean costs and their minima**")
        figures.show_chart(pull_curves.build_noisy_cost_chart, key="noisy", t=t, s=value["s"])
        st.markdown("**The best output, for every amount of noise**")
        figures.show_chart(pull_curves.build_optimum_chart, key="optimum", t=t, s=value["s"])
    figures.dials(
        S,
        values=value,
        presets={"a little: 0.05": {"s": 0.05}, "0.1": {"s": 0.1}, "too much: 0.2": {"s": 0.2}},
        key="noise-dials",
    )
    st.markdown(
        "Drag s. **BCE moves toward ½**, by about s²(1 − 2t)/(t(1 − t)) (dotted line). **MSE "
        "stays. L₁ (section 8) moves away.** Past s = min(t, 1 − t)/√3 the noise would "
        "leave [0, 1], and the domain decides (thin grey lines), not the loss. Clipping the noisy "
        f"output instead moves MSE too: to {clipped_mse_optimum(0.8, 0.1):.3f} for t = 0.8 and "
        "normal noise of 0.1."
    )
    st.subheader("Noise on the logit instead")
    figures.show_chart(
        pull_curves.build_logit_noise_chart, key="logit-noise", t=t, tau=value["tau"]
    )
    figures.dials(TAU, values=value, key="tau-dials")
    st.markdown(
        "Networks are shaken *before* the sigmoid: z is drawn, the logit wobbles. Then BCE's "
        "condition is E[p] = t: **no pull at all**. It is sigmoid + MSE that is biased, **away** "
        "from ½."
    )
    st.subheader("Stopping early, and weight decay")
    with layout.row("descent", "halves"):
        figures.show_chart(
            descent.build_stopping_chart, key="stopping", t=t, stop=value["stop"], sigma=sigma
        )
        figures.show_chart(
            descent.build_decay_chart, key="decayed", t=t, decay=value["decay"], sigma=sigma
        )
    figures.dials(STOP, DECAY, values=value, key="decay-dials")
    st.markdown(
        "Both hold the output near ½, where it began, under plain gradient descent. Which loss "
        "is held more depends on **σ**. At σ = 0.707, code's plain (p − t)², squared error is held "
        "more than BCE. At σ = 0.1 it is held less: drag σ below."
    )
    lesson.take_away(
        "A pull toward ½ needs noise on the *output*. With noise on the logit BCE has none. After "
        "a short training, or under weight decay, σ decides which loss is nearer to t."
    )
    lesson.threads("bias", "noise")

    st.header("5 · On pictures", anchor="pictures")
    bias.show_fits()
    st.markdown(
        "Every pixel is trained to its own grey while noise shakes it, with four losses: a real "
        "optimisation, run for your choice. Start with noise on the **logit**: BCE and the "
        "continuous Bernoulli give the targets back, MSE and L₁ push greys to black and white. "
        "Then shake the **output**: now BCE lifts the blacks and dims the whites. (The continuous "
        "Bernoulli's output is λ, and λ does not bear shaking: section 6.)\n\n"
        "**Binary targets, and a start that is confidently wrong**"
    )
    bias.show_saturation()
    st.markdown(
        "Here BCE *is* the likelihood. Both start at the negative of the picture, at logits of "
        "±5, with the same step size. MSE through a sigmoid hardly notices that it is wrong."
    )
    lesson.take_away("Binary targets: BCE. That is the case it was made for.")
    lesson.threads("bias", "pictures")

    st.header("6 · The missing constant", anchor="continuous-bernoulli")
    with layout.row("constant"):
        st.markdown("**exp(−BCE) is no density over greys**")
        figures.show_chart(normaliser.build_density_chart, key="density", t=t)
        st.markdown("**With its constant, the minimum moves outward**")
        figures.show_chart(normaliser.build_lambda_chart, key="lambda", t=t)
        st.markdown("**λ lies beyond t; its mean is t**")
        figures.show_chart(normaliser.build_beyond_chart, key="beyond", t=t)
        st.markdown("**A grey of exactly 1: likelihood without bound**")
        figures.show_chart(normaliser.build_unbounded_chart, key="unbounded")
    bias.show_lambda()
    st.markdown(
        "The **continuous Bernoulli** divides by the area: density C(λ) λˣ(1 − λ)¹⁻ˣ. Its best λ "
        "for t = 0.8 is 0.99185. Shown as a picture, λ *looks* sharper, but it is not what the "
        "model expects: the **mean** is, and it is t again. Exact zeros and ones have no best λ; "
        "so one **dequantises**: (k + u)/256 for byte k, with u from 0 to 1. **The "
        "counter-view** (last picture): read a grey as the *probability* of white. BCE is then the "
        "mean loss over such draws, and nothing is missing."
    )
    lesson.take_away("As a likelihood of greys BCE lacks log C(λ). Show the mean, never λ.")
    lesson.threads("bias", "continuous-bernoulli")

    st.header("7 · Why people like BCE", anchor="gradients")
    with layout.row("gradients"):
        st.markdown("**The gradient on the logit**")
        figures.show_chart(
            descent.build_gradient_chart,
            key="gradients-at",
            t=t,
            start=value["start"],
            sigma=sigma,
        )
        st.markdown("**The way out of a confident error, target 1**")
        figures.show_chart(
            descent.build_escape_chart, key="escape", start=value["start"], sigma=sigma
        )
    figures.dials(
        START,
        values=value,
        presets={
            "confidently wrong": {"start": -7.0},
            "undecided": {"start": 0.0},
            "steepest for MSE at t = 1": {"start": -0.6931},
        },
        key="start-dials",
    )
    st.markdown(
        "Drag the starting logit to the left, and t to 1. BCE's gradient is p − t: full strength "
        "when wrong. Squared error's is (p − t)p(1 − p)/σ². A small σ makes it as large as you "
        "like, but the factor p(1 − p) stays: **it fades when confidently wrong**, at any σ."
    )
    lesson.take_away(
        "BCE and the sigmoid belong together: log undoes exp. Squared error behind a sigmoid waits."
    )
    lesson.threads("bias", "gradients")

    st.header("8 · The opposite bias", anchor="opposite")
    with layout.row("opposite"):
        st.markdown("**L_g: it leans either way, and is least at t**")
        figures.show_chart(opposite.build_family_chart, key="family", g=value["g"], **pixel)
        st.markdown("**A soft edge, fitted under output noise of 0.08**")
        figures.show_chart(opposite.build_edge_chart, key="edge", g=value["g"])
    figures.dials(
        G,
        values=value,
        presets={"BCE: −1": {"g": -1.0}, "MSE: 0": {"g": 0.0}, "opposite: 1": {"g": 1.0}},
        key="g-dials",
    )
    st.markdown(
        "L_g(t, p) = ∫ from t to p of (u − t)[4u(1 − u)]ᵍ du. Drag g from −1 (BCE, over 4) by 0 "
        "(half the squared error) to 1: the lean turns over, the lowest point stays. At g = 1 the "
        "mirrored costs differ by exactly (8/3)(2t − 1)h³. **Right**, what the thread warned of: "
        "shaken outputs leave ½, and a soft edge hardens."
    )
    lesson.take_away(
        "A loss of the opposite bias exists. It is not convex, its gradient vanishes at both ends, "
        "and edges go hard."
    )
    lesson.threads("bias", "opposite")

    st.header("9 · Measured on trained VAEs", anchor="measured")
    bias.show_trained()
    st.markdown(
        "Each point: all test pixels of about one grey, and what the network made of them. On the "
        "diagonal nothing would be lost. **All** losses fall short of it: z cannot hold "
        "everything, and an output that does not know is the mean of what might be. That is blur, "
        "and its name is regression to the mean, not cross-entropy."
    )
    lesson.take_away(
        "Blur comes mostly from what z does not know. Compare losses at a like KL, and read a "
        "calibration plot before blaming one."
    )
    lesson.threads("bias", "measured")

    figures.dials(
        T,
        H,
        SIGMA,
        values=value,
        presets={
            "0.8: 0.9 or 0.7?": {"t": 0.8, "h": 0.1},
            "0.3: 0.4 or 0.2?": {"t": 0.3, "h": 0.1},
            "0.7: 0.8 or 0.6?": {"t": 0.7, "h": 0.1},
            "0.5: 2 MSE?": {"t": 0.5, "h": 0.1},
            "binary: 1": {"t": 1.0, "h": 0.1},
            "σ = 0.707": {"sigma": 0.7071},
            "σ = 0.1": {"sigma": 0.1},
        },
        inline=True,
        key=figures.dock("target-dials"),
    )

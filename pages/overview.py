"""Overview: the question, its answer as a picture that moves, the lessons, the ledger."""

import streamlit as st

from vae.charts import overview
from vae.ledger import CLAIMS
from vae.lessons.glossary import explain
from vae.web import beliefs, drawing, frame, ledger, navigation
from vae.web.kit import figures, layout
from vae.web.your_loss import symptoms

values = figures.query_values(overview.DIALS)

st.title("What is a VAE’s loss?", anchor="overview")
what = (
    "A **variational autoencoder** (VAE) squeezes an image x into a few numbers z and draws it "
    "again. The **encoder** guesses z from x; the **decoder** guesses x from z. "
)
asked = (
    "A VAE is trained to raise a log likelihood, yet its code says *mean squared error* or *binary "
    "cross-entropy*. Where do these come from, and does it matter which one you take?"
)
# On a projector the first figure is to be seen with the question: what a VAE is comes below it.
st.markdown(asked if frame.presenting() else what + asked)

st.header(
    "The answer, for one pixel",
    anchor="answer",
    help=explain("z", "p(x|z)", "q(z|x)", "MSE", "BCE", "KL", "nat", "σ"),
)
st.markdown("See what three decoders believe of one pixel, and what each charges for a miss.")
with layout.steered("answer"):
    with layout.row("answer", "threes"):
        st.markdown("**A belief about the pixel…**")
        figures.show_chart(overview.build_belief_chart, key="belief", **values)
        st.markdown("**…is the loss: minus its logarithm**")
        figures.show_chart(overview.build_loss_chart, key="loss", **values)
        st.markdown("**What this output costs**")
        figures.show_chart(overview.build_cost_chart, key="cost", **values)
    figures.dials(
        *overview.DIALS,
        values=values,
        presets={
            "Too bright by 0.1": {"t": 0.8, "p": 0.9},
            "Too dark by 0.1": {"t": 0.8, "p": 0.7},
            "White pixel": {"t": 1.0, "p": 0.7},
            "σ = 1": {"sigma": 1.0},
            "σ = 0.1": {"sigma": 0.1},
        },
        key="overview-dials",
    )
st.markdown(
    (f"{what}\n\n" if frame.presenting() else "")
    + "**A loss is a belief.** Choose what the decoder believes of a pixel: a bell, two bars, or a "
    "curve on [0, 1]. Minus the logarithm of that belief, at the pixel, is the loss: MSE, BCE, or "
    "the continuous Bernoulli’s. It is counted in **nats**; a nat is 1.44 bits.\n\n"
    "The two bars allow black and white alone. For a grey t, BCE is a *mean*: of −log of the "
    "white bar, with weight t, and of the black bar, with weight 1 − t. The bell allows any "
    "number, also outside [0, 1] (shaded).\n\n"
    "Drag the output p, the mean of each belief. All three losses are least where p meets the "
    "pixel’s grey t. They differ in what a miss costs. That cost is weighed against the **KL**: "
    "what the encoder pays, in nats, for telling z more than the prior knows. σ sets the weight "
    "for MSE. BCE has set it for you, and unevenly."
    # One message with it: each element of a page is one, to every browser.
     + (f"\n\n{ruler}" if (ruler := beliefs.ruler("mnist")) else "")
)

st.header("Every loss is a belief", anchor="beliefs", help=explain("MSE", "BCE", "KL", "σ"))
st.markdown(
    "See what a miss costs (left), and for which belief that cost stands (right). Choose a loss: "
    "MSE, with its σ, and BCE are two of many. Then shape the targets, and see which *one* output "
    "it settles on."
)
beliefs.show(key="overview")
st.markdown(
    "A perceptual or an adversarial loss is no belief about x: it scores features, or what a "
    "discriminator makes of them, and beside a KL its nats are nobody’s. Which belief is *right* "
    "for 8-bit pixels has a number, **bits per pixel**: Train’s table shows it for every loss."
)

drawing.show_shipped(
    "digits",
    lead="Four beliefs, trained on the same digits. Draw, and see what each of them keeps of your "
    "stroke: σ = 1 keeps the kind of digit, a small σ its every bend.",
    small=True,
    key="drawing-small",
)

st.header("Three lessons, and your own loss", anchor="lessons")
keep = {"present": "1"} if frame.presenting() else None
with layout.cards("lessons"):
    navigation.link("derivation", query=keep)
    st.markdown(
        "Why there is a KL, and how log p(x|z) becomes MSE or BCE, one line at a time. One σ moves "
        "everything: gradients, the best loss, how many latents survive."
    )
    navigation.link("bias", query=keep)
    st.markdown(
        "Does BCE pull greys toward 0.5 and blur pictures? The cost is uneven, the minimum is not "
        "moved. A real pull appears under conditions you can feel."
    )
    navigation.link("train", query=keep)
    st.markdown(
        "Predict, then train a VAE here on real images and see who was right: collapse, blur, a "
        "learned σ, the race of four losses."
    )
    navigation.link("your_loss", query=keep)
    st.markdown(
        "Paste your code: it is read, never run. Which σ or β did it choose, will any latent "
        "survive it, may the loss be negative, and what did you mean?\n\n"
        + symptoms.links_to_symptoms(keep),
        unsafe_allow_html=True,
    )

st.header(f"The ledger: {len(CLAIMS)} claims and questions", anchor="ledger")
st.markdown(
    "Three questions from a forum, and all that was said and asked below them. Each is checked by "
    "code that computes the number you see, and that could have disagreed. Where no number can "
    "decide, a source does, and the row says so."
)
ledger.show_ledger(present=frame.presenting())

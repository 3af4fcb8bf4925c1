"""Terms and symbols, once: every page writes them as they stand here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A symbol (or none), the term, and one sentence."""

    symbol: str
    term: str
    meaning: str


GLOSSARY = (
    Entry(
        "x, t",
        "target",
        "the grey of a pixel, from 0 to 1, that the decoder should give; t "
        "where it is fixed beside an output p",
    ),
    Entry("z", "latent", "the few numbers that stand for an image; d of them"),
    Entry(
        "q(z|x)",
        "encoder",
        "what the model believes of z after seeing x: a Gaussian with a "
        "mean and a variance for each latent",
    ),
    Entry(
        "p(x|z)",
        "decoder",
        "what the model believes of x given z: a distribution over "
        "images, whose parameters a network computes from z",
    ),
    Entry("p(z)", "prior", "what is believed of z before any image: N(0, I)"),
    Entry(
        "μ", "mean", "the decoder's output under a Gaussian, usually shown as the reconstruction"
    ),
    Entry("p", "output", "the decoder's output in (0, 1) under a Bernoulli: sigmoid of the logit"),
    Entry("a", "logit", "log(p/(1 − p)), what the network gives before the sigmoid"),
    Entry(
        "λ",
        "lambda",
        "the continuous Bernoulli's parameter, sigmoid(a), which is not its "
        "mean; λⱼ with an index is an eigenvalue of the data's covariance",
    ),
    Entry(
        "σ",
        "scale",
        "standard deviation of the Gaussian decoder, in units of grey; σ² is called variance",
    ),
    Entry("h", "gap", "p − t, output less target"),
    Entry(
        "H(t)",
        "floor",
        "entropy of a Bernoulli of mean t: the least value of BCE, which is 0 "
        "for binary targets alone",
    ),
    Entry("D, d", "sizes", "the number of pixels (784 for 28×28) and of latents"),
    Entry(
        "",
        "log likelihood",
        "log p(x|z): how well the decoder's distribution foresaw the image; higher is better",
    ),
    Entry("", "reconstruction error", "−E[log p(x|z)] over z ~ q(z|x): lower is better"),
    Entry("NLL", "negative log likelihood", "−log p, a loss"),
    Entry("MSE", "mean squared error", "mean of (x − μ)² over the pixels; SSE is the sum"),
    Entry("BCE", "binary cross-entropy", "−t log p − (1 − t) log(1 − p), summed over pixels"),
    Entry(
        "KL",
        "Kullback–Leibler divergence",
        "KL(q(z|x) ‖ p(z)): how far the encoder's belief "
        "is from the prior; its price for keeping information",
    ),
    Entry(
        "ELBO",
        "evidence lower bound",
        "E[log p(x|z)] − KL, never above log p(x); it is maximised, and the loss is its negative",
    ),
    Entry("β", "beta", "a weight on the KL; 1 in the ELBO"),
    Entry("", "posterior collapse", "a latent whose KL is 0: the decoder ignores it"),
    Entry("", "active latent", "a latent that still carries information"),
    Entry("", "nat", "unit of information with natural logarithms: 1 nat = 1.44 bits"),
    Entry(
        "",
        "calibration",
        "mean output for pixels of each target grey; on the diagonal nothing is pulled",
    ),
    Entry(
        "",
        "dequantise",
        "add uniform noise to 8-bit greys, so that they fill [0, 1] and never are exactly 0 or 1",
    ),
)


def as_markdown() -> str:
    """The glossary as a markdown list."""
    return "\n".join(f"- {_line(entry)}" for entry in GLOSSARY)


def _line(entry: Entry) -> str:
    symbol = f"{entry.symbol}, " if entry.symbol else ""
    return f"**{symbol}{entry.term}**: {entry.meaning}."

"""Terms and symbols, once: every page writes them as they stand here.

A symbol has one meaning on all pages. Where the field gives one letter two, the pages write the
second otherwise: densities always with their arguments, an eigenvalue as v with an index, the
weights of a loss as c and w.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A symbol (or none), the term, and one sentence."""

    symbol: str
    term: str
    meaning: str


GLOSSARY = (
    Entry("x", "pixel", "the grey of a pixel in the data, from 0 (black) to 1 (white)"),
    Entry("t", "target", "the x of one pixel where a loss is studied beside an output p"),
    Entry("z", "latent", "the few numbers that stand for an image, also called its code"),
    Entry(
        "q(z|x)",
        "encoder",
        "the network that guesses z from x: a Gaussian with a mean and a variance a latent",
    ),
    Entry(
        "p(x|z)",
        "decoder",
        "the network that guesses x from z: a distribution over images, its likelihood",
    ),
    Entry("p(z)", "prior", "what is believed of z before any image: N(0, I)"),
    Entry("p(z|x)", "posterior", "what is to be believed of z after the image, if p(x|z) is right"),
    Entry("p(x)", "evidence", "how likely the model finds x, averaged over all z of the prior"),
    Entry(
        "μ", "mean", "the decoder's output under a Gaussian, usually shown as the reconstruction"
    ),
    Entry(
        "p",
        "output",
        "the mean that the decoder gives for a pixel in (0, 1); a density has its arguments "
        "written out",
    ),
    Entry(
        "y", "single output", "one output for many targets: their mean, median or mode, by the loss"
    ),
    Entry("a", "logit", "log(p/(1 − p)), what the network gives before the sigmoid"),
    Entry("λ", "lambda", "the continuous Bernoulli's parameter, sigmoid(a), which is not its mean"),
    Entry("C(λ)", "constant", "what gives the continuous Bernoulli's density the area 1"),
    Entry("σ", "scale", "standard deviation of the Gaussian decoder, in units of grey"),
    Entry("N(μ, σ²)", "normal", "the Gaussian density of mean μ and variance σ²"),
    Entry("E[…]", "expectation", "the mean over what is drawn at random"),
    Entry("h", "gap", "how far an output is from its target, |p − t|"),
    Entry(
        "H(t)",
        "floor",
        "the least value of BCE, a Bernoulli's entropy, which is 0 for binary targets alone",
    ),
    Entry("D", "pixels", "the number of pixels of an image, 784 for 28×28"),
    Entry("d", "latents", "the number of latents"),
    Entry("s", "output noise", "standard deviation of noise that is added to an output"),
    Entry("τ", "logit noise", "standard deviation of noise that is added to a logit"),
    Entry("g", "lean", "which way the loss leans: −1 as BCE, 0 as squared error, 1 opposite"),
    Entry(
        "c, w",
        "weights",
        "factors of the two terms of a loss c · SSE + w · KL; the page "
        "[Your loss](your_loss#paste) finds them in code",
    ),
    Entry("β", "beta", "a weight on the KL; 1 in the ELBO"),
    Entry(
        "vⱼ",
        "eigenvalue",
        "how much the data vary along their j-th principal direction",
    ),
    Entry(
        "",
        "principal direction",
        "a pattern of pixels along which images vary together; the first one varies most",
    ),
    Entry(
        "",
        "linear VAE",
        "a VAE without hidden layers, which can be solved exactly: probabilistic PCA",
    ),
    Entry(
        "",
        "log likelihood",
        "log p(x|z): how well the decoder's distribution foresaw the image; higher is better",
    ),
    Entry("", "reconstruction error", "−E[log p(x|z)] over z ~ q(z|x): lower is better"),
    Entry("NLL", "negative log likelihood", "−log p(x|z), a loss"),
    Entry("SSE", "sum of squared errors", "sum of (x − μ)² over the pixels"),
    Entry(
        "MSE",
        "mean squared error",
        "mean of (x − μ)² over the pixels; a loss in nats only by a σ, which code rarely names",
    ),
    Entry("BCE", "binary cross-entropy", "−t log p − (1 − t) log(1 − p), summed over pixels"),
    Entry(
        "KL",
        "Kullback–Leibler divergence",
        "how far one distribution is from another, in nats; here of q(z|x) from the prior",
    ),
    Entry(
        "ELBO",
        "evidence lower bound",
        "E[log p(x|z)] − KL, never above log p(x); it is maximised, and the loss is its negative",
    ),
    Entry("", "posterior collapse", "a latent whose KL is 0: the decoder ignores it"),
    Entry("", "active latent", "a latent that still carries information"),
    Entry("", "nat", "unit of information with natural logarithms: 1 nat = 1.44 bits"),
    Entry(
        "",
        "calibration",
        "mean target of the pixels of each output; on the diagonal an output means what it says",
    ),
    Entry(
        "",
        "regression to the mean",
        "mean output by target leans to the middle for any predictor that does not know all",
    ),
    Entry(
        "",
        "Bregman loss",
        "a loss whose best single output is the mean of the targets: MSE at any σ, BCE",
    ),
    Entry(
        "",
        "dequantise",
        "add uniform noise to 8-bit greys, so that they fill [0, 1] and never are exactly 0 or 1",
    ),
)


_SYMBOLS = tuple(entry for entry in GLOSSARY if entry.symbol)


def as_markdown() -> str:
    """The glossary as markdown: a table of the symbols, then a list of the other terms."""
    symbols = [f"| {_cell(e.symbol)} | {_cell(e.term)}: {_cell(e.meaning)} |" for e in _SYMBOLS]
    terms = [f"- **{e.term}**: {e.meaning}." for e in GLOSSARY if not e.symbol]
    return "\n".join(["| sign | what it is |", "|:--|:--|", *symbols, "", *terms])


def _cell(text: str) -> str:
    """A bar within a cell would end it."""
    return text.replace("|", "\\|")


def explain(*terms: str) -> str:
    """What ``terms`` mean, for a heading's help. Raises ``KeyError`` on a term not in the glossary.

    A term is named by its word or by its symbol.
    """
    known = {name: entry for entry in GLOSSARY for name in (entry.term, entry.symbol) if name}
    return "\n".join(
        f"- **{', '.join(filter(None, (known[t].symbol, known[t].term)))}**: {known[t].meaning}"
        for t in terms
    )

"""What a claim of the ledger is made of: its words, its verdict, its evidence, its sources."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from vae.ledger.checks.evidence import Evidence


class Verdict(StrEnum):
    """What became of a claim. The value is the word that pages and the command line print."""

    TRUE = "true"
    CONDITION = "true with a condition"
    WRONG = "wrong"


THREADS = {
    "A": "How to expand reconstruction error to mean squared error?",
    "B": "In variational autoencoders, why do people use MSE for the loss?",
    "C": "MSE loss or binary cross-entropy loss?",
}


@dataclass(frozen=True)
class Reference:
    """One source: how lines name it, and how to find it."""

    short: str
    title: str
    place: str
    url: str


REFERENCES = {
    "kingma-welling": Reference(
        "Kingma & Welling 2014",
        "Auto-Encoding Variational Bayes",
        "International Conference on Learning Representations",
        "https://arxiv.org/abs/1312.6114",
    ),
    "lucas": Reference(
        "Lucas et al. 2019",
        "Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse",
        "Advances in Neural Information Processing Systems 32",
        "https://arxiv.org/abs/1911.02469",
    ),
    "loaiza-ganem": Reference(
        "Loaiza-Ganem & Cunningham 2019",
        "The continuous Bernoulli: fixing a pervasive error in variational autoencoders",
        "Advances in Neural Information Processing Systems 32",
        "https://arxiv.org/abs/1907.06845",
    ),
    "rybkin": Reference(
        "Rybkin et al. 2021",
        "Simple and Effective VAE Training with Calibrated Decoders",
        "International Conference on Machine Learning",
        "https://arxiv.org/abs/2006.13202",
    ),
    "goodfellow": Reference(
        "Goodfellow et al. 2016",
        "Deep Learning",
        "MIT Press",
        "https://www.deeplearningbook.org",
    ),
    "tipping-bishop": Reference(
        "Tipping & Bishop 1999",
        "Probabilistic Principal Component Analysis",
        "Journal of the Royal Statistical Society B 61(3)",
        "https://doi.org/10.1111/1467-9868.00196",
    ),
    "kingma-ba": Reference(
        "Kingma & Ba 2015",
        "Adam: A Method for Stochastic Optimization",
        "International Conference on Learning Representations",
        "https://arxiv.org/abs/1412.6980",
    ),
    "mao": Reference(
        "Mao et al. 2017",
        "Least Squares Generative Adversarial Networks",
        "International Conference on Computer Vision",
        "https://arxiv.org/abs/1611.04076",
    ),
    "goodfellow-gan": Reference(
        "Goodfellow et al. 2014",
        "Generative Adversarial Nets",
        "Advances in Neural Information Processing Systems 27",
        "https://arxiv.org/abs/1406.2661",
    ),
    "zhu": Reference(
        "Zhu et al. 2017",
        "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        "International Conference on Computer Vision",
        "https://arxiv.org/abs/1703.10593",
    ),
    "shu": Reference(
        "Shu 2018",
        "Using a Bernoulli VAE on Real-Valued Observations",
        "ruishu.io",
        "https://ruishu.io/2018/03/19/bernoulli-vae/",
    ),
    "li": Reference(
        "Li et al. 2025",
        "Posterior Collapse as a Phase Transition in Variational Autoencoders",
        "arXiv 2510.01621",
        "https://arxiv.org/abs/2510.01621",
    ),
    "beta-sigma": Reference(
        "Beta-Sigma VAE 2024",
        "Beta-Sigma VAE: Separating beta and decoder variance in Gaussian variational autoencoder",
        "arXiv 2409.09361",
        "https://arxiv.org/abs/2409.09361",
    ),
    "banerjee": Reference(
        "Banerjee et al. 2005",
        "On the Optimality of Conditional Expectation as a Bregman Predictor",
        "IEEE Transactions on Information Theory 51(7)",
        "https://doi.org/10.1109/TIT.2005.850145",
    ),
}


@dataclass(frozen=True)
class Link:
    """A lesson's figure at the values that show a claim: page, section, query parameters."""

    page: str
    anchor: str
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Relative address, as in ``derivation?sigma=0.3#sigma``."""
        return self.address_with()

    def address_with(self, keep: Mapping[str, str] | None = None) -> str:
        """The address with the parameters ``keep`` besides, such as the presenter's."""
        query = urlencode({**self.query, **(keep or {})})
        return f"{self.page}{'?' if query else ''}{query}#{self.anchor}"


@dataclass(frozen=True)
class Citation:
    """A key of ``REFERENCES`` and the place within it."""

    key: str
    where: str = ""

    @property
    def url(self) -> str:
        return REFERENCES[self.key].url

    @property
    def text(self) -> str:
        """As in ``Rybkin et al. 2021, section 3.1``."""
        where = f", {self.where}" if self.where else ""
        return REFERENCES[self.key].short + where

    @property
    def markdown(self) -> str:
        return f"[{self.text}]({self.url})"


@dataclass(frozen=True)
class Claim:
    """One sentence of a thread, what is true of it, and the check that computes and can fail.

    ``claim`` says in a few words what the thread says; ``statement`` is the right statement;
    ``check`` returns the number that decides, and whether it agrees with the verdict. Where a
    number cannot decide, ``by_source`` says that the citation does; the number then illustrates.
    ``beside`` is a place outside of the lesson that shows it too: public code, or the reader's own.
    """

    id: str
    thread: str
    claim: str
    verdict: Verdict
    statement: str
    link: Link
    check: Callable[[], Evidence]
    citations: tuple[Citation, ...] = ()
    by_source: bool = False
    beside: Link | None = None

    @property
    def decided_by(self) -> str:
        """'a number' computed here, or 'a source' that is cited."""
        return "a source" if self.by_source else "a number"

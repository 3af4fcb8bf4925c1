"""The ledger's entries D1 to D18: what threads A, B and C say of the derivation."""

from vae.ledger.checks import derivation, linear, objective
from vae.ledger.types import Citation, Claim, Link, Verdict

TRUE, CONDITION, WRONG = Verdict.TRUE, Verdict.CONDITION, Verdict.WRONG

ENTRIES = (
    Claim(
        "D1",
        "A",
        "The Gaussian log density is −log σ − ½ log 2π − ½ (x−μ)/σ²",
        CONDITION,
        "With the commenter's parentheses: log N(x; μ, σ²) = −log σ − ½ log 2π − ½ ((x−μ)/σ)². "
        "As first printed, the square sits on σ alone and the density does not integrate to 1.",
        Link("derivation", "expansion", {"sigma": "0.3", "x": "0.8", "mean": "0.5"}),
        derivation.expansion,
        (Citation("kingma-welling", "appendix C.2, equation 12"),),
    ),
    Claim(
        "D2",
        "A",
        "With constant σ, the derivative of log p is that of MSE, but scaled with σ",
        TRUE,
        "The factor is −1/(2σ²) on the squared error and −D/(2σ²) on its mean over D pixels; "
        "the sign turns a maximum into a minimum.",
        Link("derivation", "sigma", {"sigma": "0.3"}),
        derivation.gradient_ratio,
        (Citation("kingma-welling", "appendix C.2"),),
    ),
    Claim(
        "D3",
        "A",
        "So people optimise MSE and adjust their learning rate accordingly",
        CONDITION,
        "For SGD on the reconstruction alone, a loss scaled by c is exactly a learning rate "
        "scaled by c. Beside the KL another σ is another objective that no learning rate undoes.",
        Link("derivation", "learning-rate", {"race_sigma": "0.5"}),
        objective.learning_rate,
        (Citation("kingma-ba", "section 2.1, for Adam"),),
    ),
    Claim(
        "D4",
        "A",
        "The reconstruction error is E[log p(x|z)]",
        WRONG,
        "The error is −E[log p(x|z)], which is minimised; E[log p(x|z)] is a log likelihood, "
        "which is maximised and falls as a reconstruction gets worse.",
        Link("derivation", "expansion", {"x": "0.8", "mean": "0.3", "sigma": "0.3"}),
        derivation.error_sign,
        (Citation("kingma-welling", "equation 3"),),
    ),
    Claim(
        "D5",
        "A",
        "The mean squared error is E[(x − p(q(x)))²]",
        WRONG,
        "p and q are densities and cannot be composed. The expression is E over z ~ q(z|x) of "
        "‖x − μ(z)‖², where μ(z) is the decoder's output; the draw of z adds its own variance.",
        Link("derivation", "expansion"),
        objective.composed_densities,
        (Citation("kingma-welling", "section 2.3"),),
    ),
    Claim(
        "D6",
        "A",
        "The reconstruction loss is `square(y - t).mean()`",
        CONDITION,
        "Alone it has the minimiser of the Gaussian likelihood. Beside a KL summed over latents, "
        "the mean over D pixels is a Gaussian with σ² = D/2: 392, so σ = 19.8, on 28×28 pixels.",
        Link("derivation", "implied-sigma"),
        derivation.pixel_mean,
        (Citation("rybkin", "section 3.1"),),
    ),
    Claim(
        "D7",
        "B",
        "If p(x|z) is N(f(z), I), then log p(x|z) is −(x − f(z))²",
        CONDITION,
        "Up to a constant and the factor ½: log N(x; f, I) = −½ ‖x − f‖² − (D/2) log 2π. "
        "Without the ½ the code beside a KL has σ² = ½, not 1.",
        Link("derivation", "sigma", {"sigma": "0.707"}),
        derivation.missing_half,
        (Citation("kingma-welling", "appendix C.2"),),
    ),
    Claim(
        "D8",
        "B",
        "The ELBO is E[log p(x|z)] + KL(q(z|x) ‖ p(z))",
        WRONG,
        "The sign: ELBO = E[log p(x|z)] − KL(q(z|x) ‖ p(z)). With a plus it is no lower bound "
        "on log p(x).",
        Link("derivation", "expansion"),
        objective.elbo_sign,
        (Citation("kingma-welling", "equation 3"),),
    ),
    Claim(
        "D9",
        "B",
        "Take the decoder's mean as the output: it has the highest density",
        TRUE,
        "The mean of a Gaussian is its mode. A draw from p(x|z) adds noise of standard "
        "deviation σ to each pixel, and is what the model really says an image looks like.",
        Link("derivation", "image", {"sigma": "0.3"}),
        derivation.mean_is_mode,
    ),
    Claim(
        "D10",
        "B",
        "A Gaussian for real-valued data, a Bernoulli for binary data",
        TRUE,
        "So says the paper. A Gaussian on pixels in [0, 1] still puts mass outside them: at "
        "μ = 0.5 a share of 9.6% for σ = 0.3.",
        Link("derivation", "sigma", {"sigma": "0.3", "mean": "0.5"}),
        derivation.mass_outside,
        (Citation("kingma-welling", "section 3 and appendix C"),),
    ),
    Claim(
        "D11",
        "B",
        "Maximising the Gaussian likelihood is minimising the MSE",
        CONDITION,
        "For one fixed σ without a KL, yes. A learned shared σ makes it (D/2) log MSE; with a "
        "σ of its own for each pixel the errors are weighted and the minimiser moves.",
        Link("derivation", "learned-sigma"),
        derivation.learned_scale,
        (Citation("rybkin", "section 3.1 and that on optimal variance"),),
    ),
    Claim(
        "D12",
        "B",
        "Lucas et al.: VAEs trained with MSE and posterior collapse",
        CONDITION,
        "Proved for linear VAEs: latent j stays active exactly when the data variance along it, "
        "λⱼ, exceeds σ². For deep ones it is a prediction to test.",
        Link("derivation", "collapse", {"variance": "1"}),
        linear.active_latents,
        (
            Citation("lucas", "“Analysis of linear VAE”"),
            Citation("tipping-bishop", "equation 7"),
        ),
    ),
    Claim(
        "D13",
        "B",
        "Minimising MSE minimises Pearson's χ² divergence",
        WRONG,
        "That is a theorem about the least-squares loss of a GAN's discriminator. The MSE of "
        "pixels with a fixed σ is a KL divergence between Gaussians: (x−μ)²/(2σ²).",
        Link("derivation", "cross-entropy"),
        derivation.pearson,
        (Citation("mao", "section 3.2"),),
    ),
    Claim(
        "D14",
        "C",
        "Mean squared error is itself a cross-entropy, with a Gaussian model",
        TRUE,
        "The mean negative log likelihood of any model is the cross-entropy from the empirical "
        "distribution to it; a Gaussian of fixed σ makes it MSE/(2σ²) plus a constant.",
        Link("derivation", "cross-entropy"),
        derivation.cross_entropy,
        (Citation("goodfellow", "section 5.5"),),
    ),
    Claim(
        "D15",
        "C",
        "You seek to minimise the ELBO (empirical lower bound)",
        WRONG,
        "ELBO means evidence lower bound, and it is maximised: it lies below log p(x), and "
        "raising it brings it there. The loss is its negative.",
        Link("derivation", "expansion"),
        objective.elbo_is_maximised,
        (Citation("kingma-welling", "equations 2 and 3"),),
    ),
    Claim(
        "D16",
        "C",
        "The KL is managed by the encoder, the reconstruction term by the decoder",
        CONDITION,
        "The KL sends no gradient to the decoder. The reconstruction term trains both: through "
        "the drawn z it is the only reason for the encoder to keep information.",
        Link("derivation", "expansion"),
        linear.gradient_norms,
        (Citation("kingma-welling", "section 2.4"),),
    ),
    Claim(
        "D17",
        "C",
        "A multinoulli p(x|z) gives (binary) cross-entropy",
        CONDITION,
        "A multinoulli over K values is a softmax and gives the categorical cross-entropy. "
        "Binary cross-entropy is a product of Bernoullis, one a pixel: the case K = 2 of it.",
        Link("derivation", "cross-entropy"),
        derivation.multinoulli,
        (Citation("goodfellow", "sections 3.9.2 and 6.2.2"),),
    ),
    Claim(
        "D18",
        "B",
        "That implementation does not sample between encoder and decoder",
        CONDITION,
        "Code that feeds the mean on and leaves out the draw is a plain autoencoder: its error "
        "is lower, but it is no bound on log p(x) and its prior samples mean nothing.",
        Link("derivation", "image"),
        linear.without_sampling,
        (Citation("kingma-welling", "section 2.4"),),
    ),
)

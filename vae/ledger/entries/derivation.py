"""The ledger's entries D1 to D37: what threads A, B and C say of the derivation."""

from vae.ledger.checks import bounds, choices, derivation, linear, objective
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
        "scaled by c. Beside the KL another σ is another objective, which no learning rate undoes.",
        Link("derivation", "learning-rate", {"race_sigma": "0.5"}),
        objective.learning_rate,
        (Citation("kingma-ba", "section 2.1, for Adam"),),
    ),
    Claim(
        "D4",
        "A",
        "The reconstruction error is E[log p(x|z)]",
        CONDITION,
        "A sign convention. The paper calls E[log p(x|z)] an “expected reconstruction error”, and "
        "further down a “negative reconstruction error”. What is minimised is −E[log p(x|z)]: "
        "log p falls as a reconstruction gets worse.",
        Link("derivation", "expansion", {"x": "0.8", "mean": "0.3", "sigma": "0.3"}),
        derivation.error_sign,
        (Citation("kingma-welling", "section 2.3"),),
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
        "The reconstruction loss is square(y − t).mean()",
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
        Link("derivation", "evidence"),
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
        "Without a KL, yes: for one fixed σ, and for one learned σ, since (D/2) log MSE rises "
        "with MSE. A σ for each pixel weights the errors. That moves outputs which share "
        "parameters, and no others.",
        Link("derivation", "learned-sigma"),
        derivation.learned_scale,
        (Citation("rybkin", "sections 3.1 and 4"),),
    ),
    Claim(
        "D12",
        "B",
        "Lucas et al.: VAEs trained with MSE and posterior collapse",
        CONDITION,
        "Proved for linear VAEs at their global optimum: latent j stays active exactly when the "
        "data variance along it, vⱼ, exceeds σ². For deep ones it is a prediction to test.",
        Link("derivation", "collapse", {"variance": "1"}),
        linear.active_latents,
        (
            Citation("lucas", "section 4, “Analysis of linear VAE”"),
            Citation("tipping-bishop", "equation 7"),
            Citation("li", "abstract, for networks"),
        ),
    ),
    Claim(
        "D13",
        "B",
        "Minimising MSE minimises Pearson's χ² divergence",
        WRONG,
        "That is a theorem about the least-squares loss of a GAN's discriminator. For one image "
        "χ² = exp(δ²/σ²) − 1 rises with the squared error δ². Over several images the two can "
        "disagree on which fit is better.",
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
        Link("derivation", "evidence"),
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
        Link("derivation", "learning-rate"),
        linear.gradient_norms,
        (Citation("kingma-welling", "section 2.4"),),
    ),
    Claim(
        "D17",
        "C",
        "A multinoulli p(x|z) gives (binary) cross-entropy",
        CONDITION,
        "A multinoulli is a softmax and gives the categorical cross-entropy. Binary cross-entropy "
        "is a product of Bernoullis, one a pixel: the case of two values.",
        Link("derivation", "bernoulli"),
        derivation.multinoulli,
        (Citation("goodfellow", "sections 3.9.2 and 6.2.2"),),
    ),
    Claim(
        "D18",
        "B",
        "That implementation does not sample between encoder and decoder",
        CONDITION,
        "Which implementation was meant is not known. Without the draw, and without the KL, it is "
        "a plain autoencoder: its error is lower, its draws from the prior mean nothing. With the "
        "KL kept it is neither.",
        Link("derivation", "image"),
        linear.without_sampling,
        (Citation("kingma-welling", "section 2.4"),),
        by_source=True,
    ),
    Claim(
        "D19",
        "A",
        "Is the reconstruction error just an idea, and MSE its actual formula? Is that all?",
        CONDITION,
        "E[log p(x|z)] is exact, and a formula once p(x|z) is chosen. A Gaussian of fixed σ makes "
        "it MSE. A Laplace makes it |x − μ|, with another best output: the median.",
        Link("derivation", "expansion"),
        choices.other_choices,
        (Citation("kingma-welling", "section 3"),),
    ),
    Claim(
        "D20",
        "A",
        "The parentheses are not correctly placed: square the subtraction, as the code does",
        CONDITION,
        "As the formula now stands it squares the difference and agrees with the code. What is "
        "still wrong is inside: p(q(x)) composes two densities.",
        Link("derivation", "expansion"),
        choices.parentheses,
    ),
    Claim(
        "D21",
        "A",
        "A Gaussian with constant σ is the most common choice of model",
        CONDITION,
        "Papers say so of image VAEs; nobody has counted. What is common is the squared error. "
        "The constant σ that it implies differs from code to code by a factor of hundreds; the "
        "page Your loss shows where public code stands.",
        Link("derivation", "implied-sigma"),
        choices.constant_scales,
        (Citation("rybkin", "section 1"),),
        by_source=True,
        beside=Link("your_loss", "census"),
    ),
    Claim(
        "D22",
        "A",
        "Why does BCE come from the reconstruction error?",
        TRUE,
        "Choose a Bernoulli for each pixel: p(x|z) is the product of pˣ(1 − p)¹⁻ˣ. Take the "
        "logarithm, sum over pixels, turn the sign: that is BCE. For a grey it is the mean over "
        "draws.",
        Link("derivation", "bernoulli"),
        choices.bernoulli_lines,
        (Citation("kingma-welling", "appendix C.1, equation 11"),),
    ),
    Claim(
        "D23",
        "C",
        "Is there a derivation where a Gaussian p(x|z) leads to MSE?",
        TRUE,
        "Yes: eight lines from E[log p(x|z)] to MSE, with σ fixed. The μ of largest likelihood is "
        "the μ of least squared error.",
        Link("derivation", "expansion"),
        choices.gaussian_leads_to_mse,
        (Citation("goodfellow", "section 5.5.1"),),
    ),
    Claim(
        "D24",
        "B",
        "Many implement the first term as the MSE: is this mathematically sound?",
        CONDITION,
        "Yes, for a Gaussian of one fixed σ that is stated. Then −(error + KL) plus a constant is "
        "a lower bound on log p(x). With a mean over pixels the bound belongs to another σ.",
        Link("derivation", "evidence"),
        bounds.plain_code_is_a_bound,
        (Citation("kingma-welling", "equations 1 to 3"),),
        beside=Link("your_loss", "paste"),
    ),
    Claim(
        "D25",
        "B",
        "The Kullback–Leibler divergence and the cross-entropy have their drawbacks",
        CONDITION,
        "They are infinite where a model excludes what occurs. A Gaussian decoder excludes "
        "nothing, and a sigmoid never reaches 0 or 1, so a VAE does not meet the case.",
        Link("derivation", "cross-entropy"),
        bounds.where_it_is_infinite,
        (Citation("mao", "section 3.2"),),
    ),
    Claim(
        "D26",
        "B",
        "CycleGAN's cycle-consistency loss is MSE-like",
        WRONG,
        "It is the L1 norm, by its paper. Least squares is what its adversarial term became. "
        "The two differ in what they want: a median, or a mean.",
        Link("derivation", "cross-entropy"),
        bounds.cycle_loss,
        (Citation("zhu", "section 3.2, equation 2"),),
        by_source=True,
    ),
    Claim(
        "D27",
        "B",
        "MSE encourages the model to preserve the original content",
        CONDITION,
        "It preserves the grey of each pixel in its place. Content that moves by two pixels can "
        "cost more than a flat grey without content.",
        Link("derivation", "image"),
        bounds.content,
    ),
    Claim(
        "D28",
        "B",
        "In “log p(x|z) ∼ −(x − f)²” the sign ∼ means approximately equal",
        WRONG,
        "Nothing is approximate. The two are equal up to a factor, 1/(2σ²), and a constant that "
        "does not depend on f.",
        Link("derivation", "sigma", {"sigma": "1"}),
        choices.equal_up_to_constants,
    ),
    Claim(
        "D29",
        "B",
        "Section C.2 of the VAE paper computes p(x|z) with no MSE and no BCE",
        WRONG,
        "Equation 11 is minus BCE. Equation 12 is a Gaussian whose logarithm holds a squared "
        "error, divided by 2σ², and the network gives σ.",
        Link("derivation", "bernoulli"),
        choices.appendix_c,
        (Citation("kingma-welling", "appendix C, equations 11 and 12"),),
        by_source=True,
    ),
    Claim(
        "D30",
        "B",
        "In p(x|z) the original x is used, not the reconstruction",
        CONDITION,
        "Both are used. x is where the density is read; the reconstruction x̂ = f(z) is its mean. "
        "Moving either by the same amount changes log p equally, with opposite sign.",
        Link("derivation", "sigma", {"x": "0.8", "mean": "0.5"}),
        choices.both_pictures,
        (Citation("kingma-welling", "section 3"),),
    ),
    Claim(
        "D31",
        "B",
        "It is not clear why that implementation uses BCE",
        CONDITION,
        "Which code was linked is not known, so its reason is not either. The usual one: greys of "
        "handwritten digits are nearly binary, and a sigmoid with BCE is the paper's Bernoulli "
        "decoder.",
        Link("derivation", "cross-entropy"),
        choices.pixels_near_the_ends,
        (Citation("kingma-welling", "section 5 and appendix C.1"),),
        by_source=True,
    ),
    Claim(
        "D32",
        "B",
        "Lucas et al., section 5, seem to use the MSE as first term",
        TRUE,
        "Their decoders are Gaussian with one σ. So the first term is the squared error over 2σ² "
        "plus a constant, and σ is what that paper varies and learns.",
        Link("derivation", "collapse"),
        bounds.lucas_uses_mse,
        (Citation("lucas", "section 5, “Deep Gaussian VAEs”"),),
        by_source=True,
    ),
    Claim(
        "D33",
        "C",
        "The reconstruction term E[log p(x|z)] requires sampling",
        CONDITION,
        "For a network, yes: one draw of z is an unbiased estimate. For a linear decoder the "
        "expectation is known exactly, so training needs no draw.",
        Link("derivation", "evidence"),
        bounds.sampling,
        (Citation("kingma-welling", "section 2.3"), Citation("lucas", "section 4")),
    ),
    Claim(
        "D34",
        "C",
        "p(x|z) can be reformulated as p(x|x̂) ∼ N(x̂, σ)",
        CONDITION,
        "Yes, since x̂ = f(z) is all that the decoder makes of z. Say whether the second number is "
        "σ or σ²: the two readings are different losses.",
        Link("derivation", "sigma", {"sigma": "0.3"}),
        choices.standard_deviation_or_variance,
    ),
    Claim(
        "D35",
        "C",
        "“Cross-entropy” for Bernoulli or softmax alone is a misnomer",
        TRUE,
        "Any mean negative log likelihood is the cross-entropy from the data to the model. The "
        "Bernoulli's is one of many.",
        Link("derivation", "cross-entropy"),
        choices.any_likelihood_is_a_cross_entropy,
        (Citation("goodfellow", "section 5.5"),),
    ),
    Claim(
        "D36",
        "C",
        "If x|z is multinomial, what does f(z) produce? Probabilities for each pixel?",
        CONDITION,
        "Logits: 256 for each pixel of bytes, and a softmax within each pixel. One softmax over "
        "all pixels is another model, in which pixels compete for one white dot.",
        Link("derivation", "cross-entropy"),
        choices.logits_of_a_multinoulli,
        (Citation("goodfellow", "section 6.2.2.3"),),
    ),
    Claim(
        "D37",
        "C",
        "A multivariate Bernoulli fits better: the multinomial does not give binary cross-entropy",
        TRUE,
        "A product of Bernoullis gives every binary picture its mass. One multinoulli over pixels "
        "allows pictures with a single white pixel, and nothing else.",
        Link("derivation", "bernoulli"),
        choices.many_ones,
        (Citation("goodfellow", "sections 3.9.1 and 3.9.2"),),
    ),
)

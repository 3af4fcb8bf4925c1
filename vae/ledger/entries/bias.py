"""The ledger's entries B1 to B14: what thread C says of binary cross-entropy."""

from vae.ledger.checks import bias, gradients, measured
from vae.ledger.types import Citation, Claim, Link, Verdict

TRUE, CONDITION, WRONG = Verdict.TRUE, Verdict.CONDITION, Verdict.WRONG

ENTRIES = (
    Claim(
        "B1",
        "C",
        "MSE is symmetric: too bright costs as much as too dark",
        TRUE,
        "(p − t)² depends on |p − t| alone, for every target t.",
        Link("bias", "asymmetry", {"t": "0.8", "h": "0.1"}),
        bias.mse_symmetric,
    ),
    Claim(
        "B2",
        "C",
        "For 0.8, 0.9 costs more than 0.7; for 0.3, 0.4 costs less than 0.2; likewise for 0.7",
        TRUE,
        "Above its floor H(t), BCE costs 1.726 times as much at 0.9 as at 0.7 for t = 0.8, and "
        "1.304 times as much away from 0.5 as toward it for t = 0.3 and t = 0.7.",
        Link("bias", "asymmetry", {"t": "0.8", "h": "0.1"}),
        bias.asymmetry,
    ),
    Claim(
        "B3",
        "C",
        "Cross-entropy is biased towards 0.5 whenever the ground truth is not binary",
        CONDITION,
        "The cost is asymmetric, the minimiser is not biased: p = t for a fixed target, p = E[t] "
        "for a random one, as with MSE. Noise added to the output p does pull it toward 0.5.",
        Link("bias", "noise", {"t": "0.8", "s": "0.1"}),
        bias.minimisers,
        (Citation("banerjee"),),
    ),
    Claim(
        "B4",
        "C",
        "For a target of 0.5 the loss, less its floor, equals 2 MSE",
        CONDITION,
        "To second order only: it is −½ log(1 − 4h²) = 2h² + 4h⁴ + …, more than 2 MSE by 2% at "
        "h = 0.1, by 24% at 0.3, and without bound as h nears 0.5.",
        Link("bias", "two-mse", {"t": "0.5", "h": "0.1"}),
        bias.two_mse,
    ),
    Claim(
        "B5",
        "C",
        "So you train the network to always generate blurrier images than the inputs",
        WRONG,
        "Not because of the minimiser. A trained VAE's greys shrink toward the middle under MSE "
        "too, and at an equal KL by nearly as much: that blur is regression to the mean.",
        Link("bias", "measured"),
        measured.shrinkage,
    ),
    Claim(
        "B6",
        "C",
        "On binary data binary cross-entropy is just about perfect",
        TRUE,
        "There it is the exact negative log likelihood of a Bernoulli, normalised, with floor 0.",
        Link("bias", "asymmetry", {"t": "1"}),
        bias.binary_likelihood,
        (Citation("kingma-welling", "appendix C.1, equation 11"),),
    ),
    Claim(
        "B7",
        "C",
        "MSE is serviceable mostly with outputs in [0, 1] and strictly binary targets",
        WRONG,
        "It is backwards: with sigmoid outputs and binary targets the gradient of MSE on the "
        "logit vanishes where the output is confidently wrong; with grey targets and a free "
        "output MSE is the Gaussian likelihood.",
        Link("bias", "gradients", {"t": "1", "start": "-5"}),
        gradients.saturation,
    ),
    Claim(
        "B8",
        "C",
        "A loss with the opposite bias could be written, with its minimum still at the target",
        TRUE,
        "L₁(t, p) = ∫ from t to p of (u − t) 4u(1 − u) du: minimiser p = t, and E[t] for random "
        "targets; it costs less away from 0.5 than toward it, by exactly (8/3)(2t − 1)h³.",
        Link("bias", "opposite", {"t": "0.8", "g": "1"}),
        bias.counter_biased_minimum,
        (Citation("banerjee"),),
    ),
    Claim(
        "B9",
        "C",
        "MNIST is roughly Bernoulli, and binarising does not change it much",
        CONDITION,
        "Roughly: of MNIST's training pixels 18.5% lie strictly between 0 and 1 and 8.7% in "
        "[0.1, 0.9]. The grey rims alone give BCE a floor of 45.5 nats an image on the test set.",
        Link("bias", "pictures"),
        measured.grey_pixels,
        (Citation("loaiza-ganem", "sections 4 and 5"),),
    ),
    Claim(
        "B10",
        "C",
        "Binary cross-entropy is used for better optimisation",
        CONDITION,
        "True for sigmoid outputs: its gradient on the logit is p − t, where MSE's is "
        "2(p − t)p(1 − p), at most 8/27 for t = 1 and zero when confidently wrong.",
        Link("bias", "gradients", {"t": "1", "start": "-5"}),
        gradients.descent_steps,
        (Citation("goodfellow", "section 6.2.2.2"),),
    ),
    Claim(
        "B11",
        "C",
        "Even for grey targets the loss is least where the output equals the target",
        TRUE,
        "BCE(t, p) = H(t) + KL(t ‖ p): least at p = t, where what is left is the floor H(t), "
        "which is zero only for binary targets.",
        Link("bias", "asymmetry", {"t": "0.3"}),
        bias.floor,
        (Citation("goodfellow", "section 5.5"),),
    ),
    Claim(
        "B12",
        "C",
        "A Bernoulli VAE on real-valued observations",
        CONDITION,
        "As a likelihood on [0, 1] it lacks a normaliser: the continuous Bernoulli is the proper "
        "one, whose mean, not whose λ, is the picture. Or the greys are read as probabilities.",
        Link("bias", "continuous-bernoulli", {"t": "0.8"}),
        bias.missing_normaliser,
        (Citation("loaiza-ganem", "sections 3 and 4"),),
    ),
    Claim(
        "B13",
        "C",
        "MSE is the “R2-loss”; greyscale values go from 0 to 256",
        WRONG,
        "Squared error is the L2 loss; R² is 1 − MSE/variance, a score to maximise. Eight bits "
        "hold 256 values, 0 to 255, so pixels are divided by 255.",
        Link("bias", "asymmetry"),
        bias.names_and_ranges,
    ),
    Claim(
        "B14",
        "C",
        "Adversarial methods are essentially a trainable, smart loss function",
        TRUE,
        "A discriminator's −log D(x) is a loss whose parameters are trained along: the same "
        "blurred image costs more once the discriminator has learned what blur is. Outside this "
        "dashboard: named, not built.",
        Link("bias", "measured"),
        gradients.trainable_loss,
        (Citation("goodfellow-gan", "section 3"),),
    ),
)

"""The ledger's entries B1 to B28: what thread C says of binary cross-entropy."""

from vae.ledger.checks import bias, bounds, gradients, losses, measured
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
        "Above its floor H(t), BCE costs 1.726 times as much at 0.9 as at 0.7 for t = 0.8. For "
        "t = 0.3 and t = 0.7 it costs 1.304 times as much away from 0.5 as toward it.",
        Link("bias", "asymmetry", {"t": "0.8", "h": "0.1"}),
        bias.asymmetry,
    ),
    Claim(
        "B3",
        "C",
        "Cross-entropy is biased towards 0.5 whenever the ground truth is not binary",
        CONDITION,
        "The cost is asymmetric, the minimiser is not biased: p = t for a fixed target, p = E[t] "
        "for a random one, as with MSE at any σ. Noise added to the output p does pull it toward "
        "0.5.",
        Link("bias", "noise", {"t": "0.8", "s": "0.1"}),
        bias.minimisers,
        (Citation("banerjee", "theorem 1"),),
    ),
    Claim(
        "B4",
        "C",
        "For a target of 0.5 the loss, less its floor, equals 2 MSE",
        CONDITION,
        "To second order only: it is −½ log(1 − 4h²) = 2h² + 4h⁴ and more. That exceeds 2 MSE, "
        "which is σ = ½, by 2% at h = 0.1, by 24% at 0.3, and without bound as h nears 0.5.",
        Link("bias", "two-mse", {"t": "0.5", "h": "0.1"}),
        bias.two_mse,
    ),
    Claim(
        "B5",
        "C",
        "So you train the network to always generate blurrier images than the inputs",
        WRONG,
        "Mean output by target falls short of the target under BCE and under MSE at its best σ: z "
        "does not tell all. Mean target by output lies on the diagonal: an output of 0.8 means "
        "0.8. That is regression to the mean, not a bias.",
        Link("bias", "measured"),
        measured.both_ways,
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
        "It is backwards. With sigmoid outputs and binary targets its gradient on the logit holds "
        "a factor p(1 − p), at any σ, and fades where the output is confidently wrong. With grey "
        "targets and a free output nothing fades.",
        Link("bias", "gradients", {"t": "1", "start": "-5"}),
        gradients.saturation,
    ),
    Claim(
        "B8",
        "C",
        "A loss with the opposite bias could be written, with its minimum still at the target",
        TRUE,
        "L₁(t, p) = ∫ from t to p of (u − t) 4u(1 − u) du: minimiser p = t, and E[t] for random "
        "targets. It costs less away from 0.5 than toward it, by exactly (8/3)(2t − 1)h³.",
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
        "True for sigmoid outputs under plain gradient descent: its gradient on the logit is "
        "p − t, without the factor p(1 − p)/σ². Adam divides by the gradient's size, and then "
        "squared error need not be slower.",
        Link("bias", "gradients", {"t": "1", "start": "-5"}),
        gradients.descent_steps,
        (Citation("goodfellow", "section 6.2.2.2"), Citation("kingma-ba", "section 2.1")),
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
        "one, whose mean, not whose λ, is the picture. Greys read as probabilities make BCE a "
        "valid bound, but a looser one (B27).",
        Link("bias", "continuous-bernoulli", {"t": "0.8"}),
        bias.missing_normaliser,
        (Citation("loaiza-ganem", "sections 1, 3 and 4"), Citation("shu")),
    ),
    Claim(
        "B13",
        "C",
        "MSE is the “R2-loss”; greyscale values go from 0 to 256",
        WRONG,
        "Squared error is the L2 loss. R² is 1 − MSE/variance, a score to maximise. Eight bits "
        "hold 256 values, 0 to 255, so pixels are divided by 255.",
        Link("bias", "asymmetry"),
        bias.names_and_ranges,
        (Citation("goodfellow", "section 2.5, for the L2 norm"),),
        by_source=True,
    ),
    Claim(
        "B14",
        "C",
        "Adversarial methods are essentially a trainable, smart loss function",
        TRUE,
        "A discriminator's −log D(x) is a loss whose parameters are trained along. The same "
        "blurred image costs more once it has learned what blur is. That this is *why* such "
        "methods look better is a view, not computed here.",
        Link("bias", "measured"),
        gradients.trainable_loss,
        (Citation("goodfellow-gan", "section 3"),),
        by_source=True,
    ),
    Claim(
        "B15",
        "C",
        "Needless to say, both loss functions are applied on sigmoid outputs",
        CONDITION,
        "BCE needs an output between 0 and 1. Squared error does not, at any σ: a free output is "
        "the Gaussian's mean, and the sigmoid is what makes its gradient fade.",
        Link("bias", "gradients", {"t": "0.8", "start": "-5"}),
        losses.sigmoid_needed,
    ),
    Claim(
        "B16",
        "C",
        "Why MSE for the autoencoder and BCE for the variational one, on the same data?",
        CONDITION,
        "Without a KL the scale is free, and every Bregman loss has the same minimiser, the mean. "
        "Beside a KL the term must be the nats of some likelihood: BCE, or squared error with a "
        "σ that is chosen.",
        Link("bias", "question"),
        losses.title_question,
        (Citation("banerjee", "theorem 1"),),
    ),
    Claim(
        "B17",
        "C",
        "No deep rationale is at play: on MNIST it does not make a big difference",
        WRONG,
        "For a plain autoencoder it hardly does. For a VAE the loss sets how many nats z keeps: "
        "on MNIST ten times more at the best σ than at σ = 1.",
        Link("bias", "question"),
        losses.does_it_matter,
    ),
    Claim(
        "B18",
        "C",
        "Would it be feasible to always use the MSE loss?",
        CONDITION,
        "Yes: its minimiser is the mean, also for binary data. Choose σ beside a KL, and mind the "
        "sigmoid, behind which plain gradient descent is slow.",
        Link("bias", "gradients", {"t": "1", "start": "-5"}),
        losses.always_mse,
    ),
    Claim(
        "B19",
        "C",
        "Binary cross-entropy is only for predicting probabilities, with probabilities as labels",
        CONDITION,
        "As a likelihood it is for labels of 0 and 1. As a loss it is least at the mean of any "
        "targets in [0, 1], whatever they mean.",
        Link("bias", "minimum"),
        losses.labels_need_not_be_probabilities,
        (Citation("banerjee", "theorem 1"),),
    ),
    Claim(
        "B20",
        "C",
        "MSE is not immune to blur either, but it is unbiased",
        TRUE,
        "Where a pixel may be black or white, both losses are least at the grey between them. "
        "Both are unbiased in this sense, BCE no less than MSE at any σ.",
        Link("bias", "minimum"),
        losses.averaging_is_blur,
    ),
    Claim(
        "B21",
        "C",
        "You penalise what would enhance sharpness more than what makes it worse",
        CONDITION,
        "Of two equal misses BCE charges the sharper one more. The difference vanishes with the "
        "miss, and at the target there is no push at all.",
        Link("bias", "asymmetry", {"t": "0.8", "h": "0.01"}),
        losses.no_push_at_the_target,
    ),
    Claim(
        "B22",
        "C",
        "A loss that favours overshooting: something like the KLD from a bimodal Gaussian",
        WRONG,
        "Two bells about the target treat both sides alike. Set wide apart they move the minimum "
        "off the target; set close together they are one bell. L₁ of claim B8 does what was asked.",
        Link("bias", "opposite", {"t": "0.8", "g": "1"}),
        losses.bimodal_gaussian,
    ),
    Claim(
        "B23",
        "C",
        "Pushing outputs away from 0.5 gives very hard, pixellised edges",
        TRUE,
        "Fitted under noise on the output, L₁ makes the steepest step of a soft edge steeper, "
        "and BCE makes it gentler.",
        Link("bias", "opposite", {"g": "1"}),
        losses.hard_edges,
    ),
    Claim(
        "B24",
        "C",
        "On MNIST the network is trainable and converges with either loss",
        TRUE,
        "Both shipped runs halve their squared error between the first and the last epoch.",
        Link("bias", "measured"),
        losses.both_converge,
    ),
    Claim(
        "B25",
        "C",
        "Each entry of MNIST is a number between 0 and 1",
        TRUE,
        "After division by 255. The pixels themselves are bytes.",
        Link("bias", "pictures"),
        losses.range_of_the_data,
    ),
    Claim(
        "B26",
        "C",
        "How can cross-entropy be used at all, when a pixel can be anything between 0 and 1?",
        CONDITION,
        "Read a grey as the probability of white. BCE on the grey equals the mean BCE over such "
        "draws, exactly.",
        Link("bias", "continuous-bernoulli", {"t": "0.3"}),
        losses.greys_as_draws,
        (Citation("shu"),),
    ),
    Claim(
        "B27",
        "C",
        "A Bernoulli VAE on greys, read as probabilities, leaves nothing to wish for",
        CONDITION,
        "It is a valid bound, but a looser one: q sees the grey and not the draw. Other readings "
        "of the kind were found wanting.",
        Link("bias", "continuous-bernoulli"),
        bounds.looser_bound,
        (Citation("shu"), Citation("loaiza-ganem", "section 1")),
    ),
    Claim(
        "B28",
        "C",
        "MNIST roughly follows a multivariate Bernoulli distribution",
        CONDITION,
        "Each pixel does, nearly. Pixels are not independent: their covariance is far from "
        "diagonal, and that is what z is for.",
        Link("bias", "pictures"),
        losses.pixels_hang_together,
    ),
)

"""One question for each section of Bias; wrong choices are what people believe."""

from vae.quiz.types import Choice, Question, Show

QUESTIONS = (
    Question(
        "bias",
        "asymmetry",
        "The target is 0.8. Two outputs miss it by 0.1: 0.9 and 0.7. Which costs more under BCE?",
        (
            Choice(
                "Neither: both miss by 0.1",
                "That holds for squared error, at any σ. Read BCE's two points above its floor.",
                Show({"t": 0.8, "h": 0.1}),
            ),
            Choice("0.9, away from ½", "The bowl is steeper on the side away from ½."),
            Choice(
                "0.7, toward ½",
                "It is the other way round: the side toward ½ is the flat one.",
                Show({"t": 0.8, "h": 0.15}),
            ),
        ),
    ),
    Question(
        "bias",
        "two-mse",
        "At t = ½, is BCE above its floor the same as 2(p − t)²?",
        (
            Choice(
                "Yes: one is the other",
                "They touch at 0 and part. Near black and white BCE has no bound.",
                Show({"t": 0.5, "h": 0.4}),
            ),
            Choice("For small misses alone", "2h² is the first term of a series that goes on."),
            Choice(
                "No: they have nothing to do with each other",
                "For a small h they are hard to tell apart.",
                Show({"t": 0.5, "h": 0.05}),
            ),
        ),
    ),
    Question(
        "bias",
        "minimum",
        "One output must serve 200 different targets. Where does BCE put it?",
        (
            Choice(
                "Nearer to ½ than their mean",
                "The bowls lean, but the best output is the mean, however skewed the targets are.",
                Show({"centre": 1.0, "spread": 1.5, "skew": 0.3}),
            ),
            Choice("At their mean", "As squared error does, at any σ: both are Bregman losses."),
            Choice(
                "At the most frequent target",
                "That is the mode. See targets that are almost black or white: the output is grey.",
                Show({"centre": 1.0, "spread": 8.0, "skew": 0.0}),
            ),
        ),
    ),
    Question(
        "bias",
        "noise",
        "z is drawn, so the logit wobbles before the sigmoid. Where is BCE's best output?",
        (
            Choice(
                "Nearer to ½",
                "That takes noise on the output. On the logit, BCE's mean output stays at t.",
                Show({"tau": 2.0, "t": 0.8}),
            ),
            Choice("Its mean stays at the target", "BCE's condition there is E[p] = t: no pull."),
            Choice(
                "Away from ½",
                "That is squared error behind a sigmoid, at any σ. Compare the two curves.",
                Show({"tau": 1.5, "t": 0.8}),
            ),
        ),
    ),
    Question(
        "bias",
        "pictures",
        "Noise is on the logit. Which losses give the greys of a picture back?",
        (
            Choice(
                "Squared error, at any σ, and L1",
                "They push greys to black and white here. Look at their rows.",
                Show(choices={"noise_on": "the logit"}),
            ),
            Choice("BCE and the continuous Bernoulli", "Their mean output stays at the target."),
            Choice(
                "None of them",
                "Two rows are the targets again. With noise on the output it is otherwise.",
                Show(choices={"noise_on": "the logit"}),
            ),
        ),
    ),
    Question(
        "bias",
        "continuous-bernoulli",
        "Where is the continuous Bernoulli's best λ for a grey of 0.8?",
        (
            Choice(
                "At 0.8",
                "At 0.8 lies its mean. λ is a parameter, and only ½ is its own mean.",
                Show({"t": 0.8}),
            ),
            Choice("Beyond 0.8, toward 1", "The constant C(λ) moves it out; the mean stays at t."),
            Choice(
                "Nearer to ½",
                "It is the other way: see λ against t, outside the diagonal.",
                Show({"t": 0.7}),
            ),
        ),
    ),
    Question(
        "bias",
        "gradients",
        "The target is 1, the logit −7, σ = 0.1. Whose gradient on the logit is larger?",
        (
            Choice(
                "Squared error's: 1/σ² is large",
                "Not large enough: out there the factor p(1 − p) is nearly 0.",
                Show({"t": 1.0, "start": -7.0, "sigma": 0.1}),
            ),
            Choice("BCE's", "It is p − t, nearly 1. Squared error's has the factor p(1 − p)/σ²."),
            Choice(
                "They are equal: both are p − t",
                "That is BCE's alone. Drag the start to 0 and back: squared error's gradient "
                "fades, at any σ.",
                Show({"t": 1.0, "start": -5.0, "sigma": 0.1}),
            ),
        ),
    ),
    Question(
        "bias",
        "opposite",
        "A loss leans the other way: misses toward ½ cost more. Where is it least, for one target?",
        (
            Choice(
                "Beyond the target",
                "The lean turned over; the lowest point did not move.",
                Show({"g": 1.0, "t": 0.8}),
            ),
            Choice("At the target", "A bowl may lean without its lowest point moving."),
            Choice(
                "Nearer to ½",
                "Not even BCE, g = −1, is least there.",
                Show({"g": -1.0, "t": 0.8}),
            ),
        ),
    ),
    Question(
        "bias",
        "measured",
        "Where a VAE trained with BCE outputs 0.8, how bright are the pixels on average?",
        (
            Choice(
                "Brighter: BCE shrinks toward ½",
                "Read the right chart, target by output: it lies on the diagonal. The left one "
                "leans for every loss.",
                Show(choices={"trained": "MNIST"}),
            ),
            Choice("0.8", "It is calibrated. Blur is what z does not know."),
            Choice(
                "Darker: BCE exaggerates",
                "Read the right chart, target by output: it lies on the diagonal.",
                Show(choices={"trained": "MNIST"}),
            ),
        ),
    ),
    Question(
        "bias",
        "question",
        "A plain autoencoder has no KL. What does it decide whether the loss is MSE or BCE?",
        (
            Choice(
                "Which output is best for many targets",
                "It is the mean for both. See section 3: two bowls, one lowest point.",
                Show({"centre": 1.0, "spread": 1.5, "skew": 0.3}, anchor="minimum"),
            ),
            Choice("How fast it gets there", "Both have one minimum; only the way there differs."),
            Choice(
                "How many latents survive",
                "Without a KL no latent has a price. σ is then a factor on the whole loss.",
                Show({"sigma": 0.1}, anchor="gradients"),
            ),
        ),
    ),
)

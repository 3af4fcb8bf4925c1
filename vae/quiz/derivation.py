"""One question for each section of Derivation; wrong choices are what people believe."""

from vae.quiz.types import Choice, Question, Show

_COLLAPSED = Show({"variance": 392.0})

QUESTIONS = (
    Question(
        "derivation",
        "evidence",
        "The guess q is the prior itself, so its KL to the prior is 0. Is the bound log p(x) now?",
        (
            Choice(
                "Yes: the price is 0",
                "The price is 0, but the guess is bad: most of its codes do not explain the pixel. "
                "Look at the gap.",
                Show({"q_mean": 0.0, "q_scale": 1.0, "x": 0.8, "sigma": 0.3}),
            ),
            Choice(
                "No: the KL from q to the posterior is missing",
                "That KL is the gap, and it is 0 only where q is the posterior.",
            ),
            Choice(
                "It may even lie above",
                "The gap is a KL, and no KL is negative. Drag q wherever you like: the bound stays "
                "below.",
                Show({"q_mean": 1.0, "q_scale": 0.2, "x": 0.8, "sigma": 0.3}),
            ),
        ),
    ),
    Question(
        "derivation",
        "expansion",
        "σ is doubled. What happens to the weight of (x − μ)² in −log p?",
        (
            Choice(
                "It halves",
                "σ is squared in the density: the weight is 1/(2σ²). See the line with the "
                "parabola at σ = 0.6.",
                Show({"sigma": 0.6}),
            ),
            Choice("It falls to a quarter", "The weight is 1/(2σ²), and σ² has become fourfold."),
            Choice(
                "Nothing: MSE has no σ",
                "A weight of 1 is a σ too: 0.707. What is not written is chosen all the same.",
                Show({"sigma": 0.7071}),
            ),
        ),
    ),
    Question(
        "derivation",
        "bernoulli",
        "A grey pixel, x = 0.5, and an output of exactly 0.5. What does BCE charge?",
        (
            Choice(
                "0: the output is right",
                "BCE never falls below H(x), the entropy of the target. It is 0 for black and "
                "white alone.",
                Show({"x": 0.5, "mean": 0.5}),
            ),
            Choice("log 2", "The floor H(x) is largest at 0.5, where it is log 2: one bit."),
            Choice(
                "Nothing: it is not defined",
                "The formula takes any x from 0 to 1. What is lost is that exp(−BCE) is a "
                "distribution.",
                Show({"x": 0.5, "mean": 0.6}),
            ),
        ),
    ),
    Question(
        "derivation",
        "sigma",
        "A fixed σ is halved. Where does the likelihood of this one pixel want μ?",
        (
            Choice(
                "Nearer to x than before",
                "The parabola is steeper, but its lowest point was x already, and still is.",
                Show({"sigma": 0.15}),
            ),
            Choice("At x, as before", "σ stretches and shifts the parabola: its low stays at x."),
            Choice(
                "Farther away: a small σ overfits",
                "A small σ punishes misses more. See both gradients: they vanish at the same μ.",
                Show({"sigma": 0.05}),
            ),
        ),
    ),
    Question(
        "derivation",
        "image",
        "The page shows the mean μ. What does a draw from p(x|z) look like at σ = 0.3?",
        (
            Choice(
                "Like the mean, a little sharper",
                "A draw adds noise to each pixel on its own. Nothing in it is sharper.",
                Show({"sigma": 0.3}),
            ),
            Choice("The mean under grain", "Noise of σ on every pixel: a length of about σ√D."),
            Choice(
                "Another digit of the same kind",
                "Which digit it is was decided by z. Given z, pixels vary each on its own.",
                Show({"sigma": 0.1}),
            ),
        ),
    ),
    Question(
        "derivation",
        "implied-sigma",
        "Beside a summed KL, a sum over 784 pixels becomes their mean. What has changed?",
        (
            Choice(
                "The learning rate alone",
                "That holds for a factor on the whole loss. Here one of two terms has it: read "
                "σ beside the code.",
                Show(choices={"code": "pixel mean + KL"}),
            ),
            Choice("σ² is 784 times as large", "The ratio of the two weights is what σ² is."),
            Choice(
                "Nothing: a mean is a sum",
                "The smallest loss is elsewhere. Compare σ under both, and the latents that "
                "survive.",
                Show(choices={"code": "sum + KL"}),
            ),
        ),
    ),
    Question(
        "derivation",
        "learning-rate",
        "σ is doubled in a VAE. Which learning rate gives the old training back?",
        (
            Choice(
                "Four times the old one",
                "It would, without the KL. With it, the dashed path ends elsewhere.",
                Show(choices={"optimiser": "SGD", "race_sigma": "2"}),
            ),
            Choice("None", "σ scales one of two terms: their balance moves, and so the end."),
            Choice(
                "The old one, under Adam",
                "Adam undoes a factor on the whole loss, not one on a part of it.",
                Show(choices={"optimiser": "Adam", "race_sigma": "2"}),
            ),
        ),
    ),
    Question(
        "derivation",
        "collapse",
        "σ² is above every eigenvalue of the data. How many latents does a linear VAE keep?",
        (
            Choice(
                "All: they were trained",
                "A latent is kept only while it saves more than its KL costs. Look at the sticks.",
                _COLLAPSED,
            ),
            Choice(
                "One: the strongest always pays",
                "Even the first stick is below the line, so it has nothing to save.",
                _COLLAPSED,
            ),
            Choice("None", "No direction saves as much squared error as its KL costs."),
        ),
    ),
    Question(
        "derivation",
        "learned-sigma",
        "One σ for all pixels is learned, without a KL. Where does it end?",
        (
            Choice(
                "At 0: surer is always better",
                "Too small a σ is punished steeply. See the third panel of section 3 at this σ.",
                Show({"sigma": 0.05}, anchor="sigma"),
            ),
            Choice("At the RMSE", "There the price of a miss and that of doubt balance."),
            Choice(
                "At 1: code that says MSE assumes it",
                "1 is one choice, and a poor one here. The third panel of section 3 is least at "
                "the RMSE.",
                Show({"sigma": 1.0}, anchor="sigma"),
            ),
        ),
    ),
    Question(
        "derivation",
        "cross-entropy",
        "You minimise MSE at a fixed σ. Is that a cross-entropy?",
        (
            Choice(
                "No: cross-entropies need classes",
                "Any mean negative log likelihood is one. See it follow μ and σ, beside the bars.",
                Show({"fit_mean": 0.6, "fit_sigma": 0.3}),
            ),
            Choice("Yes: to a Gaussian", "From the data to the model, and the model is Gaussian."),
            Choice(
                "Only if the greys are Gaussian",
                "The greys are the bars: they have any shape. Only the model is Gaussian.",
                Show({"fit_mean": 0.2, "fit_sigma": 0.4}),
            ),
        ),
    ),
    Question(
        "derivation",
        "beliefs",
        "Three targets of ten are bright, the rest dark. Which one output costs the L1 least?",
        (
            Choice(
                "Their mean, in between",
                "That is squared error's, at any σ. L1 is pulled as hard by what is near as by "
                "what is far.",
                Show({"bright": 0.3, "place": 0.85}, {"family": "absolute error (L1)"}),
            ),
            Choice("A dark one", "The median: seven pull one way, three the other."),
            Choice(
                "A bright one",
                "Seven dark ones outvote three. Make the bright ones more than half, and it jumps.",
                Show({"bright": 0.3, "place": 0.85}, {"family": "absolute error (L1)"}),
            ),
        ),
    ),
)

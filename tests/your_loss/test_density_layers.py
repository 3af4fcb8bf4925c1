"""Layers whose outputs are densities: their parameters, and the KL that a regulariser adds."""

import pytest

from vae import your_loss

HEAD = """
import tensorflow as tf
import tensorflow_probability as tfp
K, L, D, P = tf.keras, tf.keras.layers, tfp.distributions, tfp.layers
size = 6
prior = D.Independent(D.Normal(loc=tf.zeros(size), scale=1), reinterpreted_batch_ndims=1)
"""
MODEL = """
enc = K.Sequential([L.InputLayer((28, 28, 1)), L.Flatten(), L.Dense(27),
                    P.MultivariateNormalTriL(size, activity_regularizer={regulariser})])
dec = K.Sequential([L.InputLayer((size,)), L.Dense(784), {likelihood}])
net = K.Model(inputs=enc.inputs, outputs=dec(enc.outputs[0]))
net.compile("adam", loss=lambda y, p: -p.log_prob(y))
"""
BERNOULLI = "P.IndependentBernoulli((28, 28, 1), D.Bernoulli.logits)"


@pytest.mark.parametrize(
    ("given", "beta"),
    [
        ("prior", 1.0),
        ("prior, weight=2.5", 2.5),
        ("prior, use_exact_kl=True, weight=0.1", 0.1),
        ("lambda: prior", 1.0),
        ("D.MultivariateNormalDiag(loc=tf.zeros(size))", 1.0),
    ],
)
def test_a_regulariser_adds_its_kl_once_for_each_image(given: str, beta: float) -> None:
    regulariser = f"P.KLDivergenceRegularizer({given})"
    code = HEAD + MODEL.format(regulariser=regulariser, likelihood=BERNOULLI)
    for batch in (4, 128):
        found = your_loss.read(code, batch=batch)
        assert (found.family, found.beta) == ("bernoulli", pytest.approx(beta))
        assert found.rate == pytest.approx(1.0)


@pytest.mark.parametrize(
    "given",
    [
        # A mean over the batch before the sum, or more draws than one, count otherwise.
        "prior, test_points_reduce_axis=None",
        "prior, test_points_fn=lambda q: q.sample(5)",
        "D.MixtureSameFamily(D.Categorical(probs=[0.5, 0.5]), D.Normal([0.0, 1.0], 1.0))",
        "D.MultivariateNormalDiag(loc=tf.Variable(tf.zeros(size)))",
        "other_prior",
    ],
)
def test_a_kl_of_which_is_not_known_how_often_it_counts_is_not_read(given: str) -> None:
    regulariser = f"P.KLDivergenceRegularizer({given})"
    found = your_loss.read(HEAD + MODEL.format(regulariser=regulariser, likelihood=BERNOULLI))
    assert not found.read
    assert "KLDivergenceRegularizer" in found.message


def test_a_layer_of_gaussians_has_a_learned_scale() -> None:
    code = HEAD + MODEL.format(
        regulariser="P.KLDivergenceRegularizer(prior)",
        likelihood="P.IndependentNormal((28, 28, 1))",
    )
    assert your_loss.read(code).family == "gaussian-learned"


def test_parameters_that_are_put_together_are_no_learned_scale() -> None:
    code = HEAD + MODEL.format(
        regulariser="P.KLDivergenceRegularizer(prior)",
        likelihood="L.Lambda(lambda m: tf.concat([m, 0 * m], -1)), P.IndependentNormal(784)",
    )
    assert not your_loss.read(code).read


def test_a_function_makes_the_density_of_its_parameters() -> None:
    code = (
        HEAD
        + """
pictures = L.Input((784,))
q = P.DistributionLambda(
    lambda t: D.MultivariateNormalDiag(loc=t[..., :size], scale_diag=tf.nn.softplus(t[..., size:])),
    activity_regularizer=P.KLDivergenceRegularizer(prior, weight=0.5))(L.Dense(2 * size)(pictures))
enc = K.Model(pictures, q)
z_in = L.Input((size,))
p = P.DistributionLambda(lambda t: D.Independent(D.Normal(loc=t, scale=0.2), 1))(L.Dense(784)(z_in))
dec = K.Model(z_in, p)
net = K.Model(pictures, dec(enc(pictures)))
net.compile("adam", loss=lambda y, p: -p.log_prob(y))
"""
    )
    assert your_loss.read(code).sigma2 == pytest.approx(0.5 * 0.2**2)


def test_densities_of_a_step_of_training() -> None:
    code = (
        HEAD
        + """
enc = K.Sequential([L.Input((784,)), L.Dense(12), P.IndependentNormal(size)])
dec = K.Sequential([L.Input((size,)), L.Dense(784), P.IndependentBernoulli(784)])

def train_step(x):
    with tf.GradientTape() as tape:
        q = enc(x)
        p = dec(q.sample())
        loss = tf.reduce_mean(-p.log_prob(x) + 4.0 * D.kl_divergence(q, prior))
    return tape.gradient(loss, enc.trainable_variables + dec.trainable_variables)
"""
    )
    assert your_loss.read(code).beta == pytest.approx(4.0)


def test_an_encoder_alone_compares_no_picture() -> None:
    code = HEAD + MODEL.format(
        regulariser="P.KLDivergenceRegularizer(prior)", likelihood=BERNOULLI
    ).replace("net.compile", "# ")
    assert not your_loss.read(code.partition("dec =")[0]).read

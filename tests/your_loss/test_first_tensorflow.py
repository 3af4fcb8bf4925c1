"""The first TensorFlow: its old order of arguments, its layers, classes inside of a function."""

import pytest

from vae import your_loss

GRAPH = """
x = tf.placeholder(tf.float32, [None, 784])
mu, log_sigma = encode(x)
z = mu + tf.exp(log_sigma) * tf.random_normal(tf.shape(mu))
net = slim.fully_connected(z, 784, activation_fn=None)
kl = -0.5 * tf.reduce_sum(1 + 2 * log_sigma - mu ** 2 - tf.exp(2 * log_sigma), 1)
"""


@pytest.mark.parametrize("pair", ["net, x", "logits=net, labels=x", "logits=net, targets=x"])
def test_logits_came_first_before_names_were_asked_for(pair: str) -> None:
    code = f"""{GRAPH}
error = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits({pair}), 1)
train = tf.train.AdamOptimizer(1e-3).minimize(tf.reduce_mean(error + 3 * kl))
"""
    found = your_loss.read(code, image=(784,), latents=(20,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(3.0))


def test_which_of_the_two_is_data_says_more_than_the_order() -> None:
    code = """
def loss(x, logits, mu, logvar):
    tf.get_variable_scope()
    error = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), 1)
    kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), 1)
    return tf.reduce_mean(error + 3 * kl)
"""
    assert your_loss.read(code).beta == pytest.approx(3.0)


def test_logits_first_is_a_mistake_in_the_second_tensorflow() -> None:
    code = """
def loss(x, logits, mu, logvar):
    error = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(logits, x), 1)
    kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), 1)
    return tf.reduce_mean(error + 3 * kl)
"""
    assert your_loss.read(code).beta is None


@pytest.mark.parametrize("name", ["sigma_square", "z_sigma_squared", "enc_std_sq"])
def test_a_variance_that_a_layer_gives_squared(name: str) -> None:
    code = f"""
x = tf.placeholder(tf.float32, [None, 784])
h = slim.fully_connected(x, 128)
mu = slim.fully_connected(h, 20, activation_fn=None)
{name} = tf.square(slim.fully_connected(h, 20, activation_fn=None))
z = mu + tf.sqrt({name}) * tf.random_normal((128, 20))
recon = slim.fully_connected(z, 784)
error = tf.reduce_sum(tf.square(recon - x), 1)
kl = tf.reduce_sum(0.5 * (tf.square(mu) + {name} - tf.log({name} + 1e-8) - 1.0), 1)
train = tf.train.AdamOptimizer(1e-3).minimize(tf.reduce_mean(error + kl))
"""
    found = your_loss.read(code, image=(784,), latents=(20,), batch=128)
    assert found.sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(
    "head", ["def main():", "if args.train:", "with strategy.scope():", "for run in range(1):"]
)
def test_a_model_that_a_function_or_a_block_defines(head: str) -> None:
    code = f"""
{head}
    z_mean = layers.Dense(2, name="z_mean")(h)
    z_log_var = layers.Dense(2, name="z_log_var")(h)
    encoder = keras.Model(inputs, [z_mean, z_log_var])
    class VAE(keras.Model):
        def train_step(self, data):
            with tf.GradientTape() as tape:
                loss = self.total(data)
            grads = tape.gradient(loss, self.trainable_weights)
        def total(self, data):
            z_mean, z_log_var, z = self.encoder(data)
            reconstruction = self.decoder(z)
            error = tf.reduce_sum(tf.square(data - reconstruction), axis=-1)
            kl = -0.5 * tf.reduce_sum(1 + z_log_var - z_mean ** 2 - tf.exp(z_log_var), axis=1)
            return tf.reduce_mean(error + 4.0 * kl)
    vae = VAE(encoder, decoder)
    vae.fit(data)
"""
    assert your_loss.read(code, image=(784,), latents=(2,)).sigma2 == pytest.approx(2.0)


def test_a_call_of_the_model_by_its_full_name_and_what_its_layers_add() -> None:
    code = """
class VAE(keras.Model):
    def __init__(self, loss_object):
        super().__init__()
        self.loss_object = loss_object
    def call(self, x):
        z_mean, z_log_var, z = self.encoder(x)
        self.add_loss(-0.5 * tf.reduce_sum(z_log_var - z_mean ** 2 - tf.exp(z_log_var) + 1))
        return self.decoder(z)
    def one_step(self, x):
        with tf.GradientTape() as tape:
            loss = self.loss_object(x, self.__call__(x))
            loss += self.losses
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.weights), self.weights))
if __name__ == "__main__":
    error = tf.keras.losses.MeanSquaredError(reduction="sum")
    model = VAE(loss_object=error)
"""
    found = your_loss.read(code, image=(784,), latents=(20,), batch=128)
    # Keras' error of pictures in rows is a mean over their 784 values, summed over the batch.
    assert found.sigma2 == pytest.approx(392.0)


@pytest.mark.parametrize(
    ("error", "kl", "whole"),
    [
        ("tf.losses.mean_squared_error(x, net)", "tf.losses.add_loss({})", "get_total_loss()"),
        ("tf.losses.mean_squared_error(x, net)", "tf.losses.add_loss({})", "get_losses()"),
        (
            "tf.add_to_collection('losses', tf.reduce_mean(tf.square(x - net)))",
            "tf.add_to_collection('losses', {})",
            "tf.get_collection('losses')",
        ),
    ],
)
def test_losses_that_are_put_away_and_summed(error: str, kl: str, whole: str) -> None:
    total = whole if whole.startswith("tf.") else f"tf.losses.{whole}"
    total = total if "total" in total else f"tf.add_n({total})"
    code = f"""{GRAPH}
{error}
{kl.format("0.01 * tf.reduce_mean(kl)")}
train = tf.train.AdamOptimizer(1e-3).minimize({total})
"""
    found = your_loss.read(code, image=(784,), latents=(20,))
    assert found.sigma2 == pytest.approx(0.01 * 784 / 2)


def test_networks_that_share_their_variables_by_a_template() -> None:
    code = """
def make_encoder(data, size):
    loc = tf.layers.dense(data, size)
    return tfd.MultivariateNormalDiag(loc, tf.layers.dense(data, size, tf.nn.softplus))

def make_decoder(code):
    return tfd.Independent(tfd.Bernoulli(tf.layers.dense(code, 784)), 1)

make_encoder = tf.make_template("encoder", make_encoder, size=8)
make_decoder = tf.make_template("decoder", make_decoder)
data = tf.placeholder(tf.float32, [None, 784])
prior = tfd.MultivariateNormalDiag(tf.zeros(8), tf.ones(8))
posterior = make_encoder(data)
likelihood = make_decoder(posterior.sample()).log_prob(data)
elbo = tf.reduce_mean(likelihood - 3 * tfd.kl_divergence(posterior, prior))
optimize = tf.train.AdamOptimizer(0.001).minimize(-elbo)
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(3.0))


@pytest.mark.parametrize(("fit", "beta"), [("nb_epoch=50", 1.0), ("epochs=50", None)])
def test_keras_took_the_output_first_once(fit: str, beta: float | None) -> None:
    code = f"""
def vae_loss(y_true, y_pred):
    recon = K.sum(K.binary_crossentropy(y_pred, y_true), axis=1)
    kl = 0.5 * K.sum(K.exp(log_var) + K.square(z_mean) - 1. - log_var, axis=1)
    return recon + kl

vae.compile(optimizer="adam", loss=vae_loss)
vae.fit(x_train, x_train, {fit})
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert found.beta == (None if beta is None else pytest.approx(beta))
    assert beta is None or "assumed" in [fault.kind for fault in found.faults]


def test_a_layer_and_moments_side_by_side_under_the_names_of_what_they_become() -> None:
    code = """
class Net:
    def __init__(self):
        self.x = tf.placeholder(tf.float32, [None, 784])
        h = tf.nn.tanh(tf.matmul(self.x, weights("we1")) + bias("be1"))
        z = tf.matmul(h, weights("we2")) + bias("be2")
        self.mu = z[:, :8]
        self.sigma = tf.exp(z[:, 8:])
        latent = self.mu + self.sigma * tf.random_normal(tf.shape(self.mu))
        logits = tf.nn.tanh(tf.matmul(latent, weights("wd1")) + bias("bd1"))
        logits = tf.matmul(logits, weights("wd2")) + bias("bd2")
        error = tf.nn.sigmoid_cross_entropy_with_logits(labels=self.x, logits=logits)
        kl = tf.square(self.mu) + tf.square(self.sigma) - tf.log(tf.square(self.sigma)) - 1
        loss = tf.reduce_mean(tf.reduce_sum(error, 1) + 1.5 * tf.reduce_sum(kl, 1))
        self.train = tf.train.AdamOptimizer().minimize(loss)
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(3.0))

"""What stands around a loss in whole files: weights, layers, batches drawn, private methods."""

import pytest

from vae import your_loss


def test_the_log_of_a_density_is_no_draw_and_a_batch_is_no_row() -> None:
    code = """
def log_density(sample, mean, logvar, axis=1):
    square = (sample - mean) ** 2.0 * tf.exp(-logvar)
    return tf.reduce_sum(-0.5 * (square + logvar + tf.math.log(2.0 * np.pi)), axis=axis)

def compute_loss(net, x):
    mean, logvar = net.encode(x)
    z = net.reparameterize(mean, logvar)
    logits = net.decode(z)
    each = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=x)
    logpx_z = -tf.reduce_sum(each, axis=[1, 2, 3])
    logpz = log_density(z, 0.0, 0.0)
    logqz_x = log_density(z, mean, logvar)
    return -tf.reduce_mean(logpx_z + logpz - logqz_x)
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))
    assert found.sizes is not None
    assert len(found.sizes.image) == 3


WEIGHTS = """
def weights(shape):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.01))

x = tf.placeholder(tf.float32, [None, 784])
w_enc_logvar = weights([784, 20])
w_dec = weights([20, 784])
decay = tf.nn.l2_loss(w_enc_logvar) + tf.nn.l2_loss(w_dec)
mu = tf.matmul(x, weights([784, 20]))
logvar = tf.matmul(x, w_enc_logvar)
z = mu + tf.exp(0.5 * logvar) * tf.random_normal(tf.shape(mu))
x_hat = tf.matmul(z, w_dec)
fit = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(logits=x_hat, labels=x), 1)
kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), 1)
loss = tf.reduce_mean(fit + 2.0 * kl) + {weight} * decay
step = tf.train.AdamOptimizer(1e-3).minimize(loss)
"""


@pytest.mark.parametrize("weight", ["0.0", "1e-4"])
def test_weights_that_decay_are_no_moments(weight: str) -> None:
    found = your_loss.read(WEIGHTS.format(weight=weight))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(2.0))
    assert {role.name for role in found.roles} == {"x", "x_hat", "mu", "logvar"}


def test_a_scale_that_begins_at_a_number_is_learned_all_the_same() -> None:
    code = """
class Net(tf.keras.Model):
    def __init__(self):
        self.s = tf.Variable(0.0)
    def loss(self, x, decoded, mu, logvar):
        fit = tf.reduce_sum((x - decoded) ** 2 / (2 * tf.exp(2 * self.s)) + self.s, -1)
        kl = -0.5 * tf.reduce_sum(1 + logvar - mu**2 - tf.exp(logvar), -1)
        return tf.reduce_mean(fit + kl)
"""
    assert your_loss.read(code).family == "gaussian-learned"


def test_a_model_is_not_given_what_it_was_built_with() -> None:
    code = """
inputs = Input(shape=(8, 8, 1))
h = Flatten()(inputs)
z_mean, z_log_var = Dense(2)(h), Dense(2)(h)
encoder = Model(inputs, [z_mean, z_log_var])
z_in = Input(shape=(2,))
out1 = Conv2DTranspose(1, 4)(z_in)
out2 = Conv2DTranspose(1, 4)(z_in)
decoder = Model(z_in, [out1, out2])
outputs_mu, outputs_sigma_2 = decoder(encoder(inputs)[0])
fit = 0.5 * K.sum(K.square(inputs - outputs_mu) / outputs_sigma_2
                  + K.log(2 * 3.14159265 * outputs_sigma_2), axis=(1, 2, 3))
kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
vae = Model(inputs, outputs_mu)
vae.add_loss(K.mean(fit + kl))
vae.compile(optimizer="adam")
"""
    found = your_loss.read(code)
    assert found.family == "gaussian-learned"
    assert found.rate == pytest.approx(1.0)


def test_private_methods_and_sides_without_a_number() -> None:
    code = """
class Net:
    def __init__(self, settings):
        self.img_size = settings["size"]
        self.channels = settings["channels"]
    def __encode(self, x):
        h = tf.layers.flatten(x)
        return tf.layers.dense(h, 9, name="mean"), tf.layers.dense(h, 9, name="logvar")
    def build(self):
        n, c = self.img_size, self.channels
        self.x = tf.placeholder(tf.float32, [None, n, n, c])
        flat = tf.reshape(self.x, [-1, n * n * c])
        mean, logvar = self.__encode(self.x)
        z = mean + tf.exp(0.5 * logvar) * tf.random_normal(tf.shape(mean))
        recon = self.decode(z)
        fit = tf.reduce_sum(tf.square(flat - tf.reshape(recon, [-1, n * n * c])), 1)
        kl = -0.5 * tf.reduce_sum(1 + logvar - mean**2 - tf.exp(logvar), 1)
        self.loss = tf.reduce_mean(fit + 3.0 * kl)
        self.train = tf.train.AdamOptimizer(1e-3).minimize(self.loss)
"""
    found = your_loss.read(code, image=(32, 32, 3))
    assert found.sigma2 == pytest.approx(1.5)


def test_which_pictures_are_drawn_for_a_batch_changes_no_loss() -> None:
    code = """
class Step:
    def get_loss(self, params, key, count):
        places = jax.random.randint(key, (count,), 0, self.train_images.shape[0])
        images = (self.train_images / 1.0)[places]
        mean, log_variance = self.encoder.apply(params, images)
        z = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)
        logits = self.decoder.apply(params, z)
        fit = optax.sigmoid_binary_cross_entropy(logits, images).sum(-1)
        kl = -0.5 * jnp.sum(1 + log_variance - mean**2 - jnp.exp(log_variance), axis=-1)
        return jnp.mean(fit + 0.7 * kl)
"""
    assert your_loss.read(code).beta == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("above", "call"),
    [
        (
            "@partial(jax.value_and_grad, has_aux=True)",
            "(loss, _), grads = objective(state.params)",
        ),
        ("@eqx.filter_value_and_grad(has_aux=True)", "(loss, _), grads = objective(state.params)"),
    ],
)
def test_a_gradient_that_is_asked_for_above_the_function(above: str, call: str) -> None:
    code = f"""
def train_step(state, image):
    {above}
    def objective(params):
        recon, mean, logvar = state.apply_fn(params, image)
        kl = -0.5 * jnp.sum(1 + logvar - mean**2 - jnp.exp(logvar))
        return jnp.sum((recon - image) ** 2) + 5.0 * kl, recon
    {call}
    return state.apply_gradients(grads=grads)
"""
    found = your_loss.read(code)
    assert (found.entry, found.sigma2) == ("train_step", pytest.approx(2.5))


def test_a_function_whose_gradient_is_asked_for_above_it_is_read_alone() -> None:
    code = """
@jax.value_and_grad
def loss_fn(params, x):
    recon, mean, logvar = apply(params, x)
    kl = -0.5 * jnp.sum(1 + logvar - mean**2 - jnp.exp(logvar))
    return jnp.sum((recon - x) ** 2) + kl
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


NORM = """
def vae_loss(y_true, y_pred):
    kl = 0.5 * K.sum(K.exp(logvar) + K.square(mu) - 1.0 - logvar, axis=1)
    far = K.sqrt(K.sum(K.square(y_true - y_pred), axis=-1, keepdims=True))
    return {mean}(far) + kl / 250
"""


@pytest.mark.parametrize("image", [None, 4096, (4096,)])
def test_a_norm_over_the_last_axis_asks_for_the_shape(
    image: tuple[int, ...] | int | None,
) -> None:
    code = "img_rows = img_cols = 64\nx = Input((img_rows, img_cols, 1))\n" + NORM.format(
        mean="K.mean"
    )
    found = your_loss.read(code, image=image)
    assert not found.read
    assert your_loss.read(code, image=(64, 64, 1)).family == "laplace"
    assert not your_loss.read(code, image="4096").read


def test_a_row_that_the_code_makes_of_a_picture_says_how_long_it_is() -> None:
    code = """
for x in batches:
    x = tf.reshape(x, [-1, 1024])
    with tf.GradientTape() as tape:
        logits, mean, log_var = model(x)
        fit = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits))
        kl = -0.5 * tf.reduce_sum(log_var + 1 - mean**2 - tf.exp(log_var))
        loss = (fit + kl) / x.shape[0]
    grads = tape.gradient(loss, model.trainable_variables)
"""
    found = your_loss.read(code)
    assert found.sizes is not None
    assert (found.beta, found.sizes.image) == (pytest.approx(1.0), (1024,))


JUDGED = """
z_mean, z_log_var = Dense(8)(h), Dense(8)(h)
def encoder_loss(y, y_pred):
    kl = -0.5 * K.mean(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var))
    return 0.5 * mse(y, y_pred) + kl
shown = {outputs}
net = Model(x, shown)
net.compile(loss=encoder_loss, optimizer="rmsprop")
"""


def test_what_a_discriminator_says_is_no_picture() -> None:
    found = your_loss.read(JUDGED.format(outputs="discriminator(decoder(encoder(x)))[0]"))
    assert not found.read
    assert "discriminator" in found.message
    assert your_loss.read(JUDGED.format(outputs="decoder(encoder(x))")).read


@pytest.mark.parametrize("name", ["kl_loss", "kl_term", "loss_kl", "kl_loss_weighted"])
def test_a_kl_that_did_not_reach_the_loss_is_no_missing_kl(name: str) -> None:
    code = f"""
def call(self, x):
    code = self.encoder(x)
    y = self.decoder(code)
    {name} = strange(code)
    return Output(fit=tf.reduce_mean((x - y) ** 2), term={name})
"""
    assert not your_loss.read(code).read


def test_a_label_beside_the_picture_is_another_picture() -> None:
    code = """
def loss(net, x, y):
    decoded, mean, log_var, y_pred = net(x)
    fit = tf.reduce_mean(tf.reduce_sum((x - decoded) ** 2, axis=-1))
    kl = -0.5 * tf.reduce_mean(tf.reduce_sum(1 + log_var - mean**2 - tf.exp(log_var), axis=-1))
    y = tf.cast(y, tf.float32)
    label = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=y_pred)
    return fit + 4.0 * kl + tf.reduce_mean(label)
"""
    found = your_loss.read(code)
    assert found.sigma2 == pytest.approx(2.0)
    assert found.unknown


CLASSES = """
def loss(net, x, {label}):
    {names}, mean, log_var = net(x)
{terms}
    kl = -0.5 * tf.reduce_mean(tf.reduce_sum(1 + log_var - mean**2 - tf.exp(log_var), axis=-1))
    return fit + 4.0 * kl + tf.reduce_mean(told)
"""
FIT = "    fit = tf.reduce_mean(tf.reduce_sum((x - decoded) ** 2, axis=[1, 2, 3]))"
TOLD = "    told = tf.nn.softmax_cross_entropy_with_logits(labels={label}, logits=scores)"


@pytest.mark.parametrize("label", ["y", "labels", "target"])
@pytest.mark.parametrize("names", ["decoded, scores", "scores, decoded"])
@pytest.mark.parametrize("first", [True, False])
def test_a_classifier_beside_the_decoder_is_no_likelihood(
    label: str, names: str, first: bool
) -> None:
    terms = [FIT, TOLD.format(label=label)]
    code = CLASSES.format(label=label, names=names, terms="\n".join(terms[:: 1 if first else -1]))
    found = your_loss.read(code, image=(28, 28, 1))
    assert not found.read or found.sigma2 == pytest.approx(2.0)
    assert found.family in ("gaussian", "unknown")


FED = """
class Net:
    def __init__(self):
        self.x = tf.placeholder(tf.float32, [None, 784])
        self.{weight} = tf.placeholder(tf.float32, shape=())
        mean, logvar = self.encode(self.x)
        z = mean + tf.exp(0.5 * logvar) * tf.random_normal(tf.shape(mean))
        recon = self.decode(z)
        fit = tf.reduce_sum(tf.square(recon - self.x), 1)
        kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mean) - tf.exp(logvar), 1)
        self.loss = tf.reduce_mean(fit + self.{weight} * kl)
        self.step = tf.train.AdamOptimizer(1e-3).minimize(self.loss)

net = Net()
for batch in batches:
    sess.run(net.step, feed_dict={{net.x: batch, net.{weight}: {first}}})
print(sess.run(net.loss, feed_dict={{net.x: test, net.{weight}: {second}}}))
"""


def test_a_weight_that_sessions_always_feed_is_that_number() -> None:
    code = FED.format(weight="beta", first="4.0", second="4.0")
    assert your_loss.read(code).sigma2 == pytest.approx(2.0)


@pytest.mark.parametrize(("first", "second"), [("warm(i)", "1.0"), ("1.0", "4.0"), ("b", "b")])
def test_a_weight_that_sessions_feed_otherwise_is_asked_for(first: str, second: str) -> None:
    found = your_loss.read(FED.format(weight="beta", first=first, second=second))
    assert not found.read
    assert "beta" in found.message

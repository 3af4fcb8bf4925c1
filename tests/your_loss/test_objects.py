"""Values that objects, named tuples and models hold; and two that are one and the same."""

import pytest

from vae import your_loss

KL = "0.5 * jnp.sum(jnp.square({m}) + jnp.exp({s}) - {s} - 1, axis=-1)"

KERAS = """
class VAE(keras.Model):
    def build(self):
        z_mean, z_log_var = Dense(8)(x), Dense(8)(x)
        self.encoder = keras.Model(inputs, [z_mean, {second}, Sampling()([z_mean, z_log_var])])

    def train_step(self, data):
        with tf.GradientTape() as tape:
            z_mean, z_log_var, z = self.encoder(data)
            error = tf.reduce_sum(tf.square(data - self.decoder(z)))
            kl = -0.5 * tf.reduce_sum(1 + z_log_var - z_mean ** 2 - tf.exp(z_log_var))
            loss = error + kl
        grads = tape.gradient(loss, self.trainable_weights)
"""

TORCH = """
class VAE(nn.Module):
    def encode(self, x):
        h = F.relu(self.fc1(x))
        return {given}

    def loss(self, x):
        mu, logvar = self.encode(x)
        recon = self.decode(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return F.mse_loss(recon, x, reduction="sum") + kl
"""


def test_a_model_that_gives_its_mean_where_the_log_variance_is_expected() -> None:
    assert your_loss.read(KERAS.format(second="z_log_var")).sigma2 == pytest.approx(0.5)
    found = your_loss.read(KERAS.format(second="z_mean"))
    assert not found.read
    assert "Line 5: z_mean is handed over both" in found.message


def test_one_layer_that_gives_both_moments() -> None:
    both = TORCH.format(given="self.mean(h), self.scale(h)")
    assert your_loss.read(both).sigma2 == pytest.approx(0.5)
    found = your_loss.read(TORCH.format(given="self.mean(h), self.mean(h)"))
    assert not found.read
    assert "self.mean(h) is handed over both" in found.message


@pytest.mark.parametrize(
    "made",
    [
        "class Output(NamedTuple):\n    recon: Any\n    mean: Any\n    logvar: Any = None",
        'Output = namedtuple("Output", ["recon", "mean", "logvar"])',
        'Output = collections.namedtuple("Output", "recon mean, logvar")',
        "@dataclass\nclass Output:\n    recon: Any\n    mean: Any\n    logvar: Any",
    ],
)
def test_outputs_that_are_handed_over_by_their_places(made: str) -> None:
    kl = KL.format(m="out.mean", s="out.logvar")
    code = f"""
{made}

def forward(x):
    mu, lv = encode(x)
    return Output(decode(mu + jnp.exp(0.5 * lv) * random.normal(key, mu.shape)), mu, lv)

def loss(x):
    out = forward(x)
    return jnp.mean(jnp.sum((out.recon - x) ** 2, -1) + 3 * {kl})
"""
    assert your_loss.read(code, image=(784,)).sigma2 == pytest.approx(1.5)


def test_a_named_tuple_is_taken_apart() -> None:
    code = f"""
class Moments(NamedTuple):
    first: jnp.ndarray
    second: jnp.ndarray

def loss(x):
    mean, logvar = Moments(fc1(x), fc2(x))
    recon = decode(mean + jnp.exp(0.5 * logvar) * random.normal(key, mean.shape))
    return jnp.mean(jnp.sum((recon - x) ** 2, -1) + {KL.format(m="mean", s="logvar")})
"""
    assert your_loss.read(code, image=(784,)).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("made", "given"),
    [
        ("hk.transform(lambda x: Net()(x))", "params, key, x"),
        ("hk.without_apply_rng(hk.transform(lambda x: Net()(x)))", "params, x"),
    ],
)
def test_a_function_that_haiku_has_transformed(made: str, given: str) -> None:
    code = f"""
class Net(hk.Module):
    def __call__(self, x):
        q = distrax.MultivariateNormalDiag(loc=hk.Linear(8)(x), scale_diag=jnp.exp(hk.Linear(8)(x)))
        z = q.sample(seed=hk.next_rng_key())
        p = distrax.Independent(distrax.Bernoulli(logits=decoder(z)), 1)
        return q, p

model = {made}

def loss_fn(params, key, x):
    q, p = model.apply({given})
    prior = distrax.MultivariateNormalDiag(jnp.zeros(8), jnp.ones(8))
    return -jnp.mean(p.log_prob(x) - 2 * q.kl_divergence(prior))
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(2.0))


def test_attributes_that_another_method_sets() -> None:
    code = """
class Net:
    def __init__(self, x):
        self.x, self.z_mean = x, None
        self.log_var = None
        self.logits = None

    def build(self):
        self.z_mean, self.log_var = self.encode(self.x)
        self.logits = self.decode(self.z_mean)

    def train(self):
        error = tf.nn.sigmoid_cross_entropy_with_logits(labels=self.x, logits=self.logits)
        kl = 1 + self.log_var - tf.square(self.z_mean) - tf.exp(self.log_var)
        loss = tf.reduce_mean(tf.reduce_sum(error, 1) - 0.5 * tf.reduce_sum(kl, 1))
        self.step = tf.train.AdamOptimizer().minimize(loss)
"""
    found = your_loss.read(code, image=(784,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0))


def test_a_loss_that_nothing_asks_for_beside_one_that_is_trained() -> None:
    code = """
def unused(x, recon, mu, logvar):
    kl = -0.5 * tf.reduce_sum(1 + logvar - mu ** 2 - tf.exp(logvar))
    return tf.reduce_sum(tf.square(x - recon)) + 7 * kl

for x in dataset:
    with tf.GradientTape() as tape:
        mu, logvar, z = encoder(x)
        kl = -0.5 * tf.reduce_sum(1 + logvar - mu ** 2 - tf.exp(logvar))
        loss = tf.reduce_sum(tf.square(x - decoder(z))) + 3 * kl
    grads = tape.gradient(loss, variables)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.5)
    asked = your_loss.read(f"{code}\nmodel.compile(loss=unused)")
    assert asked.sigma2 is None or asked.sigma2 != pytest.approx(3.5)


@pytest.mark.parametrize("size", ["784", "n_input"])
def test_pictures_that_enter_in_a_row_are_summed_in_a_row(size: str) -> None:
    code = f"""
x = tf.placeholder(tf.float32, [None, {size}])
mu, logvar = encode(x)
recon = decode(mu + tf.exp(0.5 * logvar) * tf.random_normal(tf.shape(mu)))
kl = -0.5 * tf.reduce_sum(1 + logvar - mu ** 2 - tf.exp(logvar), 1)
loss = tf.reduce_mean(tf.reduce_sum(tf.square(x - recon), 1) + kl)
tf.train.AdamOptimizer().minimize(loss)
"""
    assert your_loss.read(code, image=(28, 28, 1)).sigma2 == pytest.approx(0.5)


def test_a_loss_that_a_module_of_flax_holds_and_that_is_taken_out_again() -> None:
    code = """
from flax import nnx

class Loss(nnx.Variable):
    pass

class Encoder(nnx.Module):
    def __call__(self, x):
        mean, std = self.mean(x), jnp.exp(self.log_std(x))
        kl = 0.5 * jnp.mean(std ** 2 + mean ** 2 - 1.0 - jnp.log(std ** 2), axis=-1)
        self.kl_loss = Loss(jnp.mean(kl))
        return mean + std * jax.random.normal(self.rngs.noise(), mean.shape)

class VAE(nnx.Module):
    def __init__(self):
        self.encoder, self.decoder = Encoder(), nnx.Linear(8, 784)

    def __call__(self, x):
        return self.decoder(self.encoder(x))

@nnx.jit
def train_step(model, optimizer, x):
    def loss_fn(model):
        logits = model(x)
        kl = sum(jax.tree_util.tree_leaves(nnx.pop(model, Loss)), 0.0)
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, x)) + 0.1 * kl
    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(grads)
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(9.8))


def test_parts_that_are_handed_over_are_objects_of_the_classes_of_their_names() -> None:
    code = """
class Loss(nn.Module):
    def __init__(self, encoder, decoder, prior):
        self.encoder, self.decoder, self.prior = encoder, decoder, prior

    def forward(self, x):
        q = self.encoder(x)
        p = self.decoder(q.rsample())
        kl = torch.distributions.kl_divergence(q, self.prior())
        return -(p.log_prob(x).sum(-1) - 2 * kl.sum(-1)).mean()

class Encoder(nn.Module):
    def forward(self, x):
        return torch.distributions.Normal(self.mean(x), self.log_std(x).exp())

class Decoder(nn.Module):
    def forward(self, z):
        return torch.distributions.Bernoulli(logits=self.out(z))

class Prior(nn.Module):
    def forward(self):
        return torch.distributions.Normal(torch.zeros(8), torch.ones(8))
"""
    found = your_loss.read(code, image=(784,), latents=(8,))
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(2.0))


@pytest.mark.parametrize("sizes", ["(100, 2)", "(batch_size, n_z)"])
def test_a_draw_of_the_codes_own_sizes_beside_those_that_were_said(sizes: str) -> None:
    code = f"""
batch_size, n_z = 100, 2
x = tf.placeholder(tf.float32, [None, 784])
mu, logvar = encode(x)
recon = decode(mu + tf.exp(0.5 * logvar) * tf.random_normal({sizes}))
kl = -0.5 * tf.reduce_sum(1 + logvar - mu ** 2 - tf.exp(logvar), 1)
loss = tf.reduce_mean(tf.reduce_sum(tf.square(x - recon), 1) + kl)
tf.train.AdamOptimizer().minimize(loss)
"""
    found = your_loss.read(code, image=(784,), latents=(8,), batch=16)
    assert found.sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("image", "sides"),
    [
        ((20, 30, 3), "img_rows * img_cols * img_chns"),
        ((3, 20, 30), "image_height * image_width * img_chns"),
        ((20, 30), "height * width"),
    ],
)
def test_sides_of_an_image_whose_numbers_stand_elsewhere(
    image: tuple[int, ...], sides: str
) -> None:
    code = f"""
def loss(x, recon, mu, logvar):
    error = {sides} * K.mean(K.square(K.batch_flatten(x) - K.batch_flatten(recon)), axis=-1)
    kl = -0.5 * K.sum(1 + logvar - K.square(mu) - K.exp(logvar), axis=-1)
    return K.mean(error + kl)
"""
    assert your_loss.read(code, image=image).sigma2 == pytest.approx(0.5)

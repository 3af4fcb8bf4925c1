"""What the code around a loss tells of shapes: rows that enter, axes of a view, tokens, masks."""

import pytest

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())"


def test_a_constructor_that_minimises_holds_the_loss() -> None:
    code = """
class Trainer:
    def __init__(self, outputs, labels, model, rate=0.01, weight=2.0):
        self.outputs = outputs
        self.error = tf.reduce_sum(tf.square(labels - self.outputs))
        self.kl = -0.5 * tf.reduce_sum(1 + 2 * model.z_log_std - tf.square(model.z_mean)
                                       - tf.exp(2 * model.z_log_std))
        self.cost = self.error + weight * self.kl
        self.step = tf.train.AdamOptimizer(rate).minimize(self.cost)
"""
    found = your_loss.read(code)
    assert found.entry == "Trainer.__init__"
    assert found.sigma2 == pytest.approx(1.0)


def test_a_picture_that_enters_in_a_row_lies_in_a_row() -> None:
    code = """
class Net:
    def look(self, images):
        return self.conv(tf.reshape(images, [-1, 28, 28, 1]))
    def train(self, data):
        x_in = tf.placeholder(tf.float32, [None, 784])
        label = tf.placeholder(tf.float32, [None, 10])
        q_mean, q_log_var = self.encode(tf.concat([x_in, label], axis=-1))
        z = q_mean + tf.exp(0.5 * q_log_var) * tf.random_normal(tf.shape(q_mean))
        p_mean = self.p_net(tf.concat([z, label], axis=-1))
        fit = tf.reduce_sum(x_in * tf.log(p_mean + 1e-12)
                            + (1 - x_in) * tf.log(1 - p_mean + 1e-12), axis=-1)
        kl = 0.5 * tf.reduce_sum(tf.exp(q_log_var) + q_mean**2 - 1 - q_log_var, axis=-1)
        tf.train.AdamOptimizer(1e-3).minimize(-tf.reduce_mean(fit - kl))
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("bernoulli", pytest.approx(1.0, rel=1e-6))


def test_a_view_of_the_output_tells_the_axes_of_what_it_is_compared_with() -> None:
    code = f"""
def objective(images, decoded, mu, logvar):
    decoded = decoded.view(-1, 12, 6)
    error = F.mse_loss(decoded, images)
    return error + 0.25 * {KL} / images.size(0)
"""
    found = your_loss.read(code)
    assert found.sizes is not None
    assert found.sizes.image == (12, 6)
    assert found.sigma2 == pytest.approx(0.25 * 72 / 2)


TOKENS = """
def train(args, batch, loader):
    args.vocab_size = data.vocab_size
    for tokens in loader:
        target = tokens[:, 1:].contiguous().view(-1)
        logits, mu, logvar = net(tokens)
        {rows}
        error = F.cross_entropy(logits, target, reduction="sum")
        loss = error + 0.5 * ({kl})
        loss.backward()
"""


@pytest.mark.parametrize(
    "rows",
    [
        "logits = logits.view(-1, args.vocab_size)",
        "logits = logits.reshape(-1, data.num_classes)",
        "logits = logits.view(-1, 5000)",
        "logits = logits.view(-1, args.vocab_size); kept = target.ne(data.pad_token_id); "
        "logits = logits[kept]; target = target[kept]",
    ],
)
def test_logits_in_rows_of_classes_are_compared_token_by_token(rows: str) -> None:
    found = your_loss.read(TOKENS.format(rows=rows, kl=KL))
    assert (found.family, found.beta) == ("categorical", pytest.approx(0.5))


def test_an_evaluation_of_tokens_is_read_where_nothing_is_trained() -> None:
    code = f"""
def test(loader):
    criterion = nn.NLLLoss(reduction="sum")
    with torch.no_grad():
        for tokens in loader:
            log_probs, mu, logvar = net(tokens)
            error = criterion(log_probs.view(-1, vocab_size), tokens.view(-1))
            loss = error + {KL}
    return loss
"""
    found = your_loss.read(code)
    assert (found.family, found.beta) == ("categorical", pytest.approx(1.0))


@pytest.mark.parametrize(
    ("averages", "beta"),
    [
        ("average_across_timesteps=False, average_across_batch=False", 3.0),
        ("average_across_timesteps=True, average_across_batch=False", 3.0 * 30),
    ],
)
def test_a_loss_of_sequences_averages_as_it_is_told(averages: str, beta: float) -> None:
    code = f"""
length = 30
steps = length
x = Input(shape=(steps,))
def vae_loss(x, x_decoded):
    error = tf.contrib.seq2seq.sequence_loss(x_decoded, tf.cast(x, tf.int32),
        weights=tf.ones((64, steps)), {averages})
    error = error if len(error.shape) == 1 else K.sum(error, axis=-1)
    kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return K.mean(error + 3.0 * kl)
"""
    found = your_loss.read(code, batch=64)
    assert (found.family, found.beta) == ("categorical", pytest.approx(beta))


def test_a_size_written_into_the_code_is_no_fault_where_it_makes_up_for_a_mean() -> None:
    code = """
original_dim = 784
def vae_loss(x, x_decoded):
    error = original_dim * keras.losses.{cost}(x, x_decoded)
    kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return K.mean(error + {weight} * kl)
"""
    even = your_loss.read(code.format(cost="binary_crossentropy", weight=1.0))
    assert even.beta == pytest.approx(1.0)
    assert not even.faults
    other = your_loss.read(code.format(cost="binary_crossentropy", weight=1 / 784))
    assert "one-sided-mean" in {fault.kind for fault in other.faults}


def test_a_sum_over_two_axes_is_one_over_a_series_of_three() -> None:
    code = f"""
def loss(series, recon, mu, logvar):
    error = ((recon - series) ** 2).sum(dim=(1, 2)).mean()
    return error + {KL} / series.size(0)
"""
    assert your_loss.read(code).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(
    "error",
    [
        "reduce(F.mse_loss(y, x, reduction='none'), 'b c h w -> b', 'sum').mean()",
        "F.mse_loss(rearrange(y, 'b c h w -> b (c h w)'), rearrange(x, 'b c h w -> b (c h w)'),"
        " reduction='none').sum(1).mean()",
        "784 * F.mse_loss(rearrange(y, 'b c h w -> (b h) w c'),"
        " rearrange(x, 'b c h w->(b h) w c'))",
    ],
)
def test_axes_that_are_named_in_a_text_are_known(error: str) -> None:
    code = f"""
from einops import rearrange, reduce
def loss(x, y, mu, logvar):
    return {error} + {KL} / x.size(0)
"""
    assert your_loss.read(code, image=(1, 28, 28)).sigma2 == pytest.approx(0.5)


@pytest.mark.parametrize(("kind", "family"), [("l2", "gaussian"), ("bits", "bernoulli")])
def test_a_match_of_a_setting_takes_the_case_that_it_says(kind: str, family: str) -> None:
    code = f"""
def loss(x, y, mu, logvar, kind="{kind}"):
    match kind:
        case "mse" | "l2":
            error = F.mse_loss(y, x, reduction="sum")
        case "bits":
            error = F.binary_cross_entropy(y, x, reduction="sum")
        case _:
            raise ValueError(kind)
    return error + {KL}
"""
    assert your_loss.read(code).family == family

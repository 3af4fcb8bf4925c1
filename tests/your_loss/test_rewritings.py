"""One loss in many spellings has one reading."""

import pytest

from vae import your_loss

SETTINGS = {"image": "1x28x28", "latents": 16, "batch": 64}
WANTED = 784 * 0.25 / 2
PLAIN = """
def loss(recon, x, mu, logvar, beta=0.25):
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
    return F.mse_loss(recon, x) + beta * kl
"""
HEAD = "def loss(recon, x, mu, logvar):\n"
REWRITINGS = {
    "order of terms": """
def loss(recon, x, mu, logvar):
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), 1)
    return 0.25 * kl.mean() + F.mse_loss(recon, x)
""",
    "names": """
def criterion(x_tilde, images, z_mean, z_log_var):
    a = F.mse_loss(x_tilde, images)
    b = 0.5 * (z_log_var.exp() + z_mean ** 2 - 1.0 - z_log_var).sum(-1).mean()
    return a + 0.25 * b
""",
    "order of arguments": """
def loss(mu, logvar, x, x_hat):
    kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), dim=1).mean()
    return torch.mean((x_hat - x) ** 2) + kl / 4
""",
    "view": HEAD
    + """
    n = x.size(0)
    e = F.mse_loss(recon.view(n, -1), x.view(n, -1))
    return e + 0.25 * (-0.5 * (1 + logvar - mu * mu - torch.exp(logvar)).view(n, -1).sum(1)).mean()
""",
    "flatten": HEAD
    + """
    e = (recon.flatten(1) - x.flatten(1)).square().mean(dim=1)
    kl = 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(dim=1)
    return (e + 0.25 * kl).mean()
""",
    "reshape to the pixels": HEAD
    + """
    e = torch.mean(torch.pow(recon.reshape(-1, 784) - x.reshape(-1, 784), 2))
    kl = torch.mean(torch.sum(-0.5 * (1 + logvar - mu ** 2 - logvar.exp()), dim=1), dim=0)
    return e + 0.25 * kl
""",
    "sum, then divided": HEAD
    + """
    e = F.mse_loss(recon, x, reduction='sum') / x.numel()
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / mu.shape[0]
    return e + 0.25 * kl
""",
    "mean, then multiplied": HEAD
    + """
    e = F.mse_loss(recon, x)
    kl = -0.5 * torch.mean(1 + logvar - mu.pow(2) - logvar.exp()) * mu.size(1)
    return e + 0.25 * kl
""",
    "everything times a factor": HEAD
    + """
    e = 784 * 64 * F.mse_loss(recon, x)
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return e + 0.25 * 784 * kl
""",
    "a loss object": """
mse = nn.MSELoss()
def loss(recon, x, mu, logvar):
    return mse(recon, x) - 0.125 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
""",
    "an object that sums": """
class Loss(nn.Module):
    def __init__(self, beta=0.25):
        super().__init__()
        self.mse = nn.MSELoss(reduction='sum')
        self.beta = beta
    def forward(self, recon, x, mu, logvar):
        kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1).mean()
        return self.mse(recon, x) / x.nelement() + self.beta * kl
""",
    "distributions": HEAD
    + """
    q = torch.distributions.Normal(mu, (0.5 * logvar).exp())
    p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    kl = torch.distributions.kl_divergence(q, p).sum(dim=-1).mean()
    return F.mse_loss(recon, x) + 0.25 * kl
""",
    "a draw": """
def loss(recon, x, mu, logvar):
    std = torch.exp(0.5 * logvar)
    q = torch.distributions.Normal(mu, std)
    z = q.rsample()
    kl = (q.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)).sum(1)
    return F.mse_loss(recon, x) + 0.25 * kl.mean()
""",
    "log sigma": """
def loss(recon, x, mu, log_sigma):
    kl = (-log_sigma + 0.5 * (torch.exp(2 * log_sigma) + mu ** 2) - 0.5).sum(1).mean()
    return F.mse_loss(recon, x) + 0.25 * kl
""",
    "sigma": """
def loss(recon, x, mu, sigma):
    kl = 0.5 * torch.sum(sigma ** 2 + mu ** 2 - torch.log(sigma ** 2) - 1, dim=1).mean()
    return F.mse_loss(recon, x) + 0.25 * kl
""",
    "a Gaussian's density": HEAD
    + """
    s2 = 784 * 0.25 / 2
    ll = -0.5 * (x - recon) ** 2 / s2 - 0.5 * math.log(2 * math.pi * s2)
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
    return (kl - ll.flatten(1).sum(1)).mean()
""",
    "helpers": """
def kl_term(m, lv):
    return -0.5 * torch.sum(1 + lv - m.pow(2) - lv.exp(), dim=1)
def error(a, b):
    return ((a - b) ** 2).flatten(1).mean(1)
def loss(recon, x, mu, logvar, weight=0.25):
    per_image = error(recon, x) + weight * kl_term(mu, logvar)
    return per_image.mean()
""",
    "a loop over parts": HEAD
    + """
    parts = [F.mse_loss(recon, x)]
    for w in (0.125, 0.125):
        parts.append(w * -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), dim=1).mean())
    total = 0.0
    for part in parts:
        total += part
    return total
""",
    "a dictionary": HEAD
    + """
    losses = {'mse': F.mse_loss(recon, x)}
    losses['kl'] = 0.25 * torch.mean(-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), 1))
    return sum(losses.values())
""",
    "a training step": """
criterion = nn.MSELoss()
for epoch in range(10):
    for batch, _ in loader:
        batch = batch.to(device)
        out, mean, log_variance = model(batch)
        rec = criterion(out, batch)
        kl = -0.5 * (1 + log_variance - mean ** 2 - log_variance.exp()).sum(1).mean()
        (rec + 0.25 * kl).backward()
        print(f'{rec.item():.3f} {kl.item():.3f}')
        optimizer.step()
""",
    "einsum": HEAD
    + """
    d = (recon - x).flatten(1)
    e = torch.einsum('bi,bi->', d, d) / (64 * 784)
    kl = torch.einsum('bj->b', 0.5 * (mu ** 2 + logvar.exp() - 1 - logvar))
    return e + 0.25 * kl.mean()
""",
    "numpy": """
def loss(recon, x, mu, logvar):
    e = np.mean((recon - x) ** 2)
    kl = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar), axis=1)
    return e + 0.25 * kl.mean()
""",
    "TensorFlow": """
def loss(x, recon, mu, logvar):
    e = tf.reduce_mean(tf.square(x - recon))
    kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), axis=-1)
    return e + 0.25 * tf.reduce_mean(kl)
""",
    "JAX": """
def loss(recon, x, mu, logvar):
    e = jnp.mean(jnp.square(recon - x))
    kl = jax.vmap(lambda m, v: 0.5 * jnp.sum(m ** 2 + jnp.exp(v) - 1 - v))(mu, logvar)
    return e + 0.25 * kl.mean()
""",
}


@pytest.mark.parametrize("name", REWRITINGS)
def test_a_rewriting_has_the_same_reading(name: str) -> None:
    plain = your_loss.read(PLAIN, **SETTINGS)
    found = your_loss.read(REWRITINGS[name], **SETTINGS)
    assert plain.sigma2 == pytest.approx(WANTED, rel=1e-6)
    assert found.read, found.message
    assert (found.family, found.kl_form) == (plain.family, plain.kl_form)
    assert found.sigma2 == pytest.approx(WANTED, rel=1e-6)


def test_there_are_twenty_of_them() -> None:
    assert len(REWRITINGS) >= 20


CLASSES = [
    ("F.cross_entropy(logits, x, reduction='none').sum(1).mean()", 784, 1.0),
    ("F.cross_entropy(logits, x)", 784, 784.0),
    ("F.cross_entropy(logits, x, reduction='sum') / x.shape[0]", 784, 1.0),
    ("F.cross_entropy(logits, x, reduction='none').sum((1, 2, 3)).mean()", "1x28x28", 1.0),
    ("F.cross_entropy(logits.permute(0, 3, 1, 2), x, reduction='none').sum((1, 2)).mean()",
     "28x28", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("error", "image", "beta"), CLASSES)
def test_classes_have_an_axis_of_their_own_wherever_it_stands(
    error: str, image: int | str, beta: float
) -> None:
    code = (
        "def loss(logits, x, mu, logvar):\n"
        "    kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), dim=1).mean()\n"
        f"    return {error} + kl\n"
    )
    for given in (image, None) if image == 784 else (image,):
        found = your_loss.read(code, image=given)
        assert found.family == "categorical", found.verdict
        assert found.beta == pytest.approx(beta)

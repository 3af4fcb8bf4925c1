"""A value that the file itself hands over stands against a default, however it reaches the loss."""

import pytest

from vae import your_loss

KL = "-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())"
OBJECT = f"""
class VAE(nn.Module):
    def __init__(self, encoder, decoder, beta=0.5, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta
    def set_beta(self, beta):
        self.beta = beta
    def loss(self, x_hat, x, mu, logvar):
        return F.mse_loss(x_hat, x, reduction="sum") + self.beta * ({KL})
"""
FUNCTION = f"""
def loss_function(x_hat, x, mu, logvar, beta=0.5):
    return F.mse_loss(x_hat, x, reduction="sum") + beta * ({KL})
"""


@pytest.mark.parametrize(
    "rest",
    [
        "vae = VAE(enc, dec, beta=6.0)",
        "vae = VAE(enc, dec, 6.0).to(device)",
        "B = 6.0\ndef main():\n    vae = VAE(enc, dec, beta=float(B))",
        "def main(beta=6.0):\n    vae = VAE(enc, dec, beta=beta)",
        "def main(weight=1.0):\n    vae = VAE(enc, dec, weight)\nmain(6.0)",
        "settings = {'beta': 6.0}\nvae = VAE(enc, dec, **settings)",
        "settings = {'model': {'beta': 6.0}}\nvae = VAE(enc, dec, **settings['model'])",
        "settings = dict(beta=6.0)\nvae = VAE(enc, dec, beta=settings['beta'])",
        "make = functools.partial(VAE, beta=6.0)\nvae = make(enc, dec)",
        "parser.add_argument('--beta', type=float, default=6.0)\nargs = parser.parse_args()\n"
        "vae = VAE(enc, dec, beta=args.beta)",
        "@dataclass\nclass Config:\n    beta: float = 6.0\n"
        "def main(cfg: Config):\n    vae = VAE(enc, dec, beta=cfg.beta)",
        "class Big(VAE):\n    def __init__(self):\n"
        "        super().__init__(None, None, beta=6.0)\nvae = Big()",
        "class Big(VAE):\n    pass\nvae = Big(enc, dec, beta=6.0)",
        "vae = VAE(enc, dec)\nvae.beta = 6.0",
        "vae = VAE(enc, dec)\nvae.set_beta(6.0)",
        "vae = VAE(enc, dec)\nsetattr(vae, 'beta', 6.0)",
        "Model = VAE\nvae = Model(enc, dec, beta=6.0)",
        "MODELS = {'vae': VAE}\nvae = MODELS['vae'](enc, dec, beta=6.0)",
        "    @classmethod\n    def make(cls):\n        return cls(None, None, beta=6.0)",
        "    @classmethod\n    def make(cls, c):\n        return cls(None, None, beta=c['beta'])\n"
        "vae = VAE.make({'beta': 6.0})",
        "class Lit(pl.LightningModule):\n    def __init__(self, **rest):\n"
        "        self.vae = VAE(enc, dec, **rest)\nlit = Lit(beta=6.0)",
        "class Trainer:\n    def __init__(self):\n        self.weight = 6.0\n"
        "    def build(self):\n        self.vae = VAE(enc, dec, beta=self.weight)",
    ],
)
def test_what_an_object_is_made_with_stands_against_its_default(rest: str) -> None:
    assert your_loss.read(OBJECT + rest).sigma2 == pytest.approx(3.0)


@pytest.mark.parametrize(
    "rest",
    [
        "a = VAE(enc, dec, beta=6.0)\nb = VAE(enc, dec, beta=2.0)",
        "a = VAE(enc, dec, beta=6.0)\nb = VAE(enc, dec)",
        "for beta in (1.0, 2.0):\n    vae = VAE(enc, dec, beta=beta)",
        "vae = VAE(enc, dec, beta=search(trial))",
        "vae = VAE(enc, dec)\nfor epoch in range(9):\n    vae.beta = epoch / 9",
        "vae = VAE(enc, dec)\nfor epoch in range(9):\n    vae.set_beta(ramp[epoch])",
    ],
)
def test_several_values_are_asked_for_and_none_is_taken(rest: str) -> None:
    found = your_loss.read(OBJECT + rest)
    assert not found.read
    assert "beta" in found.message
    name = next(c.name for c in found.constants if c.value is None)
    assert your_loss.read(OBJECT + rest, constants={name: 6.0}).sigma2 == pytest.approx(3.0)


def test_what_the_reader_sets_stands_against_what_the_file_hands_over() -> None:
    code = OBJECT + "vae = VAE(enc, dec, beta=6.0)"
    assert your_loss.read(code, constants={"beta": 2.0}).sigma2 == pytest.approx(1.0)


@pytest.mark.parametrize(
    "rest",
    [
        "def go(batch):\n    return fit(lambda *a: loss_function(*a, beta=6.0), batch)",
        "def go(model, batch):\n    step(model, loss_function(*model(batch), beta=6.0))",
        "def go(model, batch, beta=6.0):\n    step(loss_function(*model(batch), beta=beta))",
        "def go(model, batch, beta):\n    step(loss_function(*model(batch), beta=beta))\n"
        "go(model, batch, beta=6.0)",
        "objective = partial(loss_function, beta=6.0)",
        "def go(b):\n    step(loss_function(b.x_hat, b.x, b.mu, b.logvar, 6.0))\n"
        "def test(b):\n    show(loss_function(b.x_hat, b.x, b.mu, b.logvar, 1.0))",
    ],
)
def test_what_a_function_is_called_with_stands_against_its_default(rest: str) -> None:
    assert your_loss.read(FUNCTION + rest).sigma2 == pytest.approx(3.0)


def test_a_kind_of_error_that_is_handed_over() -> None:
    code = f"""
class Criterion:
    def __init__(self, kind="bce", beta=1.0):
        self.kind, self.beta = kind, beta
    def __call__(self, x_hat, x, mu, logvar):
        if self.kind == "bce":
            error = F.binary_cross_entropy(x_hat, x, reduction="sum")
        else:
            error = F.mse_loss(x_hat, x, reduction="sum")
        return error + self.beta * ({KL})
criterion = Criterion("mse", beta=4)
"""
    found = your_loss.read(code)
    assert (found.family, found.sigma2) == ("gaussian", pytest.approx(2.0))


def test_a_trainer_takes_the_loss_of_the_model_that_it_is_given() -> None:
    code = f"""
class Base(nn.Module):
    def loss_function(self, recon, x, mu, logvar, beta=1.0):
        kl = {KL}
        return F.mse_loss(recon, x, reduction="sum") + beta * kl, kl
class Trainer:
    def __init__(self, model):
        self.model = model
    def run_epoch(self, loader, beta=3.0):
        for batch in loader:
            recon, mu, logvar = self.model(batch)
            loss, kl = self.model.loss_function(recon, batch, mu, logvar, beta=beta)
            loss.backward()
"""
    assert your_loss.read(code).sigma2 == pytest.approx(1.5)


SETTING = f"""
def loss_function(x_hat, x, mu, logvar):
    return F.mse_loss(x_hat, x, reduction="sum") + WEIGHT * ({KL})
"""


@pytest.mark.parametrize(
    ("weight", "rest"),
    [
        ("cfg['beta']", "cfg = {'beta': 0.5}\ncfg.update(beta=6.0)"),
        ("cfg['beta']", "cfg = {'beta': 0.5}\ncfg.update({'beta': 6.0})"),
        ("cfg['beta']", "cfg = {'beta': 0.5}\ncfg['beta'] = 6.0"),
        ("cfg.beta", "@dataclass\nclass C:\n    beta: float = 0.5\ncfg = C(beta=6.0)"),
        (
            "C.beta",
            "class C:\n    beta = 0.5\n    def f(self):\n        self.beta = 0.5\nC.beta = 6.0",
        ),
    ],
)
def test_settings_that_are_set_again(weight: str, rest: str) -> None:
    found = your_loss.read(SETTING.replace("WEIGHT", weight) + rest)
    assert found.sigma2 in (None, pytest.approx(3.0))
    assert found.read or "beta" in found.message


@pytest.mark.parametrize(
    ("weight", "rest"),
    [
        ("BETA", "BETA = 0.5\ndef main():\n    global BETA\n    BETA = 6.0"),
        (
            "args.beta",
            "p.add_argument('--beta', default=0.5)\nargs = p.parse_args(['--beta', '6'])",
        ),
        ("args.beta", "p.add_argument('--beta', default=0.5)\np.set_defaults(beta=6.0)"),
    ],
)
def test_defaults_that_other_code_changes_are_asked_for(weight: str, rest: str) -> None:
    found = your_loss.read(SETTING.replace("WEIGHT", weight) + rest)
    assert not found.read
    assert weight.lower().rpartition(".")[2] in found.message.lower()

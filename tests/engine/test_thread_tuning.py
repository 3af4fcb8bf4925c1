"""The number of threads: what trains faster is kept, and no number changes a run."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from samples import small_images

from vae.config import TrainConfig
from vae.engine import evaluation
from vae.engine.models import VAE
from vae.engine.thread_tuning import ThreadGovernor, agreeing_counts, candidate_counts
from vae.engine.training import Trainer


class Machine:
    """A machine that trains ``rates[threads]`` images a second, and a governor that watches."""

    def __init__(self, rates: dict[int, float]) -> None:
        self.rates = rates
        self.used: list[int] = []
        self.images, self.seconds = 0.0, 0.0
        self.governor = ThreadGovernor(sorted(rates), self.used.append)

    def train(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.06)):
            self.seconds += 0.06
            self.images += 0.06 * self.rates[self.used[-1]]
            self.governor.watch(round(self.images), self.seconds)


def test_threads_follow_what_trains_faster_now() -> None:
    machine = Machine({1: 1000.0, 2: 1500.0, 4: 900.0})
    assert machine.governor.threads == 1
    machine.train(1)
    assert machine.governor.threads == 2
    machine.train(20)
    assert machine.governor.threads == 2
    # Another process takes a core, then ends.
    machine.rates[2] = 600.0
    machine.train(10)
    assert machine.governor.threads == 1
    machine.rates[2] = 1500.0
    machine.train(10)
    assert machine.governor.threads == 2


def test_trials_cost_little() -> None:
    machine = Machine({1: 1000.0, 2: 500.0})
    machine.train(60)
    assert machine.images / machine.seconds > 970


def test_one_number_is_never_changed() -> None:
    machine = Machine({3: 100.0})
    machine.train(30)
    assert set(machine.used) == {3}


def test_candidates_double_up_to_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert candidate_counts(1) == [1]
    assert candidate_counts(2) == [1, 2]
    assert candidate_counts(6) == [1, 2, 4, 6]
    monkeypatch.setattr("vae.engine.thread_tuning.core_count", lambda: 6)
    for chosen, counts in (
        ("3", [1, 2, 3]),
        ("1", [1]),
        ("64", [1, 2, 4, 6]),
        (" 2, 4 ", [1, 2]),
        ("0", [1, 2, 4, 6]),
        ("9" * 5000, [1, 2, 4, 6]),
        ("many", [1, 2, 4, 6]),
    ):
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
        assert candidate_counts() == counts


@pytest.mark.parametrize("hidden_dim", [16, 100])
@pytest.mark.parametrize("latent_dim", [2, 20])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-optimal"])
def test_test_figures_are_the_same_on_any_number_of_threads(
    hidden_dim: int, latent_dim: int, likelihood: str
) -> None:
    config = TrainConfig(
        hidden_dim=hidden_dim, latent_dim=latent_dim, likelihood=likelihood, device="cpu"
    )
    trainer = Trainer(config, small_images(train=150, test=1300, shape=(28, 28)))
    for _ in range(2):
        trainer.step()
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3, 4):
            torch.set_num_threads(count)
            figures = trainer.evaluate()
            found.append((figures.sums, figures.kl_per_latent.tolist(), figures.calibration()))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)
    assert all(other == found[0] for other in found)


@pytest.mark.parametrize("latent_dim", [2, 3, 20])
@pytest.mark.parametrize("hidden_dim", [16, 100])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-optimal"])
def test_agreeing_numbers_of_threads_give_one_run(
    latent_dim: int, hidden_dim: int, likelihood: str
) -> None:
    config = TrainConfig(
        latent_dim=latent_dim, hidden_dim=hidden_dim, likelihood=likelihood, epochs=2, device="cpu"
    )
    data = small_images(train=600, shape=(28, 28))
    counts = agreeing_counts([Trainer(config, data)], [1, 2])
    assert counts[0] == 1
    before = torch.get_num_threads()
    runs = []
    try:
        for count in counts:
            torch.set_num_threads(count)
            trainer = Trainer(config, data)
            while not trainer.finished:
                trainer.step(observe=False)
            runs.append(trainer.model.state_dict())
    finally:
        torch.set_num_threads(before)
    for one, other in pairwise(runs):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_agreement_is_looked_for_once_for_networks_of_one_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = small_images(train=150)
    one = TrainConfig(hidden_dim=17, device="cpu")
    other = replace(one, seed=5, beta=2.0, learning_rate=1e-2)
    wider = replace(one, hidden_dim=18)
    found = agreeing_counts([Trainer(one, data)], [1, 2])
    looked: list[TrainConfig] = []
    taken = evaluation.forward

    def counted(model: VAE, x: torch.Tensor, noise: torch.Generator, config: TrainConfig) -> object:
        looked.append(config)
        return taken(model, x, noise, config)

    monkeypatch.setattr(evaluation, "forward", counted)
    assert agreeing_counts([Trainer(other, data), Trainer(one, data)], [1, 2]) == found
    assert not looked
    agreeing_counts([Trainer(wider, data), Trainer(one, data)], [1, 2])
    assert set(looked) == {wider}


def test_looking_for_agreement_leaves_the_run_alone() -> None:
    config = TrainConfig(likelihood="gaussian-optimal", epochs=1, device="cpu")
    one, other = (Trainer(config, small_images(train=150)) for _ in range(2))
    threads = torch.get_num_threads()
    agreeing_counts([one], [1, 2])
    assert torch.get_num_threads() == threads
    for trainer in (one, other):
        trainer.step()
    states = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

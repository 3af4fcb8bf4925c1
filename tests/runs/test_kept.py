"""A run that is kept small is shown as it was: figures to five digits, pictures in few greys."""

import lzma
from dataclasses import replace

import numpy as np
import pytest
import run_samples

from vae.config import TrainConfig
from vae.runs import kept

RUN = run_samples.run(TrainConfig(latent_dim=4), TrainConfig(likelihood="gaussian", latent_dim=4))


@pytest.fixture(scope="module")
def shown():
    return kept.unpack(kept.pack(RUN), "shown-race")


def test_the_figures_of_every_epoch_and_of_the_last_step_stay(shown):
    assert shown.run_id == "shown-race"
    assert shown.state.is_finished()
    assert (shown.step, shown.total_steps) == (RUN.step, RUN.total_steps)
    for was, now in zip(RUN.members, shown.members, strict=True):
        assert now.config == was.config
        assert [each.step for each in now.epochs] == [each.step for each in was.epochs]
        for before, after in zip(was.epochs, now.epochs, strict=True):
            assert after.test_loss == pytest.approx(before.test_loss, rel=1e-4)
            assert after.test_kl_per_latent == pytest.approx(before.test_kl_per_latent, rel=1e-4)
            assert after.calibration == before.calibration
        assert now.last_step.step == was.last_step.step
        assert now.last_step.kl == pytest.approx(was.last_step.kl, rel=1e-4)


def test_pictures_keep_their_greys_to_a_thirtieth_and_their_targets(shown):
    for was, now in zip(RUN.members, shown.members, strict=True):
        assert now.frames[0].step == was.frames[0].step
        last = was.last_frame.reconstruction
        for name in ("targets", "means", "samples"):
            kept_now = getattr(now.last_frame.reconstruction, name).astype(int)
            assert kept_now.shape == getattr(last, name).shape
            assert np.abs(kept_now - getattr(last, name).astype(int)).max() <= 8
        assert all(frame.reconstruction.targets.shape == last.targets.shape for frame in now.frames)
        assert now.gallery.latents == was.gallery.latents
        assert np.abs(now.gallery.prior.astype(int) - was.gallery.prior.astype(int)).max() <= 19
        assert len(now.gallery.codes) == len(now.gallery.labels) <= 600
        assert now.gallery.codes[0] == pytest.approx(was.gallery.codes[0], abs=0.02)
        assert now.gallery.labels[-1] == was.gallery.labels[-1]


def test_of_a_long_run_few_steps_stay_the_first_and_the_last_among_them():
    member = RUN.members[0]
    steps = tuple(replace(member.steps[0], step=step) for step in range(1, 1001))
    long = replace(RUN, members=(replace(member, steps=steps),))
    found = [event.step for event in kept.unpack(kept.pack(long), "x").members[0].steps]
    assert len(found) == 60
    assert (found[0], found[-1]) == (1, 1000)


def test_another_versions_file_is_refused():
    data = lzma.decompress(kept.pack(RUN)).replace(b'"version":1', b'"version":9', 1)
    with pytest.raises(ValueError, match="version: 9 given"):
        kept.unpack(lzma.compress(data), "x")

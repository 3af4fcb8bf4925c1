"""The runs that came with the app show what the lessons speak of."""

import numpy as np
import pytest
from page_runs import run_page, text_of

from vae.lessons.questions import LESSONS
from vae.web.train import shown
from vae.web.train.page_state import PageState


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_question_s_run_is_what_train_would_start(lesson):
    run = shown.look(shown.run_of(lesson))
    assert run is not None
    assert tuple(each.config for each in run.members) == PageState().with_lesson(lesson).members
    assert run.step == run.total_steps
    assert all(each.gallery is not None for each in run.members)
    assert all(len(each.epochs) == each.config.epochs for each in run.members)


def test_grey_noise_becomes_digits_step_by_step():
    run = shown.look(shown.run_of("free"))
    assert run is not None
    assert run.members[0].frames[0].step == 0
    likeness = []
    for frame in run.members[0].frames:
        pictures = frame.reconstruction
        likeness.append(np.corrcoef(pictures.targets.ravel(), pictures.means.ravel())[0, 1])
    assert abs(likeness[0]) < 0.2
    assert likeness[-1] > 0.9
    assert likeness == sorted(likeness)


def test_ten_outputs_of_a_collapsed_run_are_one_picture():
    run = shown.look(shown.run_of("pixel-mean"))
    assert run is not None
    spread = {
        each.config.reduction: each.last_frame.reconstruction.means.std(axis=0).mean()
        for each in run.members
    }
    assert spread["pixel-mean"] < 1
    assert spread["sum"] > 20


def test_a_run_without_weights_offers_none():
    page = run_page("train", run=shown.run_of("race"))
    [choice] = [each for each in page.radio if each.key == "download-member"]
    assert choice.label == "Script of"
    offered = [button.label for button in page.get("download_button")]
    assert "Script" in offered
    assert "Weights" not in offered
    assert "from the weights" not in text_of(page)


def test_a_map_says_what_of_z_it_shows():
    """Of twenty latents two are drawn: why classes overlap is a number."""
    page = run_page("train", run=shown.run_of("sigma"))
    last = shown.look(shown.run_of("sigma")).members[0].epochs[-1]
    largest = sorted(last.test_kl_per_latent)[-2:]
    words = next(each.value for each in page.caption if "These two hold" in each.value)
    assert f"**{sum(largest):.1f}** of **{last.test_kl:.1f}** nats" in words
    assert "18 other latents" in words


@pytest.mark.parametrize("run", ["", "shown-", "shown-x", "shown-../free", "shown-free/../free"])
def test_no_other_name_is_a_shipped_run(run):
    assert not shown.is_shown(run)
    assert shown.look(run) is None

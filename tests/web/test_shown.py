"""The runs that came with the app show what the lessons speak of."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("run", ["", "shown-", "shown-x", "shown-../free", "shown-free/../free"])
def test_no_other_name_is_a_shipped_run(run):
    assert not shown.is_shown(run)
    assert shown.look(run) is None

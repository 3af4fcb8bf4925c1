"""Who was right: the verdict on the run that the page shows, once it is over."""

from collections.abc import Sequence

import streamlit as st

from vae.lessons import questions, verdicts
from vae.lessons.verdicts import Outcome, Verdict
from vae.runs import tables
from vae.runs.snapshots import MemberSnapshot, RunSnapshot
from vae.theory.prediction import active_latents
from vae.web import quiz
from vae.web.kit import disclosure
from vae.web.train import loss
from vae.wire.protocol import RunState


def verdict_on(snapshot: RunSnapshot, lesson: str) -> Verdict | None:
    """Of a finished run; None of one that goes on or broke off, and of a sweep."""
    if not is_over(snapshot):
        return None
    return verdicts.judge(
        lesson,
        outcomes(snapshot.members),
        changed_rate_at=[step for step, _ in tables.rate_changes(snapshot.members)],
    )


def in_a_word(verdict: Verdict) -> str:
    """Whether it came as foretold; empty where nothing was."""
    return {True: "As predicted.", False: "Otherwise than predicted.", None: ""}[verdict.agrees]


def show_verdict(snapshot: RunSnapshot, lesson: str) -> None:
    """What was predicted, what came out on the test set, and what follows; of a finished run."""
    verdict = verdict_on(snapshot, lesson)
    if verdict is None:
        return
    text = (
        f"**Predicted:** {verdict.predicted}\n\n"
        f"**Got**, on {test_images(snapshot.members[0])}: {verdict.got}\n\n"
    )
    text += f"**{word}** {verdict.why}" if (word := in_a_word(verdict)) else verdict.why
    if quiz.asks():
        # Until one has said what one expects, or asks for it (assets/classroom/guess.js).
        disclosure.show_fold("Show me who was right", text, icon="rule", kind="verdict")
    elif verdict.agrees is False:
        st.warning(text, icon=":material/rule:")
    elif verdict.agrees:
        st.success(text, icon=":material/lightbulb:")
    else:
        st.info(text, icon=":material/lightbulb:")


def is_over(snapshot: RunSnapshot) -> bool:
    """Whether there is a verdict: a finished run, but for a sweep, read from its own figure."""
    over = snapshot.state is RunState.FINISHED and all(each.epochs for each in snapshot.members)
    return over and not questions.is_sweep([each.config for each in snapshot.members])


def outcomes(members: Sequence[MemberSnapshot]) -> list[Outcome]:
    """What each member ended with, on the test set after its last epoch."""
    labels = questions.labels([member.config for member in members])
    return [_outcome(member, label) for member, label in zip(members, labels, strict=True)]


def _outcome(member: MemberSnapshot, label: str) -> Outcome:
    last, gallery = member.epochs[-1], member.gallery
    codes = None if gallery is None else gallery.codes[:, : len(gallery.latents)]
    return Outcome(
        label,
        member.config,
        mse=last.test_mse,
        kl=last.test_kl,
        loss=last.test_loss,
        active=active_latents(last.test_kl_per_latent),
        scale=last.scale,
        response=tuple((each.target, each.output) for each in last.response if each.count),
        spread=None if codes is None or not codes.size else float(codes.std()),
        expected=loss.prediction(member.config),
    )


def test_images(member: MemberSnapshot) -> str:
    """The test set with its count, in words."""
    frame = member.last_frame
    if not member.epochs or frame is None:
        return "the test set"
    pixels = frame.reconstruction.targets[0].size
    count = sum(each.count for each in member.epochs[-1].response) // pixels
    return f"the test set's {count:,} images"

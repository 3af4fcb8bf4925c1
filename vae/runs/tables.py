"""A run's snapshots as tidy frames, one row a mark, for the figures of the Train page."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from vae.runs.snapshots import MemberSnapshot
from vae.runs.thinning import thinned
from vae.wire.events import EpochEvent, GalleryEvent, StepEvent

BATCH = "training batch"
TEST = "test set"
SCALE = "σ"
RMSE = "RMSE"
MEASURED = "measured"
PREDICTED = "predicted"


def curve_frame(
    members: Sequence[MemberSnapshot], labels: Sequence[str], most: int | None = None
) -> pd.DataFrame:
    """One row for each kept step and each epoch of each member.

    Columns: step, member, on (training batch or test set), log_likelihood, kl, loss (nats an
    image), mse (a pixel). ``most``: of so many steps in all, each member's evenly spaced and its
    newest; None for all that are kept.
    """
    rows = []
    room = None if most is None else max(2, most // len(members))
    for member, label in zip(members, labels, strict=True):
        rows += [(e.step, label, BATCH, *_step_figures(e)) for e in thinned(member.steps, room)]
        rows += [(e.step, label, TEST, *_epoch_figures(e)) for e in member.epochs]
    columns = ["step", "member", "on", "log_likelihood", "kl", "loss", "mse"]
    return _finite(pd.DataFrame(rows, columns=columns))


def light(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` as it travels to be drawn: seven digits, and each word once."""
    kinds = {
        name: "float32" if kind == "float64" else "int32" if kind == "int64" else "category"
        for name, kind in frame.dtypes.astype(str).items()
    }
    return frame.astype(kinds)


def rate_changes(members: Sequence[MemberSnapshot]) -> tuple[tuple[int, float], ...]:
    """The steps at which the learning rate was changed by hand, each with the new rate.

    Of a long run not every step is kept: then it is the first kept one at the new rate.
    """
    steps = members[0].steps
    return tuple(
        (after.step, after.learning_rate)
        for before, after in itertools.pairwise(steps)
        if after.learning_rate != before.learning_rate
    )


def scale_frame(member: MemberSnapshot, most: int | None = None) -> pd.DataFrame:
    """Sigma and the batch's RMSE at each kept step. Columns: step, quantity, value (pixels).

    ``most``: of so many steps, evenly spaced; None for all that are kept.
    """
    rows = []
    for event in thinned(member.steps, most):
        if event.scale is not None:
            rows += [(event.step, SCALE, event.scale), (event.step, RMSE, event.mse**0.5)]
    return _finite(pd.DataFrame(rows, columns=["step", "quantity", "value"]))


def kl_frame(
    members: Sequence[MemberSnapshot],
    labels: Sequence[str],
    predicted: Sequence[Sequence[float]],
    *,
    on: str = BATCH,
) -> pd.DataFrame:
    """KL of each latent, most informative first, measured and predicted.

    ``predicted``: nats per latent for each member, empty where there is no prediction. ``on``: the
    newest training batch, or the test set after the last epoch. Columns: rank (from 1), member,
    kind, kl.
    """
    rows = []
    for member, label, expected in zip(members, labels, predicted, strict=True):
        measured = _kl_per_latent(member, on)
        for kind, values in ((MEASURED, measured), (PREDICTED, expected)):
            ordered = sorted(values, reverse=True)
            rows += [(rank, label, kind, value) for rank, value in enumerate(ordered, 1)]
    return _finite(pd.DataFrame(rows, columns=["rank", "member", "kind", "kl"]))


def bound_frame(members: Sequence[MemberSnapshot], labels: Sequence[str]) -> pd.DataFrame:
    """The bound of each member for each number of draws. Columns: draws, member, bits (a pixel;
    less is better), error (its standard error over images), low, high."""
    rows = []
    for member, label in zip(members, labels, strict=True):
        if member.bound is None:
            continue
        unit = member.bound.pixels * math.log(2)
        figures = zip(member.bound.draws, member.bound.nats, member.bound.errors, strict=True)
        for draws, nats, error in figures:
            bits, error = -nats / unit, error / unit
            rows.append((draws, label, bits, error, bits - error, bits + error))
    columns = ["draws", "member", "bits", "error", "low", "high"]
    return _finite(pd.DataFrame(rows, columns=columns))


def rate_frame(
    members: Sequence[MemberSnapshot],
    labels: Sequence[str],
    families: Sequence[str],
    theory: tuple[Sequence[float], Sequence[float]],
    names: Sequence[str] = (),
) -> pd.DataFrame:
    """What each member pays and leaves on the test set, or on its last batch before that.

    ``families``: the name of each member's kind; ``theory``: rates (nats per image) and errors
    (per pixel); ``names``: what stands beside each point, the labels where none are given.
    Columns: kind (measured or predicted), member, name, family, kl, mse, bits.
    """
    rows = [(PREDICTED, "", "", "", kl, mse, 0.0) for kl, mse in zip(*theory, strict=True)]
    for member, label, name, family in zip(members, labels, names or labels, families, strict=True):
        if member.epochs:
            last = member.epochs[-1]
            figures = last.test_kl, last.test_mse, last.bits_per_pixel or 0.0
        elif member.last_step is not None:
            figures = member.last_step.kl, member.last_step.mse, 0.0
        else:
            continue
        rows.append((MEASURED, label, name, family, *figures))
    columns = ["kind", "member", "name", "family", "kl", "mse", "bits"]
    return _finite(pd.DataFrame(rows, columns=columns))


def _kl_per_latent(member: MemberSnapshot, on: str) -> tuple[float, ...]:
    if on == TEST:
        return member.epochs[-1].test_kl_per_latent if member.epochs else ()
    return member.last_step.kl_per_latent if member.last_step else ()


def code_frame(gallery: GalleryEvent, class_names: Sequence[str]) -> pd.DataFrame:
    """Where the posterior means of test images lie. Columns: first, second, name."""
    names = np.asarray(class_names, dtype=object)[gallery.labels.astype(int)]
    return pd.DataFrame(
        {
            "first": gallery.codes[:, 0].astype(float),
            "second": gallery.codes[:, 1].astype(float),
            "name": names,
        }
    )


def _step_figures(event: StepEvent) -> tuple[float, float, float, float]:
    return event.log_likelihood, event.kl, event.loss, event.mse


def _epoch_figures(event: EpochEvent) -> tuple[float, float, float, float]:
    return event.test_log_likelihood, event.test_kl, event.test_loss, event.test_mse


def _finite(frame: pd.DataFrame) -> pd.DataFrame:
    """A diverged run's last values are no points of a curve."""
    numbers = frame.select_dtypes("number")
    return frame[np.isfinite(numbers).all(axis=1)].reset_index(drop=True)


def bins_frame(members: Sequence[MemberSnapshot], labels: Sequence[str], name: str) -> pd.DataFrame:
    """The bins ``name`` of the test set after the last epoch: 'response' or 'calibration'.

    Columns: target, output, count, member.
    """
    rows = [
        (each.target, each.output, each.count, label)
        for member, label in zip(members, labels, strict=True)
        for each in (getattr(member.epochs[-1], name) if member.epochs else ())
    ]
    return _finite(pd.DataFrame(rows, columns=["target", "output", "count", "member"]))

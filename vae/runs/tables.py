"""A run's snapshots as tidy frames, one row a mark, for the figures of the Train page."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vae.runs.snapshots import MemberSnapshot
from vae.wire.events import EpochEvent, GalleryEvent, StepEvent

BATCH = "training batch"
TEST = "test set"
SCALE = "sigma"
RMSE = "root mean squared error"
MEASURED = "measured"
PREDICTED = "predicted"


def curve_frame(members: Sequence[MemberSnapshot], labels: Sequence[str]) -> pd.DataFrame:
    """One row for each kept step and each epoch of each member.

    Columns: step, member, on (training batch or test set), log_likelihood, kl, loss (nats an
    image), mse (a pixel).
    """
    rows = []
    for member, label in zip(members, labels, strict=True):
        rows += [(e.step, label, BATCH, *_step_figures(e)) for e in member.steps]
        rows += [(e.step, label, TEST, *_epoch_figures(e)) for e in member.epochs]
    columns = ["step", "member", "on", "log_likelihood", "kl", "loss", "mse"]
    return _finite(pd.DataFrame(rows, columns=columns))


def scale_frame(member: MemberSnapshot) -> pd.DataFrame:
    """Sigma and the batch's RMSE at each kept step. Columns: step, quantity, value (pixels)."""
    rows = []
    for event in member.steps:
        if event.scale is not None:
            rows += [(event.step, SCALE, event.scale), (event.step, RMSE, event.mse**0.5)]
    return _finite(pd.DataFrame(rows, columns=["step", "quantity", "value"]))


def kl_frame(
    members: Sequence[MemberSnapshot],
    labels: Sequence[str],
    predicted: Sequence[Sequence[float]],
) -> pd.DataFrame:
    """KL of each latent, most informative first, measured and predicted.

    ``predicted``: nats per latent for each member, empty where there is no prediction. Columns:
    rank (from 1), member, kind, kl.
    """
    rows = []
    for member, label, expected in zip(members, labels, predicted, strict=True):
        measured = member.last_step.kl_per_latent if member.last_step else ()
        for kind, values in ((MEASURED, measured), (PREDICTED, expected)):
            ordered = sorted(values, reverse=True)
            rows += [(rank, label, kind, value) for rank, value in enumerate(ordered, 1)]
    return _finite(pd.DataFrame(rows, columns=["rank", "member", "kind", "kl"]))


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

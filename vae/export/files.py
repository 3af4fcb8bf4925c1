"""What a learner takes home from a run: the history as a table, the film as a GIF, the images."""

import io
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import pandas as pd
from PIL import Image

from vae.config import TrainConfig
from vae.images.sets import binarise, load_images
from vae.images.tiles import tile
from vae.runs.snapshots import Frame, MemberSnapshot
from vae.runs.tables import curve_frame

_GIF_SECONDS = 6.0
_GIF_ZOOM = 2
# Most viewers slow frames shorter than this down to a tenth of a second.
_SHORTEST_FRAME = 0.02
_GROUND = 255


def history_csv(members: Sequence[MemberSnapshot], labels: Sequence[str]) -> str:
    """Every kept step and every epoch of every member, as text with a header line.

    Columns: step, member, on (training batch or test set), log_likelihood, kl, loss (nats an
    image), mse (a pixel), scale, learning_rate, bits_per_pixel (after an epoch) and a column of KL
    for each latent, largest index last; a member with fewer latents leaves the last ones empty.
    """
    table = curve_frame(members, labels)
    rows = []
    for member, label in zip(members, labels, strict=True):
        for step in member.steps:
            rows.append(
                {
                    "step": step.step,
                    "member": label,
                    "on": "training batch",
                    "scale": step.scale,
                    "learning_rate": step.learning_rate,
                    **_latent_columns(step.kl_per_latent),
                }
            )
        for epoch in member.epochs:
            rows.append(
                {
                    "step": epoch.step,
                    "member": label,
                    "on": "test set",
                    "scale": epoch.scale,
                    "bits_per_pixel": epoch.bits_per_pixel,
                    **_latent_columns(epoch.test_kl_per_latent),
                }
            )
    if not rows:
        return table.to_csv(index=False)
    return table.merge(pd.DataFrame(rows), on=["step", "member", "on"]).to_csv(index=False)


def _latent_columns(kl_per_latent: Sequence[float]) -> dict[str, float]:
    return {f"kl_{index}": value for index, value in enumerate(kl_per_latent, 1)}


def animation_gif(members: Sequence[MemberSnapshot]) -> bytes:
    """The kept moments as a GIF that loops: targets, then each member's means.

    A single member's draws follow as a third row. Raises ``ValueError`` when no moment is kept.
    """
    kept = common_moments(members)
    if not kept or not kept[0]:
        raise ValueError("members: no moment with pictures is kept; train at least one step")
    images = []
    for moment in zip(*kept, strict=True):
        parts = [frame.reconstruction for frame in moment]
        rows = [parts[0].targets, *(part.means for part in parts)]
        if len(members) == 1:
            rows.append(parts[0].samples)
        images.append(_flat(tile(np.concatenate(rows), len(rows[0]), gap=2)))
    duration = max(_SHORTEST_FRAME, _GIF_SECONDS / len(images))
    # GIF counts in hundredths of a second; the last picture stays to be looked at.
    times = [round(100 * duration) * 10] * (len(images) - 1) + [2000]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
    return buffer.getvalue()


def common_moments(members: Sequence[MemberSnapshot]) -> list[list[Frame]]:
    """For each member its frames at the steps of which every member has one."""
    common = set.intersection(*({frame.step for frame in member.frames} for member in members))
    return [[frame for frame in member.frames if frame.step in common] for member in members]


def moment_captions(members: Sequence[MemberSnapshot]) -> list[str]:
    """A line for each common moment: its step and, of a single run, its figures then."""
    steps = [frame.step for frame in common_moments(members)[0]]
    if len(members) > 1 or not members[0].steps:
        return [f"step {step:,}" for step in steps]
    known = [event.step for event in members[0].steps]
    captions = []
    for step in steps:
        event = members[0].steps[max(0, bisect_right(known, step) - 1)]
        captions.append(f"step {step:,} · on its batch MSE {event.mse:.4f}, KL {event.kl:.1f} nats")
    return captions


def images_npz(config: TrainConfig) -> bytes:
    """The images that ``config`` trains and tests on, as the standalone script reads them.

    Arrays train, test (uint8), with the engine's greyness and its draws of pixels that are drawn
    once; those drawn at every step are the script's own. Raises ``DataUnavailable``.
    """
    data = load_images(config)
    train, test = data.train, data.test
    if config.binarise != "none":
        test = binarise(test, config.seed + 1)
    if config.binarise == "static":
        train = binarise(train, config.seed)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, train=train, test=test)
    return buffer.getvalue()


def _flat(picture: Image.Image) -> Image.Image:
    """A picture with transparent gaps on white, enlarged, as GIF wants it."""
    ground = Image.new("L", picture.size, _GROUND)
    ground.paste(picture.getchannel(0), mask=picture.getchannel(1))
    size = (picture.width * _GIF_ZOOM, picture.height * _GIF_ZOOM)
    return ground.resize(size, Image.Resampling.NEAREST)

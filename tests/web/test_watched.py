"""What a browser is sent while it watches a run to its end: counted in bytes, whatever the line."""

from dataclasses import replace

import numpy as np
import pytest
from page_runs import run_page
from run_samples import epoch_event, gallery, run, step_event
from streamlit.testing.v1 import AppTest

from vae.config import TrainConfig
from vae.images.sets import load_sample
from vae.runs.records import MAX_FRAMES_KEPT, MAX_STEPS_KEPT
from vae.runs.snapshots import Frame, MemberSnapshot, RunSnapshot
from vae.web.train import run as train_run
from vae.web.train import shown
from vae.web.train.page_state import PageState
from vae.wire.events import ReconstructionEvent
from vae.wire.protocol import RunState

# A race of four on a busy machine; on two idle cores it takes half of that.
RACE_SECONDS = 60.0
RACE = PageState().with_lesson("race").members
KINDS = ("vega_lite_chart", "markdown", "progress", "image", "caption")


def full_member(config: TrainConfig, seed: int) -> MemberSnapshot:
    """All that is kept of a run, with pictures as busy as any: digits, and noise for the draws."""
    random = np.random.default_rng(seed)
    digits = load_sample("digits", 60)[0]
    frames = []
    for number in range(MAX_FRAMES_KEPT):
        first = number % 50
        targets, means = digits[:10], digits[first : first + 10]
        noise = random.integers(0, 256, targets.shape, np.uint8)
        frames.append(Frame(10 * number, ReconstructionEvent(10 * number, targets, means, noise)))
    steps = range(1, MAX_STEPS_KEPT + 1)
    busy = random.permutation(np.tile(digits, (3, 1, 1)))[:144].reshape(12, 12, 28, 28)
    drawn = gallery(config)
    return MemberSnapshot(
        config=config,
        steps=tuple(
            replace(step_event(step, config), mse=0.05 + random.random(), kl=20 * random.random())
            for step in steps
        ),
        epochs=tuple(epoch_event(step, config) for step in (200, 400, 600)),
        frames=tuple(frames),
        gallery=replace(
            drawn, grid=busy, traversals=busy[:6, :9], prior=busy.reshape(-1, 28, 28)[:30]
        ),
    )


@pytest.fixture(scope="module")
def race() -> RunSnapshot:
    many = tuple(full_member(config, seed) for seed, config in enumerate(RACE))
    return replace(run(*RACE), members=many, state=RunState.RUNNING, watchers=1, total_steps=600)


def sent(page: AppTest, *, polled: bool = False) -> int:
    """Bytes of what the page shows, or of what moves on it."""
    protos = [each.proto for kind in KINDS for each in page.get(kind)]
    protos += [
        each.proto
        for each in page.get("bidi_component")
        if not polled or each.proto.component_name == "vae.images.tiles"
    ]
    return sum(proto.ByteSize() for proto in protos)


def polls(snapshot: RunSnapshot, seconds: float = RACE_SECONDS, *, steers: bool = True) -> int:
    """How many polls of a page there are until the run has trained for so long."""
    count, now = 0, 0.0
    while now < seconds:
        pace = train_run.interval(replace(snapshot, seconds=now), steers)
        assert pace is not None
        count, now = count + 1, now + pace
    return count


def test_a_long_run_is_looked_at_less_often(race) -> None:
    assert polls(race, 600.0) - polls(race, 540.0) < polls(race, 60.0) / 2
    early, late = (train_run.scene(replace(race, seconds=at)) for at in (29.0, 31.0))
    assert early != late, "the whole page is drawn again, since only it sets the pace"


def test_a_class_that_watches_is_little_more_than_four_who_do(race) -> None:
    """Also those who came before the others: the pace is the page's, which is drawn again."""
    one = replace(race, members=race.members[:1])
    alone, four, class_ = (replace(one, watchers=count) for count in (1, 5, 31))
    asked = {snapshot.watchers: polls(snapshot, steers=False) for snapshot in (alone, four, class_)}
    assert asked[1] > 1.9 * asked[5] > 3.6 * asked[31]
    assert 30 * asked[31] < 8 * asked[1]
    assert train_run.scene(alone, False) != train_run.scene(class_, False)
    # Whoever presents steers, and the class looks at that screen.
    assert polls(class_) == polls(alone)
    assert train_run.scene(alone) == train_run.scene(class_)


def watch(snapshot: RunSnapshot, monkeypatch: pytest.MonkeyPatch) -> tuple[float, int]:
    """Bytes a poll, and of the page once the run is over."""
    at: list[RunSnapshot] = [snapshot]
    monkeypatch.setattr(shown, "look", lambda name: at[0] if name else None)
    monkeypatch.setattr(train_run, "current", lambda _: at[0])
    page = run_page("train", run=snapshot.run_id)
    sizes = [sent(page, polled=True)]
    for version in range(2, 13):
        # Each poll finds another picture.
        moved = [replace(m, frames=m.frames[:-version]) for m in snapshot.members]
        at[0] = replace(snapshot, version=version, members=tuple(moved))
        page.run()
        sizes.append(sent(page, polled=True))
    at[0] = replace(snapshot, state=RunState.FINISHED, version=99)
    page.run()
    assert not page.exception
    assert page.get("image"), "the galleries are there"
    return sum(sizes) / len(sizes), sent(page)


def test_what_is_folded_is_sent_when_it_is_opened(race, monkeypatch) -> None:
    """A pause sends what is seen: who goes on at once waits behind what is still on its way."""
    paused = replace(race, state=RunState.PAUSED)
    monkeypatch.setattr(shown, "look", lambda name: paused if name else None)
    monkeypatch.setattr(train_run, "current", lambda _: paused)
    page = run_page("train", run=race.run_id)
    seen = sent(page)
    assert len(page.get("image")) == len(race.members)
    page.session_state["more-latents"] = True
    page.run()
    assert not page.exception
    # Of each member a grid and traversals too.
    assert len(page.get("image")) == 3 * len(race.members)
    assert sent(page) - seen > seen, (seen, sent(page))
    # A second and a half at 1.5 Mbit/s, pictures as busy as any.
    assert seen < 280_000


def test_a_race_is_watched_to_its_end_in_three_megabytes(race, monkeypatch) -> None:
    each, end = watch(race, monkeypatch)
    for steers in (True, False):
        total = polls(race, steers=steers) * each + end
        assert total < 3e6, f"{each:,.0f} bytes a poll, {end:,} at the end"
    # A measure that sees no pictures would bound nothing.
    assert each > 10_000
    assert end > 300_000


def test_a_single_run_is_two_thirds_of_that(race, monkeypatch) -> None:
    alone = replace(race, members=race.members[:1])
    each, end = watch(alone, monkeypatch)
    total = polls(alone) * each + end
    assert total < 2e6, f"{each:,.0f} bytes a poll, {end:,} at the end"


def test_what_a_poll_leaves_out_comes_with_a_later_one(race, monkeypatch) -> None:
    at = [race]
    monkeypatch.setattr(shown, "look", lambda name: at[0] if name else None)
    monkeypatch.setattr(train_run, "current", lambda _: at[0])
    page = run_page("train", run=race.run_id)
    sizes = []
    for _ in range(12):
        sizes.append(sent(page, polled=True))
        page.run()
    whole = [index for index, size in enumerate(sizes) if size > 1.3 * min(sizes)]
    assert whole == [0, 6]

"""All that the Train page shows and starts, as one value that its address carries whole.

Nothing here knows Streamlit: ``vae.web.train.state`` keeps the value for a session, the widgets
are its views, and what a button starts is what the value says at that moment.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from vae.beliefs import BELIEFS
from vae.config import TrainConfig, WrongValue
from vae.lessons import questions
from vae.lessons.questions import LESSONS, VISIBLE, Lesson
from vae.runs.limits import Limits
from vae.web.kit.query import names_in

# Drawn by nobody: the page's own choices never name files on the server.
_NEVER = frozenset({"images"})
SETTINGS = tuple(spec.name for spec in fields(TrainConfig) if spec.name not in _NEVER)
OWN = frozenset({*SETTINGS, *_NEVER, "lesson", "against", "run", "hide"})
"""The query parameters that are this page's: it reads and writes no others."""
NOBODY = "none"
"""In the address, no comparison where the lesson has one."""
_HIDEABLE = frozenset({*SETTINGS, "against", "presets", "drawing"})
_LIMITED = ("epochs", "hidden_dim", "latent_dim", "batch_size")


@dataclass(frozen=True)
class PageState:
    """A question with its settings, what to train beside them, the run shown, what is hidden.

    ``run`` is empty while none is shown. ``hide`` names controls: settings, ``against`` for the
    comparison, ``presets`` for the questions, ``drawing`` for the canvas.
    """

    config: TrainConfig = field(default_factory=TrainConfig)
    lesson: str = "free"
    against: tuple[str, ...] = ()
    run: str = ""
    hide: frozenset[str] = frozenset()

    @property
    def question(self) -> Lesson:
        return LESSONS[self.lesson]

    @property
    def members(self) -> tuple[TrainConfig, ...]:
        """What Train starts: the settings, and beside them what is compared."""
        return questions.members(self.config, self.against)

    def makes(self, trained: Sequence[TrainConfig]) -> bool:
        """Whether these are the members of a run that this page's settings start."""
        kind = questions.sweep_of(trained)
        wanted = questions.sweep(self.config, kind) if kind else self.members
        return wanted == tuple(trained)

    def question_of(self, trained: Sequence[TrainConfig]) -> str:
        """The lesson that a run of these members answers: this page's, where it is its run."""
        return self.lesson if self.makes(trained) else questions.lesson_of(trained)

    def with_lesson(self, name: str) -> "PageState":
        """The question ``name``: its settings over the defaults, its comparison; the same seed."""
        lesson = LESSONS[name]
        config = TrainConfig(**{"seed": self.config.seed, **lesson.settings})
        return replace(self, config=config, lesson=name, against=lesson.against)

    def with_settings(self, **changed: Any) -> "PageState":
        """Other values of some settings. Raises ``ConfigError`` on one that is not allowed."""
        return replace(self, config=replace(self.config, **changed))

    def with_controls(self, shown: Mapping[str, Any]) -> "PageState":
        """This state after what a learner changed: ``shown`` is what the controls on screen say.

        A changed question brings its settings first, then what else was changed counts. Names are
        settings, ``lesson`` and ``against``. Raises ``ConfigError`` on a value that no control
        offers.
        """
        changed = {name: value for name, value in shown.items() if value != self.control(name)}
        state = self
        if "lesson" in changed:
            state = state.with_lesson(changed.pop("lesson"))
        if "against" in changed:
            state = state.with_against(changed.pop("against"))
        return state.with_settings(**changed) if changed else state

    def control(self, name: str) -> Any:
        """What the control of this name shows: a setting, ``lesson`` or ``against``."""
        return getattr(self if name in ("lesson", "against") else self.config, name)

    def with_against(self, names: Collection[str]) -> "PageState":
        return replace(self, against=tuple(names))

    def with_run(self, run: str) -> "PageState":
        return replace(self, run=run)

    def with_members(self, members: Sequence[TrainConfig]) -> "PageState":
        """The settings, the comparison and the question of a run, and the run let go."""
        if kind := questions.sweep_of(members):
            config = members[questions.SWEEPS[kind].home]
            return replace(self, config=config, lesson="free", against=(), run="")
        return replace(
            self,
            config=members[0],
            lesson=questions.lesson_of(members),
            against=questions.alternatives(members),
            run="",
        )

    def within(self, limits: Limits) -> tuple["PageState", tuple[str, ...]]:
        """This state within what the host allows, and a sentence for each setting beyond it."""
        beyond = {
            name: int(getattr(limits, f"max_{name}"))
            for name in _LIMITED
            if getattr(self.config, name) > getattr(limits, f"max_{name}")
        }
        said = tuple(
            f"{name}: {getattr(self.config, name)} given; this host allows 1 to {most}; "
            f"{most} is used"
            for name, most in beyond.items()
        )
        return (self.with_settings(**beyond) if beyond else self), said

    def visible(self) -> tuple[str, ...]:
        """The settings at hand: those that matter under the others, and the question's own."""
        more = (name for name in self.question.show if name not in VISIBLE)
        return tuple(name for name in (*VISIBLE, *more) if self._is_shown(name))

    def advanced(self) -> tuple[str, ...]:
        """All the other settings that matter, for a fold."""
        at_hand = {*VISIBLE, *self.question.show}
        return tuple(name for name in SETTINGS if name not in at_hand and self._is_shown(name))

    def shows(self, control: str) -> bool:
        """Whether the link leaves ``control`` on the page: ``presets``, ``against``, a setting."""
        return control not in self.hide

    def _is_shown(self, name: str) -> bool:
        return name not in self.hide and applies(name, self.config)

    def to_query(self) -> dict[str, str]:
        """Query parameters; what the question sets, or by default, is left out."""
        base = PageState().with_lesson(self.lesson)
        query = self.config.to_query(base.config)
        if self.against != base.against:
            query["against"] = ",".join(self.against) or NOBODY
        if self.lesson != "free":
            query["lesson"] = self.lesson
        if self.hide:
            query["hide"] = ",".join(sorted(self.hide))
        if self.run:
            query["run"] = self.run
        return query


def from_query(
    query: Mapping[str, str], limits: Limits | None = None
) -> tuple[PageState, tuple[WrongValue, ...]]:
    """The state that an address asks for, and a note for each part that cannot be used.

    A lesson's name brings its settings and its comparison; what stands beside it wins. Of a
    setting that cannot be used the lesson's value stays, or the default. Notes name the bounds of
    the host's ``limits``, as the controls do; `PageState.within` keeps to them.
    """
    base, notes = _lesson(query.get("lesson", "free"))
    most = {} if limits is None else {name: getattr(limits, f"max_{name}") for name in _LIMITED}
    config, wrong = TrainConfig.from_query(query, base.config, most)
    against: tuple[str, ...] = base.against
    unknown: list[WrongValue] = []
    if (text := query.get("against")) is not None:
        against, unknown = questions.parse_against("" if text == NOBODY else text)
    hide, more = _hide(query.get("hide", ""))
    state = replace(base, config=config, against=against, run=query.get("run", ""), hide=hide)
    return state, (*wrong, *unknown, *notes, *more)


def applies(name: str, config: TrainConfig) -> bool:
    """Whether the setting ``name`` changes anything under the others."""
    if name == "grey":
        return config.dataset == "digits"
    if name == "scale":
        return BELIEFS[config.likelihood].scale in ("fixed", "learned")
    if name == "scale_learning_rate":
        return BELIEFS[config.likelihood].scale == "learned"
    if name == "hidden_dim":
        return config.architecture == "mlp"
    if name == "beta":
        return config.sampling
    return True


def _lesson(name: str) -> tuple[PageState, list[WrongValue]]:
    if name in LESSONS:
        return PageState().with_lesson(name), []
    needed = "one of " + ", ".join(LESSONS)
    return PageState(), [WrongValue("lesson", name, needed, "The page opens without one.")]


def _hide(text: str) -> tuple[frozenset[str], list[WrongValue]]:
    names = names_in(text)
    unknown = sorted(names - _HIDEABLE)
    if not unknown:
        return names, []
    needed = "a list of this page's controls"
    note = WrongValue("hide", unknown[0], needed, "What is none is left out.")
    return names & _HIDEABLE, [note]

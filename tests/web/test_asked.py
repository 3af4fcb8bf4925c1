"""What a link to Your loss carries: all of it comes back, and nothing else gets in."""

import base64
import json
import time
import tracemalloc
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vae.web.your_loss import asked as module
from vae.web.your_loss.asked import (
    EXAMPLE,
    LONGEST_CODE,
    LONGEST_LINK,
    RANGES,
    Asked,
    from_query,
    names_in,
    of_question,
    pack,
    question_of,
    read_first,
    read_second,
    unpack,
)
from vae.your_loss import ROLES, clinic

text = st.text(max_size=40)
pairs = st.dictionaries(text, text, max_size=5)
ASKED = st.builds(
    Asked,
    code=st.text(max_size=400),
    second=st.text(max_size=100),
    image=text,
    latents=text,
    batch=text,
    span=st.sampled_from(list(RANGES)),
    constants=pairs.map(lambda given: tuple(sorted(given.items()))),
    roles=st.dictionaries(text, st.sampled_from(list(ROLES)), max_size=5).map(
        lambda given: tuple(sorted(given.items()))
    ),
)


def packed(value: object) -> str:
    raw = zlib.compress(json.dumps(value).encode(), 9)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@given(ASKED)
def test_what_is_asked_comes_back_from_its_link(asked):
    assert unpack(pack(asked)) == asked
    assert set(pack(asked)) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    )
    again, wrong = from_query(asked.to_query())
    if asked.fits_a_link:
        assert (again, wrong) == (asked, ())


def test_the_example_needs_no_parameter_and_a_question_its_name_alone():
    assert Asked().to_query() == {}
    assert from_query({}) == (Asked(), ())
    for entry in clinic():
        asked = of_question(entry)
        assert question_of(asked) == entry
        assert asked.to_query() == {"question": entry.id}
        assert from_query(asked.to_query()) == (asked, ())


@given(st.text(max_size=200))
@example("")
@example("=")
@example("eJw")
@example("é")
def test_no_text_breaks_it(text):
    asked, wrong = from_query({"loss": text, "other": text})
    assert asked == Asked() or wrong == ()
    from_query({"question": text})


@pytest.mark.parametrize(
    "value",
    [
        [],
        None,
        7,
        "code",
        {"code": 7},
        {"code": None},
        {"other": ""},
        {"span": "wide"},
        {"image": "9" * 41},
        {"code": "x" * (LONGEST_CODE + 1)},
        {"second": "x" * (LONGEST_CODE + 1)},
        {"code": "\ud800"},
        {"constants": {"a": "1"}},
        {"constants": [["a"]]},
        {"constants": [["a", 1]]},
        {"constants": [["a", "1" * 61]]},
        {"constants": [["a", "1"]] * 65},
        {"roles": [["a", "king"]]},
        {"roles": "ab"},
    ],
)
def test_a_link_of_anything_else_is_refused_with_a_note(value):
    assert unpack(packed(value)) is None
    asked, (wrong,) = from_query({"loss": packed(value)})
    assert asked == Asked()
    assert wrong.name == "loss"
    assert str(LONGEST_LINK) in wrong.needed


def test_brackets_without_end_and_half_a_link_are_refused():
    for raw in (b"[" * 100_000, b'{"code":' * 10_000):
        assert unpack(base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")) is None
    whole = pack(Asked(code=EXAMPLE * 3))
    assert unpack(whole[:-8]) is None
    assert unpack("A" * (LONGEST_LINK + 1)) is None


def test_a_link_that_unpacks_to_megabytes_is_dropped_before_it_does():
    # 7 KB that are 5 MB: a page that unpacked it whole would hold them all.
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 5_000_000, 9)).decode().rstrip("=")
    assert len(bomb) <= LONGEST_LINK
    tracemalloc.start()
    assert unpack(bomb) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500_000


def test_another_code_keeps_what_still_has_its_name_and_the_sizes():
    asked = Asked(
        code="a = mu * beta",
        image="3x64x64",
        constants=(("beta", "4"), ("gamma", "2")),
        roles=(("mu", "mean"), ("nu", "z")),
    )
    later = asked.with_code("loss = mu + beta")
    assert later.image == "3x64x64"
    assert later.constants == (("beta", "4"),)
    assert later.roles == (("mu", "mean"),)


def test_a_questions_sizes_leave_with_its_code():
    entry = next(entry for entry in clinic() if entry.settings.get("image"))
    assert of_question(entry).with_code(EXAMPLE) == Asked()


def test_names_of_a_code_are_offered_without_calls_and_keywords():
    assert names_in(
        Asked(code="def f(b, a):  # c\n  return F.mse_loss(b, a) + self.w if ok else 'q'")
    ) == [
        "b",
        "a",
        "ok",
    ]


def test_a_code_that_is_too_long_is_a_sentence_with_both_numbers():
    with pytest.raises(ValueError, match=r"20,001 characters given; at most 20,000"):
        read_first(Asked(code="x" * (LONGEST_CODE + 1)))


@pytest.mark.parametrize(
    "wrong", [{"image": "wide"}, {"latents": "0"}, {"batch": "1.5"}, {"batch": "²"}]
)
def test_a_wrong_size_is_a_sentence_with_its_name(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"{name}: '?{value}"):
        read_first(Asked(**wrong))


def test_both_losses_are_read_with_the_same_sizes_and_numbers():
    code = EXAMPLE.replace("error + kl", "error + weight * kl")
    asked = Asked(code=EXAMPLE, second=code, image="100", constants=(("weight", "3"),))
    first, second = read_first(asked), read_second(asked)
    assert first.sigma2 == pytest.approx(50)
    assert second.sigma2 == pytest.approx(150)


def test_the_same_text_is_read_once(monkeypatch):
    calls = []
    real = module.read

    def counted(code, **settings):
        calls.append(code)
        return real(code, **settings)

    monkeypatch.setattr(module, "read", counted)
    code = EXAMPLE + f"# {time.time()}\n"
    first = read_first(Asked(code=code))
    assert read_first(Asked(code=code, second="another")) is first
    assert calls == [code]

"""Kept elements stand where they are drawn, in every session and fragment, as if made anew."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from vae.web import kept


def _page() -> None:
    import streamlit as st

    from vae.web import kept

    def note(text: str, **details: bool) -> None:
        kept.show(("note", text), lambda: st.markdown(text), **details)

    @st.fragment
    def part() -> None:
        note("same")
        st.button("again", key="again")

    note("same")
    with st.container():
        note("same")
        st.write("between")
        note("other", passing=True)
    part()
    note("last")


def _values(app: AppTest) -> list[str]:
    return [each.value for each in app.markdown]


def test_what_is_sent_again_stands_in_its_place() -> None:
    kept.clear()
    expected = ["same", "same", "between", "other", "same", "last"]
    first = AppTest.from_function(_page).run()
    assert _values(first) == expected
    first.run()
    second = AppTest.from_function(_page).run()
    second.button(key="again").click().run()
    for app in (first, second):
        assert not app.exception
        assert _values(app) == expected


def test_what_is_not_one_element_is_refused() -> None:
    def page() -> None:
        import streamlit as st

        from vae.web import kept

        def two() -> None:
            st.write("one")
            st.write("two")

        kept.show("two", two)

    app = AppTest.from_function(page).run()
    assert app.exception


def test_only_so_many_are_kept() -> None:
    store = kept.Store(2)
    for number in range(3):
        store.put(number, f"message {number}")
        store.get(0)
    assert [store.get(number) for number in range(3)] == ["message 0", None, "message 2"]


def test_outside_a_run_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(st, "markdown", drawn.append)
    kept.show("alone", lambda: st.markdown("alone"))
    assert drawn == ["alone"]

"""Questions before answers, by keyboard alone: a line, choices, a dial that refutes, a memory."""

import pytest
from browsing import dial, record_of, wait_ready
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

QUESTION = ".st-key-quiz-derivation-sigma details.question"


def test_a_question_is_answered_by_keyboard_and_stays_in_this_browser(open_page):
    page = open_page("derivation")
    question = page.locator(QUESTION)
    choices = question.locator(".choices button")
    expect(choices.first).to_be_hidden()
    # One line until it is touched.
    assert question.bounding_box()["height"] < 48
    sent = record_of(page).sent
    question.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(choices.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(question.get_by_role("status")).to_contain_text("Not so.")
    for _ in range(choices.count()):
        page.keyboard.press("Tab")
    expect(question.get_by_role("button", name="Show it on the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dial(page, "sigma")).to_have_attribute("aria-valuetext", "0.150")
    choices.nth(1).focus()
    page.keyboard.press("Enter")
    expect(question.get_by_role("status")).to_contain_text("Right.")
    assert record_of(page).sent == sent
    page.reload()
    wait_ready(page)
    expect(question).to_have_attribute("data-state", "right")
    link = page.locator("[data-testid=stSidebarNavLink][href*='derivation'] span").last
    assert "1/11" in link.evaluate("span => getComputedStyle(span, '::after').content")
    page.locator(".st-key-quiz label").click()
    expect(question).to_have_count(0)
    assert "quiz=0" in page.url


def test_train_folds_the_verdict_until_one_has_chosen(open_page):
    page = open_page("train?lesson=pixel-mean&epochs=1&hidden_dim=16&batch_size=1000&seed=11")
    verdict = page.locator("details.verdict")
    page.locator(".st-key-train").get_by_role("button").click()
    expect(verdict).to_have_count(1, timeout=60_000)
    expect(verdict.get_by_text("Predicted:")).to_be_hidden()
    fold = page.locator(".st-key-quiz-guess details.question")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    said = page.locator(".st-key-quiz-guess").get_by_role("status")
    expect(said).to_contain_text("You said 20; theory 0; the run kept ")
    expect(verdict.get_by_text("Predicted:")).to_be_visible()


def test_the_ledger_is_a_quiz_by_keyboard(open_page):
    page = open_page("?verdict=wrong")
    rows = page.locator(".ledger article")
    quiz = page.locator(".st-key-quiz-ledger")
    rows.first.wait_for()
    count = rows.count()
    sent = record_of(page).sent
    quiz.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rows.first).to_be_hidden()
    said = quiz.locator(".said")
    first = said.inner_text()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(quiz.get_by_role("status")).to_contain_text("Right: wrong.")
    expect(quiz.locator(".score")).to_have_text(f"1 of 1 right so far; {count - 1} to go.")
    page.keyboard.press("Enter")
    expect(said).not_to_have_text(first)
    page.keyboard.press("Enter")
    expect(quiz.get_by_role("status")).to_contain_text("Not so: wrong.")
    expect(quiz.locator(".score")).to_have_text(f"1 of 2 right so far; {count - 2} to go.")
    assert record_of(page).sent == sent
    quiz.locator("summary").click()
    expect(rows.first).to_be_visible()

"""Questions that are asked before the answer is seen, as frozen values, and how they are graded.

``SECTIONS`` has one question for each section of Derivation and Bias; ``guesses`` the predictions
that Train asks for. Nothing here knows a page.
"""

from collections.abc import Mapping

from vae.quiz import bias, derivation
from vae.quiz.types import Choice, Question, Show

__all__ = ["SECTIONS", "Choice", "Question", "Show", "totals"]

SECTIONS: Mapping[str, Question] = {
    question.id: question for question in (*derivation.QUESTIONS, *bias.QUESTIONS)
}
"""By ``page-anchor``, in the order of the pages."""


def totals() -> dict[str, int]:
    """How many questions each page has."""
    pages = [question.page for question in SECTIONS.values()]
    return {page: pages.count(page) for page in dict.fromkeys(pages)}

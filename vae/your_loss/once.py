"""What is asked again and again of the same syntax, computed once a reading."""

import ast
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from vae.your_loss.arrays import BUDGET

MAX_NAME = 200
MAX_KEPT = 50_000
Node = TypeVar("Node", bound=ast.AST)
Answer = TypeVar("Answer")


def once(function: Callable[[Node], Answer]) -> Callable[[Node], Answer]:
    """``function`` of a node, kept until the reading ends; its callers do not change the answer.

    A reading keeps its whole tree, so that a node is known by its identity.
    """

    @wraps(function)
    def kept(node: Node) -> Answer:
        budget = BUDGET.get(None)
        if budget is None:
            return function(node)
        key = (function, id(node))
        if key not in budget.kept:
            budget.kept[key] = (function(node), node)
        answer: Answer = budget.kept[key][0]
        return answer

    return kept


def once_a_name(function: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """``function`` of a name, kept until the reading ends; its callers do not change the answer."""

    @wraps(function)
    def kept(name: str) -> Answer:
        budget = BUDGET.get(None)
        if budget is None or len(name) > MAX_NAME:
            return function(name)
        key = (function, name)
        if key in budget.kept:
            answer: Answer = budget.kept[key][0]
            return answer
        answer = function(name)
        if len(budget.kept) < MAX_KEPT:
            budget.kept[key] = (answer, None)
        return answer

    return kept


@once
def text_of(tree: ast.Module) -> str:
    """The code without its comments: what stands in them is not done."""
    return ast.unparse(tree)


__all__ = ["once", "once_a_name", "text_of"]

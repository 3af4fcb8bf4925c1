"""What is asked again and again of the same syntax, computed once a reading."""

import ast
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from vae.your_loss.arrays import BUDGET

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


@once
def text_of(tree: ast.Module) -> str:
    """The code without its comments: what stands in them is not done."""
    return ast.unparse(tree)


__all__ = ["once", "text_of"]

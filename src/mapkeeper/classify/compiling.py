"""Has numba compile what runs over every byte; once, where there is a place to keep it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, compiled when it is first called."""
    try:
        return cast(Callable[P, R], njit(cache=True)(function))
    except RuntimeError:  # neither the installed package nor the user's cache can be written: compile each time
        return cast(Callable[P, R], njit()(function))

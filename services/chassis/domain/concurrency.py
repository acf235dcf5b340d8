"""Awaiting several things at the same time."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, cast

A = TypeVar("A")
B = TypeVar("B")


async def gather_two(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Await two things concurrently.

    If both fail, the first one's error is raised, so that a repeat gets the same answer.
    """
    found = await asyncio.gather(first, second, return_exceptions=True)
    for outcome in found:
        if isinstance(outcome, BaseException):
            raise outcome
    return cast(tuple[A, B], found)

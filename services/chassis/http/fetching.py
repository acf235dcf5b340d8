"""Fetches the keys of the token issuer from a URL. ``auth`` loads this module only if it is needed."""

from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Unfetched(OSError):
    """A URL did not return JSON; the text is the class of the error."""


async def json_at(address: str) -> Any:
    """The JSON at this URL; Unfetched if there is none within five seconds."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(address) as response:
            response.raise_for_status()
            return await response.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unfetched(type(error).__name__) from error

"""What is at an address of the token issuer. Loaded by ``auth`` only, and only where its keys are at one."""

from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Unfetched(OSError):
    """An address does not give what is asked of it; the text is the class of what happened."""


async def json_at(address: str) -> Any:
    """The JSON at this address; Unfetched where there is none within five seconds."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(address) as response:
            response.raise_for_status()
            return await response.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unfetched(type(error).__name__) from error

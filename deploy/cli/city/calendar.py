"""Until when a city knows its holidays."""

from contextlib import suppress
from datetime import date

import orjson

from deploy.cities.load import working_times
from deploy.local import Stack, waiting

_SECONDS = 3.0


def covered_until(stack: Stack) -> tuple[date, str]:
    """The last day of which holidays are known, and by what: the running city, or its files where it does not answer.

    CityDataWrong or ValueError if neither can be read.
    """
    status, body = waiting.get(f"{stack.layout.gateway}/v1/calendar", _SECONDS)
    with suppress(ValueError, KeyError, TypeError):  # something else answers there
        if status == 200:
            return date.fromisoformat(orjson.loads(body)["covered_until"]), "the city's calendar"
    return working_times(stack.city_data).covered_until, str(stack.city_data / "holidays.json")

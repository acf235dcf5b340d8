"""Who is on call in a seeded city: around the clock, for the week that is and the three after it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from deploy.cities.shapes import Area, City

WEEKS = 4
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Roster:
    """A duty roster: who is on call first, and who is the backup, by their logins."""

    area: str
    system: str
    first: str
    backup: str | None

    @property
    def key(self) -> str:
        """Its natural key."""
        return f"{self.area}:{self.system}"

    def shifts(self, today: date) -> list[dict[str, object]]:
        """The shifts from this week's Monday on, a week each, by the clock of the city."""
        on_call = [(self.first, False), *([(self.backup, True)] if self.backup else [])]
        return [
            {"login": login, "start": start.isoformat(), "end": (start + _WEEK).isoformat(), "backup": backup}
            for start in _mondays(today)
            for login, backup in on_call
        ]


def rosters(city: City) -> list[Roster]:
    """For each service system one for the city, each county and each sub-district."""
    systems = [system.code for system in city.catalogue.systems]
    return [
        Roster(area.code, system, first, backup)
        for area in city.areas
        for first, backup in _on_call(area)
        for system in systems
    ]


def monday(today: date) -> date:
    """The first day of the week."""
    return today - timedelta(days=today.weekday())


def _mondays(today: date) -> Iterator[datetime]:
    first = datetime.combine(monday(today), time())
    return (first + number * _WEEK for number in range(WEEKS))


def _on_call(area: Area) -> Iterator[tuple[str, str | None]]:
    match area.level:
        case "city":
            yield "supervisor", None
        case "county":
            yield f"supervisor-{area.code}", f"departments-{area.code}"
        case "sub_district":
            yield f"street-{area.code}", f"stations-{area.code}"

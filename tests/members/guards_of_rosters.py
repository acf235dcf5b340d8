"""Of the table of guards of members: a roster with a shift, who may edit it, and whose account is on call."""

from datetime import timedelta
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import now
from services.chassis.domain.words import Words
from services.chassis.usecase import Container
from services.contracts.members.accounts import AccountOpened
from services.contracts.members.areas import AreaAdded, Level
from services.contracts.members.roles import Role
from services.contracts.members.rosters import RosterGapFound, RosterStarted, Shift, ShiftsAdded, ShiftsRemoved
from services.contracts.requests.catalogue import System
from services.members.accounts.model import Account
from services.members.areas.model import Area
from services.members.rosters import commands as rosters
from tests.members.callers import LEADER, Right, Who, in_charge, sees_roster
from tests.members.support import COMMUNITY
from tests.support.guards import stored, twin

_HOUR = timedelta(hours=1)
_SHIFT = Shift(
    id="shift_1", account_id="account_night", person_id=LEADER, start=now() - _HOUR, end=now() + _HOUR, backup=False
)
ROSTER: tuple[Event, ...] = (
    RosterStarted(area=COMMUNITY, system=System.GOVERNANCE, started_at=now() - 24 * _HOUR),
    ShiftsAdded(shifts=[_SHIFT], added_at=now() - 24 * _HOUR),
)
GRIDS = tuple(f"{COMMUNITY}-{number:02}" for number in range(1, 100))
"""A place for each start, since a place has one roster for a service system."""
_EDITORS = (Role.DISPATCHER, Role.ADMINISTRATOR)
_LATER = rosters.NewShift.model_validate(
    {"login": "night", "start": (now() + 2 * _HOUR).isoformat(), "end": (now() + 3 * _HOUR).isoformat()}
)
CASES: tuple[tuple[Any, tuple[str, ...], Right, tuple[Any, ...], type[Event]], ...] = (
    (rosters.add_shifts, _EDITORS, sees_roster, (rosters.AddShifts(shifts=[_LATER]),), ShiftsAdded),
    (rosters.remove_shift, _EDITORS, sees_roster, ("shift_1",), ShiftsRemoved),
    (rosters.drop_shifts, (), in_charge, (["shift_1"],), ShiftsRemoved),
    (rosters.report_gaps, (), in_charge, (), RosterGapFound),
)


def start(number: int) -> tuple[Any, tuple[str, ...], Right, tuple[Any, ...], type[Event]]:
    """Starting one in a grid of its own."""
    wanted = rosters.StartRoster(area=GRIDS[number % len(GRIDS)], system=System.HEALTH)
    return rosters.start_roster, _EDITORS, in_charge, (wanted,), RosterStarted


async def settle(container: Container) -> None:
    """Let there be the account that a shift names."""
    opened = AccountOpened(person_id=LEADER, roles=[Role.DISPATCHER], places=[COMMUNITY], organisations=[])
    account = twin(Account, stored(Account, opened), "account_night", container)[1]
    await container.mongo.command("insert", Account.collection(), documents=[account])
    added = AreaAdded(level=Level.GRID, name=Words.named("x"))
    grids = [twin(Area, stored(Area, added, id=code), code, container)[1] for code in GRIDS]
    await container.mongo.command("insert", Area.collection(), documents=grids)
    await container.context(Who(SYSTEM).actor(), "guards").claims.claim("account", "login|night", "account_night")

"""Members, put together."""

import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from services.chassis.http.signing import Signer, key_set
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.members.accounts import api as accounts
from services.members.accounts.authenticators.model import Authenticator
from services.members.accounts.codes import api as codes
from services.members.accounts.codes.model import PhoneCode
from services.members.accounts.model import Account
from services.members.accounts.networks.settings import NetworkSettings
from services.members.accounts.passwords.queries import HashingPool
from services.members.accounts.passwords.settings import PasswordSettings
from services.members.accounts.phones import api as phones
from services.members.accounts.sessions import api as sessions
from services.members.accounts.sessions.model import Session
from services.members.accounts.sessions.queries import KeySet
from services.members.accounts.settings import TokenSettings
from services.members.areas import api as areas
from services.members.areas.model import Area
from services.members.audit import api as audit
from services.members.cases.model import FiledCase
from services.members.organisations import api as organisations
from services.members.organisations.model import Organisation
from services.members.people import api as people
from services.members.people.model import Person
from services.members.people.phones.model import Phone
from services.members.people.settings import PhoneSettings
from services.members.rosters import api as rosters
from services.members.rosters.model import Roster
from services.members.rosters.timers import roster_watch, shifts_of_who_left
from services.members.teams import api as teams
from services.members.teams.model import Team


def dependencies(settings: Settings) -> Mapping[type, Any]:
    """The city's time, and what signs tokens: only the web has the keys for it."""
    folder = settings.of(TokenSettings).token_keys
    zone = ZoneInfo(json.loads((settings.city_data / "holidays.json").read_text("utf-8"))["time_zone"])
    common: dict[type, Any] = {ZoneInfo: zone, PhoneSettings: settings.of(PhoneSettings)}
    common[NetworkSettings] = settings.of(NetworkSettings)
    common[HashingPool] = HashingPool(settings.of(PasswordSettings))
    if folder is None:
        return common
    return common | {Signer: Signer(folder, settings.issuer, settings.audience), KeySet: KeySet(key_set(folder))}


service = Service(
    name="members",
    texts=("services.contracts", "services.members"),
    entities=(Area, Organisation, Person, Phone, Account, PhoneCode, Session, Authenticator, Team, Roster),
    copies=(FiledCase,),
    routes=(
        areas.routes,
        organisations.routes,
        people.routes,
        people.me,
        phones.routes,
        phones.me,
        codes.routes,
        sessions.routes,
        sessions.own,
        sessions.keys,
        accounts.routes,
        teams.routes,
        rosters.routes,
        audit.routes,
    ),
    timers=(roster_watch,),
    periodic=(shifts_of_who_left,),
    signed_in=(Session, Account),
    listens_to=("requests",),
    settings=(TokenSettings, PhoneSettings, NetworkSettings, PasswordSettings),
    dependencies=dependencies,
    mints_keys=True,
)

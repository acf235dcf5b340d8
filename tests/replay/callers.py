"""Everybody who acts in a replay, signed in when first needed, and where each of them stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.cli.city.client import Gateway, Refused, Unanswered
from deploy.cli.city.credentials import Account, Credentials
from deploy.cli.city.spool import Spool
from deploy.cli.city.tokens import PhoneHolder, StaffMember
from deploy.local import Trouble
from tests.replay.places import Places


@dataclass(frozen=True)
class Town:
    """What is read once before the first message: places, forms, who serves where."""

    places: Places
    items: Mapping[str, dict[str, Any]]
    centres: Mapping[str, str]

    @classmethod
    async def look(cls, gateway: Gateway) -> "Town":
        """From the running city itself; Trouble where it does not answer, or nothing has been seeded."""
        try:
            communities = [area["code"] async for area in gateway.all("/v1/areas", level="community")]
            items = {item["code"]: item async for item in gateway.all("/v1/catalogue")}
            centres = {one["area"]: one["id"] async for one in gateway.all("/v1/organisations", kind="centre")}
        except (Refused, Unanswered) as error:
            raise Trouble(f"The state of the city cannot be read: {error}. See `linli status`.") from error
        if not (communities and items and centres):
            raise Trouble("This city has no communities, service items or centres: run `linli seed`.")
        return cls(Places(communities), items, centres)


@dataclass
class Callers:
    """The people of a replay."""

    gateway: Gateway
    credentials: Credentials
    spool: Spool
    _serving: dict[str, Account] = field(init=False)
    _staff: dict[str, StaffMember] = field(default_factory=dict)
    _residents: dict[str, PhoneHolder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._serving = self.credentials.serving()

    @property
    def operator(self) -> StaffMember:
        """The hotline's operator."""
        return self._member(self.credentials.with_role("operator"))

    def handler(self, organisation: str) -> StaffMember:
        """Who works for an organisation or team; Trouble where nobody of the demo accounts does."""
        if organisation not in self._serving:
            raise Trouble("Some organisation has no demo account: run `linli seed` again.", code=1)
        return self._member(self._serving[organisation])

    def dispatcher(self, area: str) -> StaffMember:
        """Who dispatches in the sub-district of a community."""
        return self._member(self.credentials.with_role("dispatcher", area))

    def supervisor(self, area: str) -> StaffMember:
        """Who supervises in the county of a community."""
        return self._member(self.credentials.with_role("supervisor", area))

    def resident(self, phone: str) -> PhoneHolder:
        """Whoever holds this phone."""
        return self._residents.setdefault(phone, PhoneHolder(self.gateway, self.spool, phone))

    def _member(self, account: Account) -> StaffMember:
        return self._staff.setdefault(account.login, StaffMember(self.gateway, account))

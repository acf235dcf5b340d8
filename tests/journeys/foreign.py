"""Of each collection one object that belongs to a resident, or to a place, of the first county."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.operations import ITEM
from tests.journeys.town import COMMUNITY, STREET, Person, Town


@dataclass(frozen=True)
class Aim:
    """An object: how a path names it, and what its owner sees of it, which tells whether it was changed."""

    names: dict[str, str]
    look: Callable[[], Any]
    params: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> dict[str, str]:
        """Names such as it might have, of nothing that is there."""
        return {name: f"{value[:-4]}zzzz" for name, value in self.names.items()}


def aims(town: Town) -> dict[str, Aim]:
    """By collection, what somebody of another county has no business with."""
    owner, administrator = town.resident(), town.staff("administrator")
    town.done("PUT", "/v1/me", owner, {"name": "王秀英", "area": COMMUNITY})
    case = town.file(owner)
    [message] = town.wait(lambda: town.notices(owner, case["id"], "case-filed"), "the acknowledgement")
    dispatcher = town.staff(f"street-{STREET}")
    account = dispatcher.claims["sub"]
    roster = town.done("POST", "/v1/rosters", dispatcher, {"area": STREET, "system": "culture"})["id"]

    def tag(path: str, who: Person | None = None) -> Callable[[], str]:
        return lambda: town.insist("GET", path, who).headers["ETag"]

    def first(collection: str) -> str:
        return str(town.done("GET", f"/v1/{collection}", params={"under": COMMUNITY})["items"][0]["id"])

    organisation, team, person = first("organisations"), first("teams"), owner.claims["person"]
    seen, session = tag(f"/v1/requests/{case['id']}", owner), owner.claims["sid"]

    def one_of(items: list[dict[str, Any]], id: str) -> list[dict[str, Any]]:
        return [one for one in items if one["id"] == id]

    return {
        "areas": Aim({"code": COMMUNITY}, tag(f"/v1/areas/{COMMUNITY}")),
        "organisations": Aim({"organisation_id": organisation}, tag(f"/v1/organisations/{organisation}")),
        "teams": Aim({"team_id": team, "person_id": person}, tag(f"/v1/teams/{team}")),
        "rosters": Aim({"roster_id": roster, "shift_id": "shift_0000"}, tag(f"/v1/rosters/{roster}", dispatcher)),
        "catalogue": Aim({"code": ITEM}, tag(f"/v1/catalogue/{ITEM}")),
        "people": Aim({"person_id": person}, tag("/v1/me", owner)),
        "accounts": Aim({"account_id": account}, tag(f"/v1/accounts/{account}", administrator)),
        "requests": Aim({"case_id": case["id"]}, seen),
        "track": Aim({"number": case["number"]}, seen, {"code": "000000"}),
        "inbox": Aim({"id": message["id"]}, lambda: one_of(town.inbox(owner), message["id"])),
        "sessions": Aim({"session_id": session}, lambda: one_of(town.all("/v1/sessions", owner), session)),
    }

"""A fault of rosters: who is on call is entered, and a danger is reported, while what carries that is not there."""

from datetime import timedelta

from deploy.cli.city.client import Gateway
from services.chassis.domain.values import now
from services.chassis.storage.mongo import connect
from tests.bench.badges import Badges
from tests.bench.town import CITY, COMMUNITY
from tests.faults.trial import Fault, Trial

_NEIGHBOURS = 8
_SOON = 60.0
_LATE = ("members-worker", "requests-worker")
"""Without the first a roster is known only after the call; without the second both come at once, in either order."""


async def late_roster(trial: Trial) -> str:
    """A night is entered and neighbours report one danger; what they did is heard of late, and called about once."""
    badges, part = Badges(trial.stack), trial.chance.choice(_LATE)
    administrator, named = badges.staff("administrator", CITY), f"{trial.chance.getrandbits(40):x}"
    async with Gateway(trial.stack.gateway) as gateway:

        async def done(path: str, body: object, key: str, token: str = administrator) -> dict[str, str]:
            found: dict[str, str] = (await gateway.ask("POST", path, token=token, key=key, body=body)).expect(path)
            return found

        account = {"login": f"night-{named}", "roles": ["dispatcher"], "places": [COMMUNITY]}
        await done("/v1/accounts", account, f"open:{named}")
        roster = await done("/v1/rosters", {"area": COMMUNITY, "system": "governance"}, f"roster:{named}")
        start = now()
        shift = {"login": account["login"], "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
        async with trial.without(part):
            await done(f"/v1/rosters/{roster['id']}/shifts", {"shifts": [shift]}, f"shift:{named}")
            cases = [
                (await done("/v1/requests", _DANGER, f"danger:{named}:{number}", token))["id"]
                for number, token in enumerate(trial.load.people.residents[:_NEIGHBOURS])
            ]
    return await _called_once(trial, cases) + f"; without {part}"


_DANGER = {
    "item": "GOV-GAS-LEAK",
    "area": COMMUNITY,
    "title": "闻到煤气味",
    "text": "楼道里有很浓的煤气味。",
    "answers": {"place": "三号楼", "danger": "yes"},
}


async def _called_once(trial: Trial, cases: list[str]) -> str:
    """Wait until one of these was called about and the others wait for it; RuntimeError where a call is told twice."""
    requests, notify = connect(trial.stack.signed_in["requests"]), connect(trial.stack.signed_in["notify"])
    try:
        ours = {"_id": {"$in": cases}}

        async def settled() -> bool:
            found = await requests.find("cases", ours, limit=len(cases))
            called = [one for one in found if one["state"]["calls"]]
            linked = {one["state"]["linked_to"] for one in found if not one["state"]["calls"]}
            return len(called) == 1 and linked == {called[0]["_id"]}

        await trial.until(settled, _SOON, "one call about one danger, and all other cases linked to it")
        (first,) = await requests.find("cases", ours | {"state.calls": {"$gt": 0}}, limit=2)
        people = sorted(first["state"]["called"])

        async def heard() -> bool:
            about = {"state.about": first["_id"], "state.template": "case-called"}
            notified = sorted(one["state"]["person_id"] for one in await notify.find("messages", about, limit=50))
            if len(notified) > len(set(notified)):
                raise RuntimeError(f"{first['_id']}: called {people}, and notified {notified}")
            return notified == people

        await trial.until(heard, _SOON, "everybody who was called to hear it")
    finally:
        await requests.close()
        await notify.close()
    return f"{len(cases)} cases, {len(people)} called"


FAULTS = (Fault("late-roster", "a roster and a danger that are heard of late", late_roster),)

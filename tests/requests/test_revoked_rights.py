"""What requests makes of rights that members has taken away."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.messaging import effects
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.reactions import Reaction
from services.chassis.storage import revocations
from services.contracts.members.accounts import AccountClosed, RolesGranted
from services.requests.app import service
from tests.requests.town import ADMINISTRATOR, ELSEWHERE, RESIDENT, SUPERVISOR, Town

_NUMBERS = itertools.count()
UNTIL = now() + timedelta(hours=1)
ELSEWHERE_NOW = RolesGranted(
    person_id="person_x",
    roles=["supervisor"],
    places=[ELSEWHERE],
    organisations=[],
    tokens_below=1,
    tokens_until=UNTIL,
)
CLOSED = AccountClosed(person_id="person_x", tokens_until=UNTIL)


async def hear(town: Town, account: str, event: Event) -> None:
    """Let requests hear it from members."""
    [reaction] = [one for one in service.all_reactions if isinstance(one, Reaction) and one.name == "revoke-tokens"]
    record = Incoming("members", 0, 0, account, b"{}", {})
    data = event.model_dump(mode="json")
    delivered = Delivered(f"{account}:9", event.type_name(), 1, account, 9, now(), "account_admin", None, data, record)
    handled = await reaction.batch(town.container, [delivered])
    await effects.write(town.container, reaction, [(delivered, await handled(delivered))])


def fresh(who: Actor) -> Actor:
    """Somebody of this role whose rights no other test needs: what is revoked stays so."""
    return replace(who, id=f"{who.id}_{next(_NUMBERS)}")


async def lists(town: Town, who: Actor) -> int:
    return (await town.get(who, "/v1/requests")).status_code


async def test_a_demoted_supervisor_lists_the_old_county_no_more_and_the_next_token_has_the_new_rights(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "_STALE_SECONDS", 0.0)  # a process reads once a second; here, each time
    supervisor = fresh(SUPERVISOR)
    await town.file()
    assert await lists(town, supervisor) == 200
    await hear(town, supervisor.id, ELSEWHERE_NOW)
    assert await lists(town, supervisor) == 401
    refreshed = replace(supervisor, places=(ELSEWHERE,), grants=1)
    answer = await town.get(refreshed, "/v1/requests")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("event", [CLOSED, ELSEWHERE_NOW])
async def test_words_are_forgotten_only_while_the_database_says_that_the_token_holds(town: Town, event: Event) -> None:
    administrator, case = fresh(ADMINISTRATOR), await town.file()
    await town.step(RESIDENT, case, "cancel")
    assert await lists(town, administrator) == 403, "the process has read what is revoked"
    await hear(town, administrator.id, event)
    answer = await town.post(administrator, f"/v1/requests/{case['id']}/forget", {"because": "mistake"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
    assert (await town.case(case["id"])).forgotten is None

"""NotifyReaction that begins late: cases from before it are told of in the inbox, and nothing old goes out."""

import asyncio
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from deploy.cli.asking import operating
from services.chassis.domain.values import now
from services.chassis.messaging import switching
from services.chassis.operations.protocol import BackfillRequest
from services.contracts.notify.messages import Via
from services.notify.app import service
from services.notify.cases.model import Case
from services.notify.channels.model import Senders
from services.notify.inboxes.model import COLLECTION
from services.notify.messages.model import MAX_AGE
from services.notify.messages.timers import timers
from services.notify.preferences.commands import SetPreferences, set_preferences
from services.notify.rules.reactions import NotifyReaction
from tests.notify.conftest import RESIDENT, Town, dispatched, eventually, founded, limits, signed_in
from tests.notify.post import ADDRESS, Recorder, sweeps, with_parts
from tests.support.operating import environment
from tests.support.world import World

BEFORE = [reaction for reaction in service.all_reactions if reaction.name != NotifyReaction.name]
"""What a version without telling listened with."""
HOUR = timedelta(hours=1)
ROOT = Path(__file__).resolve().parents[2]


async def unheard(town: Town, case: str, age: timedelta) -> None:
    """A case that was filed and assigned this long ago, while the reaction was off."""
    at = now() - age
    await town.keyed(case)
    events = (town.filing(case, case), limits(at), dispatched())
    await town.publish([town.record(case, event, at=at) for event in events])

    async def known() -> Any:
        return await town.container.mongo.find_one(Case.collection(), {"_id": case, "version": len(events)})

    await eventually(known)


async def backfill(town: Town, *, write: bool = False) -> dict[str, Any]:
    """What a process of the service answers, of the reaction that tells."""
    request = BackfillRequest(reaction=NotifyReaction.name, write=write).model_dump_json().encode()
    given, words = environment(town.world.settings()), operating("notify")
    done = await asyncio.to_thread(
        subprocess.run, words, input=request, env=given, cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    result: dict[str, Any] = orjson.loads(done.stdout)
    return result


async def test_older_cases_get_notices_in_inboxes_and_no_old_notice_is_sent_outside(world: World) -> None:
    sent = Recorder()
    async with founded(world, with_parts(senders=Senders({Via.SMS: sent, Via.EMAIL: sent}))) as town:
        async with town.listening(BEFORE):
            await town.peopled()
            choice = SetPreferences(channels=[Via.SMS, Via.EMAIL], email=ADDRESS)
            await set_preferences(town.container.context(signed_in(RESIDENT), "test:wishes"), choice)
            await unheard(town, "case_old", MAX_AGE * 30)
            await unheard(town, "case_yesterday", MAX_AGE + HOUR)
            await unheard(town, "case_today", HOUR)
        some, group = {(world.settings().topic("requests"), 0): 1}, world.settings().group("notify")
        await switching.register(town.container.mongo, group, service.all_reactions, some)
        async with town.listening():
            await unheard(town, "case_meanwhile", timedelta(0))
            assert (await backfill(town))["dry_run"]
            assert await town.messages(RESIDENT) == []
            assert (await backfill(town, write=True))["read"] >= 12
            await town.filed("case_after")
        result = {message.about: message for message in await town.messages(RESIDENT)}
        assert await town.templates(RESIDENT) == ["case-filed"] * 5
        assert {about for about, message in result.items() if not message.deliveries} == {"case_old", "case_yesterday"}
        inbox = await town.container.mongo.find_one(COLLECTION, {"_id": RESIDENT})
        assert inbox is not None
        assert (inbox["unread"], {line["message"] for line in inbox["lines"]}) == (5, {m.id for m in result.values()})
        for timer in timers:
            await sweeps(town.container, timer, 3)
        young = [result[about] for about in ("case_today", "case_meanwhile", "case_after")]
        assert {notice.key for notice in sent.got} == {m.key(via) for m in young for via in (Via.SMS, Via.EMAIL)}
        assert all(now() - notice.at < MAX_AGE for notice in sent.got)

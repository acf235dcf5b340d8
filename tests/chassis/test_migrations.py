"""The building of indexes is waited for, beyond what a call may take."""

import asyncio
from typing import Any

from pymongo import MongoClient

from services.chassis.storage import migrations
from services.chassis.storage.mongo import connect
from tests.support import toy
from tests.support.toy import Jar
from tests.support.world import World

PATIENCE_MS = 1_000
"""How long a call to the database may take here."""


async def test_a_build_that_takes_longer_than_a_call_may_is_waited_for(world: World) -> None:
    uri = world.settings().mongo["members"]
    mongo = connect(uri.replace("socketTimeoutMS=10000", f"socketTimeoutMS={PATIENCE_MS}"))
    with MongoClient[dict[str, Any]](uri) as other, other.start_session() as session:
        jars = other.get_default_database()[Jar.collection()]
        jars.insert_one({"_id": "jar_first"})
        session.start_transaction()
        jars.insert_one({"_id": "jar_second"}, session=session)  # no index is built before it has ended
        building = asyncio.create_task(migrations.build(mongo, toy.shop.kinds))
        done, _ = await asyncio.wait([building], timeout=3 * PATIENCE_MS / 1000)
        assert not done
        session.commit_transaction()
        await building
    assert await migrations.missing(mongo, toy.shop.kinds) == []
    await mongo.close()

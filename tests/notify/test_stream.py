"""The live stream over a real server: in the moment, and after a cut without loss or repeat."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import Ports
from deploy.local.stack import Stack
from services.chassis.domain.events import Origin
from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import now
from services.chassis.runtime import service as services
from services.chassis.runtime.service import Loop
from services.chassis.usecase import Container
from services.notify.app import service
from services.notify.inboxes.adapters import watch
from services.notify.inboxes.commands import Append
from services.notify.inboxes.model import COLLECTION, KEPT, InboxSubscribers
from tests.conftest import CITY_DATA
from tests.notify.conftest import RESIDENT, Town, dispatched, eventually, limits, signed_in
from tests.notify.test_inbox import BAO, WANG, container, effects_of, say
from tests.support import operators
from tests.support.world import NAMES, World, keyed

__all__ = ["container"]


@dataclass
class Web:
    """Notify's web process, in this one."""

    world: World
    address: str
    subscribers: InboxSubscribers

    @asynccontextmanager
    async def listen(self, person: str, last: int | None = None, **of: Any) -> AsyncIterator["Stream"]:
        """An open stream."""
        headers = {"Authorization": f"Bearer {self.world.token(signed_in(person), **of)}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        async with (
            httpx.AsyncClient(base_url=self.address, timeout=20) as client,
            client.stream("GET", "/v1/inbox/stream", headers=headers) as response,
        ):
            assert response.status_code == 200
            yield Stream(response.aiter_lines())


@dataclass
class Stream:
    """What comes over a stream."""

    lines: AsyncIterator[str]

    async def next(self) -> tuple[str, int | None, Any]:
        """The next event: (its name, its id, its data)."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(15):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if line == "" and "event" in fields:
                    number = int(fields["id"]) if "id" in fields else None
                    return fields["event"], number, json.loads(fields["data"])
                if name:
                    fields[name] = value
        raise EOFError

    async def message(self) -> tuple[int | None, str]:
        """The next message: (its number, its title); counts are passed over."""
        while True:
            name, number, data = await self.next()
            if name == "message":
                return number, data["title"]


@asynccontextmanager
async def serving(world: World, loops: tuple[Loop, ...] = service.web_loops) -> AsyncIterator[Web]:
    """A web process on a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    subscribers = InboxSubscribers()
    known = replace(
        service,
        dependencies=lambda settings: {**service.dependencies(settings), InboxSubscribers: subscribers},
        web_loops=loops,
    )
    server = services.server(world.app(known), world.settings(port=port))
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield Web(world, f"http://127.0.0.1:{port}", subscribers)
    server.should_exit = True
    async with asyncio.timeout(10):  # an open stream must not hold the stop up to its limit
        await running


@pytest.fixture
async def web(container: Container, world: World) -> AsyncIterator[Web]:
    """Notify's web process."""
    async with serving(world) as found:
        yield found


async def test_an_open_stream_ends_when_the_process_stops(container: Container, world: World) -> None:
    async with AsyncExitStack() as stays:
        async with serving(world) as web:
            stream = await stays.enter_async_context(web.listen(WANG))
            assert await stream.next() == ("unread", 0, {"unread": 0})
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_message_comes_in_the_moment(container: Container, web: Web) -> None:
    async with web.listen(WANG) as stream:
        assert await stream.next() == ("unread", 0, {"unread": 0})
        begun = asyncio.get_running_loop().time()
        await say(container, WANG, "case:1")
        assert await stream.next() == ("unread", None, {"unread": 1})
        name, number, data = await stream.next()
    assert (name, number, data["title"], data["body"], data["read"]) == (
        "message",
        1,
        "题目 case:1",
        "正文 case:1",
        False,
    )
    assert asyncio.get_running_loop().time() - begun < 3


async def test_after_a_cut_the_stream_continues_behind_the_last_id(container: Container, web: Web) -> None:
    async with web.listen(WANG) as stream:
        await stream.next()
        await say(container, WANG, "case:1")
        number, _ = await stream.message()
    for name in ("case:2", "case:3"):
        await say(container, WANG, name)
    async with web.listen(WANG, number) as stream:
        assert [await stream.message() for _ in range(2)] == [(2, "题目 case:2"), (3, "题目 case:3")]
        await say(container, WANG, "case:4")
        assert await stream.message() == (4, "题目 case:4")


async def test_a_cut_before_the_first_message_loses_nothing_either(container: Container, web: Web) -> None:
    async with web.listen(WANG) as stream:
        _, number, _ = await stream.next()
    await say(container, WANG, "case:1")
    async with web.listen(WANG, number) as stream:
        assert await stream.message() == (1, "题目 case:1")


async def test_of_many_writers_at_once_nothing_is_lost_repeated_or_out_of_order(container: Container, web: Web) -> None:
    async with web.listen(WANG) as one, web.listen(WANG) as other:
        await asyncio.gather(one.next(), other.next())
        await asyncio.gather(*(say(container, WANG, f"case:{number}") for number in range(60)))
        for stream in (one, other):
            assert [(await stream.message())[0] for _ in range(60)] == list(range(1, 61))


@pytest.mark.parametrize("last", [1, 10_000])
async def test_an_id_too_old_or_from_another_life_is_answered_with_a_resync(
    container: Container, web: Web, last: int
) -> None:
    for number in range(KEPT + 5):
        await say(container, WANG, f"case:{number}")
    async with web.listen(WANG, last) as stream:
        assert await stream.next() == ("resync", KEPT + 5, {"unread": KEPT + 5})
        await say(container, WANG, "case:new")
        assert await stream.message() == (KEPT + 6, "题目 case:new")


async def test_each_hears_only_what_is_theirs(container: Container, web: Web) -> None:
    async with web.listen(BAO) as bao, web.listen(WANG) as wang:
        await asyncio.gather(bao.next(), wang.next())
        await say(container, WANG, "case:1")
        await say(container, BAO, "case:2")
        assert await bao.message() == (1, "题目 case:2")
        assert await wang.message() == (1, "题目 case:1")


async def test_a_line_that_names_the_message_of_somebody_else_shows_nothing(container: Container, web: Web) -> None:
    theirs = await say(container, BAO, "case:1")
    async with web.listen(WANG) as stream:
        await stream.next()
        forged = Append(WANG, theirs, now() - timedelta(hours=1))
        for collection, write in forged.writes(Origin(now(), "tell", "hulunbuir", "event:forged:tell", None, None)):
            await container.mongo.bulk(collection, [write])
        await say(container, WANG, "case:2")
        assert await stream.message() == (2, "题目 case:2")
    async with web.listen(WANG, 0) as stream:
        assert await stream.message() == (2, "题目 case:2")


async def test_reading_a_message_tells_the_other_windows(container: Container, web: Web) -> None:
    message = await say(container, WANG, "case:1")
    async with web.listen(WANG) as stream, httpx.AsyncClient(base_url=web.address) as client:
        assert await stream.next() == ("unread", 1, {"unread": 1})
        token = {"Authorization": f"Bearer {web.world.token(signed_in(WANG))}"}
        await client.post(f"/v1/inbox/{message}/read", headers=keyed(**token))
        assert await stream.next() == ("unread", None, {"unread": 0})


async def test_a_line_whose_message_is_not_there_yet_keeps_its_place(container: Container, web: Web) -> None:
    append, _ = effects_of(container, WANG, "case:1")
    origin: Any = None
    async with web.listen(WANG) as stream:
        await stream.next()
        ((_, line),) = append.writes(origin)
        await container.mongo.bulk(COLLECTION, [line])
        await say(container, WANG, "case:2")
        await asyncio.sleep(0.2)
        await say(container, WANG, "case:1")
        assert [await stream.message() for _ in range(2)] == [(1, "题目 case:1"), (2, "题目 case:2")]


async def test_the_stream_ends_with_the_token(container: Container, web: Web) -> None:
    async with web.listen(WANG, life=timedelta(seconds=2)) as stream:
        await stream.next()
        with pytest.raises(EOFError):
            await stream.next()


async def test_who_goes_away_leaves_nothing_behind(container: Container, web: Web) -> None:
    async with web.listen(WANG) as stream, web.listen(BAO) as other:
        await asyncio.gather(stream.next(), other.next())
        assert web.subscribers.count == 2

    async def gone() -> bool:
        return web.subscribers.count == 0

    await eventually(gone)


async def test_what_came_while_nobody_watched_is_sent_when_watching_begins(container: Container, world: World) -> None:
    async with serving(world, loops=()) as web, web.listen(WANG) as stream:
        await stream.next()
        await say(container, WANG, "case:1")
        watching = asyncio.create_task(
            watch(replace(container, dependencies={**container.dependencies, InboxSubscribers: web.subscribers}))
        )
        assert await stream.message() == (1, "题目 case:1")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_case_filed_elsewhere_is_in_the_open_page_in_a_moment(town: Town) -> None:
    await town.peopled()
    async with serving(town.world) as web, web.listen(RESIDENT) as stream:
        await stream.next()
        begun = asyncio.get_running_loop().time()
        await town.keyed("case_1")
        events = (town.filing("case_1", "N1"), limits(now()), dispatched())
        await town.publish([town.record("case_1", event) for event in events])
        assert await stream.message() == (1, "诉求已受理，编号 N1")
        assert asyncio.get_running_loop().time() - begun < 3


@pytest.fixture
def own_database(tmp_path: Path) -> Iterator[Stack]:
    """A database that this test may kill."""
    stack = Stack(tmp_path / "stack", Ports.free(), frozenset({"mongo-notify"}), lifetime="tied")
    stack.up()
    yield stack
    stack.down()


async def test_a_killed_database_that_comes_back_loses_nothing(own_database: Stack, tmp_path: Path) -> None:
    uris: dict[str, str] = dict.fromkeys(NAMES, operators.uri(own_database, "notify"))
    world = World("127.0.0.1:1", uris, tmp_path, CITY_DATA)
    container = await world.container(service)
    await container.vault.mint(WANG, now())
    async with serving(world) as web, web.listen(WANG) as stream:
        await stream.next()
        await say(container, WANG, "case:1")
        assert await stream.message() == (1, "题目 case:1")
        await asyncio.to_thread(own_database.kill, "mongo-notify")
        await eventually(lambda: said(container, "case:2"), 40)
        assert await stream.message() == (2, "题目 case:2")
    await container.mongo.close()


async def said(container: Container, name: str) -> bool:
    try:
        await say(container, WANG, name)
    except Unavailable:
        return False
    return True

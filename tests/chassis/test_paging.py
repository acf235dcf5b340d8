"""Lists: walking the pages gives exactly the list, whatever is in it."""

import asyncio
import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import CursorInvalid
from services.chassis.domain.scope import system_actor
from services.chassis.storage.mongo import New
from services.chassis.storage.store import Store
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.toy import Jar

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TOTALS = st.lists(st.integers(0, 3), max_size=14)
TIMES = st.lists(st.none() | st.integers(0, 3).map(lambda n: EPOCH + timedelta(milliseconds=n)), max_size=14)


def store_of(shop: Container) -> Store:
    return shop.context(system_actor("test"), "read").store


async def fill(shop: Container, field: str, values: list[Any]) -> str:
    """Jars with these values in one field; the label that is theirs alone."""
    label = secrets.token_hex(4)
    state = {"label": label, "keeper": "keeper"}
    jars = [{"_id": f"jar_{secrets.token_hex(4)}", "version": 1, "state": {**state, field: v}} for v in values]
    await shop.mongo.bulk("jars", [New(jar) for jar in jars])
    return label


async def walked(shop: Container, label: str, order: Order, limit: int) -> list[Jar]:
    found: list[Jar] = []
    after = None
    while True:
        page = await store_of(shop).page(Jar, {"state.label": label}, order=order, limit=limit, after=after)
        found += page.items
        if page.next is None:
            return found
        assert len(page.items) == limit
        after = page.next


@pytest.mark.parametrize(("field", "values"), [("total", TOTALS), ("ripe_at", TIMES)])
async def test_walking_the_pages_gives_exactly_the_list(shop: Container, field: str, values: Any) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values, st.integers(1, 6), st.booleans())
    def check(drawn: list[Any], limit: int, descending: bool) -> None:  # noqa: FBT001
        order = Order(f"state.{field}", descending)

        async def compare() -> None:
            label = await fill(shop, field, drawn)
            pages = [jar.id for jar in await walked(shop, label, order, limit)]
            whole = await store_of(shop).find(Jar, {"state.label": label}, order=order, limit=1000)
            assert pages == [jar.id for jar in whole]
            assert len(pages) == len(drawn)

        asyncio.run_coroutine_threadsafe(compare(), loop).result(30)

    await asyncio.to_thread(check)


async def test_a_list_by_id_is_walked_too(shop: Container) -> None:
    label = await fill(shop, "total", [0] * 7)
    for descending in (False, True):
        found = [jar.id for jar in await walked(shop, label, Order("_id", descending), 2)]
        assert found == sorted(found, reverse=descending)
        assert len(found) == 7


async def test_a_field_that_older_documents_lack_does_not_end_the_walk(shop: Container) -> None:
    label = await fill(shop, "total", [2, 1])
    older = {"label": label, "keeper": "keeper"}
    await shop.mongo.bulk("jars", [New({"_id": f"jar_old{n}", "version": 1, "state": older}) for n in range(3)])
    for descending in (False, True):
        assert len(await walked(shop, label, Order("state.total", descending), 1)) == 5


async def test_entries_written_during_a_walk_do_not_shift_it(shop: Container) -> None:
    label = await fill(shop, "total", [1, 3, 5, 7])
    where, order = {"state.label": label}, Order("state.total")
    first = await store_of(shop).page(Jar, where, order=order, limit=2, after=None)
    for number, total in enumerate((0, 2, 6)):
        state = {"label": label, "keeper": "keeper", "total": total}
        await shop.mongo.insert("jars", {"_id": f"jar_late{number}", "version": 1, "state": state})
    rest = await store_of(shop).page(Jar, where, order=order, limit=9, after=first.next)
    assert [jar.total for jar in [*first.items, *rest.items]] == [1, 3, 5, 6, 7]


async def test_a_cursor_of_another_list_is_refused(shop: Container) -> None:
    label = await fill(shop, "total", [1, 2, 3])
    where, order = {"state.label": label}, Order("state.total")
    page = await store_of(shop).page(Jar, where, order=order, limit=1, after=None)
    assert page.next is not None
    lists = [
        (store_of(shop), {"state.label": "other"}, order),
        (store_of(shop), where, Order("state.total", descending=True)),
        (store_of(shop), where, Order("state.misses")),
        (shop.context(toy.KEEPER, "read").store, where, order),
    ]
    for store, condition, sort in lists:
        with pytest.raises(CursorInvalid):
            await store.page(Jar, condition, order=sort, limit=1, after=page.next)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    with pytest.raises(CursorInvalid):
        Order("state.total").beyond({}, text)


def test_a_cursor_out_of_time_is_refused() -> None:
    order, early = Order("state.ripe_at"), datetime(1, 1, 1, tzinfo=UTC)
    cursor = order.cursor({}, {"_id": "a", "state": {"ripe_at": early}})
    forged = _with(cursor, b"0001-01-01T00:00:00+00:00", b"0001-01-01T00:00:00+23:59")
    with pytest.raises(CursorInvalid):
        order.beyond({}, forged)


def _with(cursor: str, old: bytes, new: bytes) -> str:
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert old in raw
    return base64.urlsafe_b64encode(raw.replace(old, new)).decode().rstrip("=")

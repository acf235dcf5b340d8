"""A fourth service needs no change in the chassis: it is put together here, and runs with a web app and a worker."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar, assert_never
from urllib.parse import urlsplit, urlunsplit

import pytest
from pydantic import Field

from deploy.local import Ports
from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Text
from services.chassis.guards import visible
from services.chassis.http.routes import Routes
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import TopicReader
from services.chassis.messaging.reactions import reaction
from services.chassis.runtime import service as services
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import OwnSettings, Settings, SettingsMissing, load
from services.chassis.runtime.worker import Worker
from services.chassis.usecase import Command, Context, usecase
from tests.support.operating import environment
from tests.support.road import until
from tests.support.world import World, keyed

LIBRARIAN = Actor("ann", frozenset({"librarian"}), ())


class ShelfSettings(OwnSettings):
    shelf: str = Field(description="where new books are put")


@dataclass(frozen=True)
class Shelf:
    name: str


class BookBought(Event):
    title: str


class BookShelved(Event):
    shelf: str


class Book(Entity[BookBought | BookShelved]):
    entity_type: ClassVar[str] = "book"
    title: str
    shelf: str | None = None

    def apply(self, event: BookBought | BookShelved) -> None:
        match event:
            case BookBought():
                self.title = event.title
            case BookShelved():
                self.shelf = event.shelf
            case _:
                assert_never(event)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        return ALL


class BuyBook(Command):
    title: Text


class TitleUnfit(Refusal):
    kind = Kind.INVALID


@usecase(allow="librarian", within=visible)
async def buy_book(ctx: Context, cmd: BuyBook) -> Book:
    """Buy a book."""
    if cmd.title.isdigit():
        raise TitleUnfit(title=cmd.title)
    async with ctx.store.create(Book) as book:
        book.record(BookBought(title=cmd.title))
    return book


@usecase(allow="librarian")
async def get_book(ctx: Context, book_id: str) -> Book:
    """Look at a book."""
    return await ctx.store.get(Book, book_id)


@usecase(allow=SYSTEM)
async def shelve_book(ctx: Context, book_id: str) -> Book:
    """Put a book on the shelf."""
    async with ctx.store.change(Book, book_id) as book:
        book.record(BookShelved(shelf=ctx.dependency(Shelf).name))
    return book


@reaction("shelve-new-books", BookBought)
async def shelve_new_books(ctx: Context, delivered: Delivered, event: BookBought) -> None:
    """Put each new book on the shelf."""
    await shelve_book(ctx, delivered.entity)


routes = Routes("/v1/books", "books")
routes.post("", buy_book, view=Book, location="/v1/books/{id}")
routes.get("/{book_id}", get_book, view=Book)

library = Service(
    name="library",
    entities=(Book,),
    routes=(routes,),
    reactions=(shelve_new_books,),
    listens_to=("library",),
    texts=("tests.chassis.library",),
    settings=(ShelfSettings,),
    dependencies=lambda settings: {Shelf: Shelf(settings.of(ShelfSettings).shelf)},
)


def settings_of_the_library(world: World, **more: Any) -> Settings:
    """Settings of this world with a database for the library, and what only the library knows."""
    uri = urlunsplit(urlsplit(world.uris["members"])._replace(path=f"/{world.name}_library"))
    return world.settings(mongo={"library": uri}, **more)


async def test_a_command_of_a_fourth_service_is_an_event_on_its_topic_and_the_event_has_its_effect(
    world: World,
) -> None:
    settings = settings_of_the_library(world, shelf="north", port=Ports.free().members_web)
    assert await services.migrate(library, settings) == []
    worker = Worker(library, settings)
    running = asyncio.create_task(worker.run())
    try:
        async with world.client(services.web_app(library, settings), LIBRARIAN) as client:
            bought = await client.post("/v1/books", json={"title": "路灯"}, headers=keyed())
            assert bought.status_code == 201, bought.text
            where = bought.headers["location"]

            async def shelved() -> bool:
                return bool((await client.get(where)).json()["shelf"] == "north")

            await until(shelved, 60)
    finally:
        worker.stop()
        await running
    async with TopicReader(world.kafka).open() as past:
        assert sum((await past.ends(f"{world.name}.library.v1")).values()) == 2


async def test_what_it_refuses_is_said_in_texts_of_its_own(world: World) -> None:
    settings = settings_of_the_library(world, shelf="north", port=Ports.free().members_web)
    async with world.client(services.web_app(library, settings), LIBRARIAN) as client:
        for language, sentence in (("zh", "“1984”不是书名。"), ("en", "“1984” is not the title of a book.")):
            headers = keyed() | {"Accept-Language": language}
            refused = await client.post("/v1/books", json={"title": "1984"}, headers=headers)
            assert (refused.status_code, refused.json()["detail"]) == (422, sentence)


def test_its_settings_are_missing_with_all_others_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(settings_of_the_library(world)).items():
        monkeypatch.setenv(name, value)
    for name in ("LINLI_MONGO_LIBRARY", "LINLI_KAFKA"):
        monkeypatch.delenv(name)
    with pytest.raises(SettingsMissing) as missing:
        load(library.name, library.settings)
    for name in ("KAFKA", "SHELF", "MONGO_LIBRARY"):
        assert f"LINLI_{name}: Field required" in str(missing.value)

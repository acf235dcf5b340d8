"""How an inbox is read: a page at a time, or live."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import PageQuery
from services.chassis.domain.refusals import Busy, Kind, Refusal
from services.chassis.http.sse import LastEventId, ServerEvent, Stream
from services.chassis.storage.batch_loader import by_ids
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.notify.audience.model import SIGNED_IN
from services.notify.inboxes.model import COLLECTION, LOST, Entry, Inbox, InboxSubscribers, TooManyStreams
from services.notify.messages.model import Message

_LOOK_ANYHOW = 30.0
_SOON = 0.05
_AWAY = 1.0


class MessageView(BaseModel):
    """A message as its recipient sees it; title and body are null once their data has been erased."""

    id: str
    title: str | None
    body: str | None = Field(description="its short form while it is covered")
    covered: bool = Field(
        description="it is sensitive, or says what to do in danger: all of it is shown once it is read"
    )
    template: str = Field(description="what sort of message it is", examples=["case-filed"])
    language: str = Field(examples=["zh"])
    about: str | None = Field(description="the id of what it is about: a case, a team")
    happened_at: datetime
    urgent: bool
    read: bool

    @classmethod
    def of(cls, message: Message, ctx: Context) -> Self:
        """For the recipient."""
        return cls(
            id=message.id,
            title=ctx.vault.open(message.title, message.person_id, "message-title"),
            body=_body(message, ctx),
            covered=message.is_covered,
            template=message.template,
            language=message.language,
            about=message.about,
            happened_at=message.happened_at,
            urgent=message.urgent,
            read=message.read,
        )


def _body(message: Message, ctx: Context) -> str | None:
    if message.is_covered and message.text is not None:
        return ctx.vault.open_under(message.text, message.key_subjects(), "message-text")
    return ctx.vault.open_under(message.body, message.key_subjects(), "message-body")


INBOX = Listing(Message, PageQuery, leads=("inbox_of",), order="-happened_at")


class InboxView(BaseModel):
    """A page of an inbox."""

    items: list[MessageView]
    next: str | None = Field(None, description="give it as `after` for the next page; null at the end")
    unread: int = Field(description="how many messages are unread in all")


@usecase(allow=SIGNED_IN)
async def get_inbox(ctx: Context, query: PageQuery) -> InboxView:
    """Read your messages, newest first, and how many are unread."""
    person = ctx.person
    page = await INBOX.page(ctx.store, query)
    await _have_keys(ctx, page.items)
    items = [MessageView.of(message, ctx) for message in page.items]
    return InboxView(items=items, next=page.next, unread=(await _inbox(ctx, person)).unread)


@usecase(allow=SIGNED_IN)
async def stream_inbox(ctx: Context, last_event_id: LastEventId = None) -> Stream:
    """Follow your inbox live, as server-sent events.

    `message` brings a message, its id is the number in your inbox; `unread` says how many are unread. After a cut,
    connect with the last id in `Last-Event-ID`: nothing is lost or sent twice. `resync` says that the id is too old:
    read the inbox again. The stream ends when your token does.
    """
    ctx.dependency(InboxSubscribers).expect_room(ctx.person)
    return Stream(follow(ctx, last_event_id), ctx)


async def follow(ctx: Context, last: int | None) -> AsyncIterator[Sequence[ServerEvent]]:
    """The lines of the actor's inbox after number ``last``, and then as they come, until their token ends.

    Those that come at once are given at once.
    """
    person, position, subscribers = ctx.person, _Position(last), ctx.dependency(InboxSubscribers)
    try:
        subscribers.expect_room(person)
    except (TooManyStreams, Busy):  # others came since the answer began
        return
    with subscribers.subscribed(person) as signal:
        while not _over(ctx):
            signal.clear()  # before the read: a change during it sets it again
            try:
                inbox = await _inbox(ctx, person)
                if lines := await _news(ctx, position, inbox):
                    yield lines
                pause = _next_look(ctx, inbox.after(position.last))
            except Refusal as refusal:
                if refusal.kind is not Kind.UNAVAILABLE:
                    raise
                pause = _AWAY
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pause, _left(ctx))):  # without a task of its own for each listener
                    await signal.wait()


class _Position:
    """How far one stream has come in its inbox."""

    def __init__(self, last: int | None) -> None:
        self._begun = last is not None
        self._unread: int | None = None
        self.last = last or 0

    def must_begin(self, inbox: Inbox) -> bool:
        """Whether the listener has no number yet, or one that is too far behind."""
        return not self._begun or not inbox.reaches(self.last)

    def begin(self, inbox: Inbox, number: int) -> ServerEvent:
        """The line that gives a number to go on from, so that a cut before the first message loses nothing either."""
        name = "resync" if self._begun else "unread"
        self._begun, self.last = True, number
        if name == "unread":
            self._unread = inbox.unread
        return ServerEvent(name, {"unread": inbox.unread}, number)

    def count(self, inbox: Inbox) -> Sequence[ServerEvent]:
        """How many are unread, where that has changed."""
        if self._unread == inbox.unread:
            return ()
        self._unread = inbox.unread
        return (ServerEvent("unread", {"unread": inbox.unread}),)

    def messages(self, present: Sequence[tuple[Entry, MessageView | None]]) -> Sequence[ServerEvent]:
        """A line for each message that is there; the numbers of those that never came are passed over."""
        lines = []
        for entry, view in present:
            self.last = entry.sequence
            if view is not None:
                lines.append(ServerEvent("message", view.model_dump(mode="json"), entry.sequence))
        return lines


async def _news(ctx: Context, position: _Position, inbox: Inbox) -> Sequence[ServerEvent]:
    beginning = position.must_begin(inbox)
    number = await _complete(ctx, inbox) if beginning else position.last
    present = await _present(ctx, inbox.after(number))
    # Only now: the position must not move past lines that a failed read did not give.
    return [
        *([position.begin(inbox, number)] if beginning else ()),
        *position.count(inbox),
        *position.messages(present),
    ]


async def _inbox(ctx: Context, person: str) -> Inbox:
    return Inbox.of((await ctx.container.mongo.by_ids(COLLECTION, [person], {"read": 0})).get(person))


async def _complete(ctx: Context, inbox: Inbox) -> int:
    """The number up to which no message is still being written: what comes after is in no list that was read."""
    young = [entry for entry in inbox.lines if _may_come(ctx, entry)]
    ahead = young[len(await _present(ctx, young)) :]
    return ahead[0].sequence - 1 if ahead else inbox.sequence


async def _present(ctx: Context, entries: Sequence[Entry]) -> list[tuple[Entry, MessageView | None]]:
    """Messages by their lines, up to the first that is still being written."""
    if not entries:
        return []
    found = await by_ids(ctx.container.mongo, Message, [entry.message for entry in entries])
    mine = [message for message in found.values() if message.inbox_of == ctx.person]
    await _have_keys(ctx, mine)
    views = {message.id: MessageView.of(message, ctx) for message in mine}
    present = []
    for entry in entries:
        if entry.message not in views and _may_come(ctx, entry):
            break
        present.append((entry, views.get(entry.message)))
    return present


async def _have_keys(ctx: Context, messages: Iterable[Message]) -> None:
    await ctx.vault.ensure_keys({ctx.person, *chain.from_iterable(message.key_subjects() for message in messages)})


def _may_come(ctx: Context, entry: Entry) -> bool:
    return entry.at > ctx.container.clock() - LOST


def _next_look(ctx: Context, ahead: Sequence[Entry]) -> float:
    """Seconds until the next read without a signal: short for a message being written, longer the later it is."""
    if not ahead:
        return _LOOK_ANYHOW
    late = ctx.container.clock() - ahead[0].at
    return min(_LOOK_ANYHOW, max(_SOON, late.total_seconds() / 10))


def _left(ctx: Context) -> float:
    until = ctx.actor.until
    return _LOOK_ANYHOW if until is None else max(0.0, (until - ctx.container.clock()).total_seconds())


def _over(ctx: Context) -> bool:
    return _left(ctx) <= 0

"""Mail to a real server: repeated while it asks for that, given up visibly, its words and addresses kept quiet."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from structlog.testing import capture_logs

from services.chassis.schedule.timers import sweep
from services.contracts.notify.messages import Via
from services.notify.messages.model import DeliveryState
from services.notify.preferences.commands import SetPreferences, set_preferences
from tests.notify.conftest import signed_in
from tests.notify.post import ADDRESS, MAIL, WANG, Post, Recorder, opened, sweeps, with_parts
from tests.support.world import World


@dataclass
class MailServer:
    """A real mail server that answers as told."""

    answers: list[str] = field(default_factory=list)
    always: str = "250 OK"
    got: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the name aiosmtpd calls
        answer = self.answers.pop(0) if self.answers else self.always
        if answer.startswith("250"):
            self.got.append(envelope)
        return answer


@contextmanager
def listening(server: MailServer, **more: Any) -> Iterator[str]:
    """The server on a free port, as host:port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port, **more)
    controller.start()
    yield f"127.0.0.1:{port}"
    controller.stop()


@pytest.fixture
async def mailing(world: World) -> AsyncIterator[tuple[Post, MailServer]]:
    """A container that sends mail to a real server, and a person who wants mail."""
    server = MailServer()
    with listening(server) as address:
        mail = {"smtp": address, "smtp_tls": "none", "mail_from": "linli@hulunbuir.example"}
        container = await opened(world, with_parts(), **mail)
        choice = SetPreferences(channels=[Via.EMAIL], email=ADDRESS)
        await set_preferences(container.context(signed_in(WANG), "test"), choice)
        yield Post(container, Recorder()), server
        await container.mongo.close()


async def test_a_mail_server_that_refuses_twice_gets_it_the_third_time(mailing: tuple[Post, MailServer]) -> None:
    post, server = mailing
    server.answers = ["451 try later"] * 2
    id = await post.write(Via.EMAIL)
    await sweeps(post.container, MAIL, 4)
    (envelope,) = server.got
    assert envelope.rcpt_tos == [ADDRESS]
    assert f"<{id}.email@hulunbuir.example>" in envelope.content.decode()
    delivery = (await post.found(id)).deliveries["email"]
    assert (delivery.state, delivery.attempt) == (DeliveryState.MADE, 3)


async def test_a_mail_server_that_always_refuses_is_given_up_visibly(mailing: tuple[Post, MailServer]) -> None:
    post, server = mailing
    server.always = f"451 {ADDRESS} is greylisted"
    id = await post.write(Via.EMAIL)
    with capture_logs() as logged:
        await sweeps(post.container, MAIL, 10)
    delivery = (await post.found(id)).deliveries["email"]
    assert (delivery.state, delivery.attempt, delivery.reason) == (DeliveryState.GIVEN_UP, 8, "smtp 451")
    assert "given up" in repr(logged)
    assert ADDRESS not in repr(logged)


async def test_a_mail_that_is_refused_for_good_is_not_tried_again(mailing: tuple[Post, MailServer]) -> None:
    post, server = mailing
    server.always = "554 no"
    id = await post.write(Via.EMAIL)
    await sweeps(post.container, MAIL, 3)
    assert (await post.found(id)).deliveries["email"].attempt == 1


async def test_a_mail_server_that_is_away_is_a_failed_attempt(world: World) -> None:
    container = await opened(world, with_parts(), smtp="127.0.0.1:1")
    await set_preferences(
        container.context(signed_in(WANG), "test"), SetPreferences(channels=[Via.EMAIL], email=ADDRESS)
    )
    post = Post(container, Recorder())
    id = await post.write(Via.EMAIL)
    await sweep(MAIL, container)
    delivery = (await post.found(id)).deliveries["email"]
    assert (delivery.state, delivery.reason) == (DeliveryState.WAITING, "smtp SMTPConnectError")
    await container.mongo.close()


async def test_mail_of_a_covered_message_has_its_short_text_only(mailing: tuple[Post, MailServer]) -> None:
    post, server = mailing
    seal = post.container.vault.seal
    short = seal("Your request has news.", WANG, "message-text")
    await post.write(Via.EMAIL, covered=True, body=seal("Domestic violence", WANG, "message-body"), text=short)
    await sweeps(post.container, MAIL, 2)
    (envelope,) = server.got
    mail = message_from_bytes(envelope.content).get_payload(decode=True)
    assert b"Your request has news." in mail
    assert b"Domestic" not in mail

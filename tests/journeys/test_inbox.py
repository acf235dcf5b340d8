"""The live inbox: a message is seen in the moment, and a cut loses and repeats nothing."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.journeys.town import Person, Town


@dataclass
class Listener:
    """Somebody with an open stream, and what came: (event, id, data)."""

    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def messages(self) -> list[tuple[str, str]]:
        """(number in the inbox, what it is about) of each message."""
        return [(id, data["about"]) for event, id, data in self.events if event == "message"]

    def read(self, response: httpx.Response) -> None:
        """Take what comes until the stream is cut."""
        with suppress(httpx.HTTPError):
            self._take(response.iter_lines())
        self.over.set()

    def _take(self, lines: Iterator[str]) -> None:
        event = id = ""
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "id":
                id = value
            elif name == "data":
                self.events.append((event, id, json.loads(value)))
                self.opened.set()


@contextmanager
def listening(town: Town, who: Person, last: str = "") -> Iterator[Listener]:
    """An open stream, which is cut at the end."""
    headers = {**who.bearer, **({"Last-Event-ID": last} if last else {})}
    listener = Listener()
    with (
        httpx.Client(base_url=town.stack.gateway, timeout=30) as http,
        http.stream("GET", "/v1/inbox/stream", headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        thread = threading.Thread(target=listener.read, args=(response,), daemon=True)
        thread.start()
        assert listener.opened.wait(5)
        yield listener
        # The cut, as a network makes it: the connection is gone without a word.
        with suppress(OSError):  # the service may have ended it
            response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_message_is_seen_live_and_a_cut_stream_resumes_without_loss_or_repeat(town: Town) -> None:
    resident = town.resident()
    with listening(town, resident) as listener:
        first = town.file(resident)
        town.wait(listener.messages, "the first message")
    [(last, about)] = listener.messages()
    assert about == first["id"]
    missed = [town.file(resident)["id"] for _ in range(2)]
    town.wait(lambda: len(town.inbox(resident)) == 3, "the messages of the time in between")
    with listening(town, resident, last) as again:
        town.wait(lambda: len(again.messages()) >= 2, "what was missed")
        latest = town.file(resident)["id"]
        town.wait(lambda: len(again.messages()) >= 3, "what comes now")
    *before, newest = [about for _, about in again.messages()]
    assert (sorted(before), newest) == (sorted(missed), latest)  # two cases have no order between them
    assert len({id for id, _ in again.messages()} | {last}) == 4


def test_reading_a_message_lowers_the_count(town: Town) -> None:
    resident = town.resident()
    case = town.file(resident)
    [message] = town.wait(lambda: town.notices(resident, case["id"], "case-filed"), "the acknowledgement")
    assert town.done("GET", "/v1/inbox", resident)["unread"] == 1
    town.done("POST", f"/v1/inbox/{message['id']}/read", resident)
    assert town.done("GET", "/v1/inbox", resident)["unread"] == 0
    assert town.ask("POST", f"/v1/inbox/{message['id']}/read", town.resident()).status_code == 404

"""The tour: one case from sign-in to rating, each step with its time."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.cli.city.client import Gateway, Refused, Unanswered
from deploy.cli.city.credentials import Credentials
from deploy.cli.city.forms import answers
from deploy.cli.city.spool import CodeMissing, Spool
from deploy.cli.city.tokens import Bearer, PhoneHolder, StaffMember

TITLE = "三单元楼道灯不亮"
TEXT = "三单元二楼到四楼的楼道灯坏了一个星期，老人晚上回家看不见台阶，请派人来修。"
ANSWER = "您好，已更换三盏楼道灯并检查了线路，现已全部恢复照明。"
TOLD_SECONDS = 20.0
ADDRESS = "三单元"


class Astray(Exception):
    """The first case did not run as expected."""


@dataclass(frozen=True)
class Step:
    """Who did what, and how many seconds after the start."""

    seconds: float
    who: str
    what: str


class Tour:
    """Runs one case; ``tell`` receives each step."""

    def __init__(self, gateway: Gateway, known: Credentials, sms: Path, tell: Callable[[Step], None]) -> None:
        self._gateway = gateway
        self._known = known
        self._tell = tell
        # Each tour has a new case and a new resident, because a phone gets only one code a minute.
        self._run = secrets.token_hex(6)
        self._resident = PhoneHolder(gateway, Spool(sms), f"1380013{secrets.randbelow(10_000):04}")
        self._began = time.monotonic()

    async def play(self) -> list[dict[str, Any]]:
        """From sign-in to the closed case; returns its timeline. Astray if something unexpected happens."""
        try:
            return await self._play()
        except (Refused, Unanswered, CodeMissing) as error:
            raise Astray(str(error)) from error

    async def _play(self) -> list[dict[str, Any]]:
        await self._sign_in()
        case = await self._file(await self._item())
        await self._summary(case["id"])
        handler = self._handler(case)
        await self._do(handler, case, "accept", None, "accepts it")
        await self._do(handler, case, "start", None, "begins the work")
        await self._do(handler, case, "resolve", {"answer": ANSWER}, f"resolves it and answers: {ANSWER}")
        case = await self._do(self._resident, case, "rate", {"score": 5, "solved": True}, "rates it 5 of 5")
        self._say("state", case["state_name"]["en"])
        timeline: list[dict[str, Any]] = (await self._ask("GET", f"/v1/requests/{case['id']}/timeline"))["items"]
        return timeline

    async def _sign_in(self) -> None:
        await self._resident.token()
        self._say("resident", f"signs in as {self._resident.phone} with the code that came by text message")

    async def _item(self) -> dict[str, Any]:
        suggested = (await self._ask("POST", "/v1/catalogue/suggest", {"title": TITLE, "text": TEXT}))["items"]
        if not suggested:
            raise Astray("the catalogue has no service for it")
        found = suggested[0]
        self._say("suggested", f"{found['name']['zh']} / {found['name']['en']}, because of {', '.join(found['why'])}")
        item: dict[str, Any] = await self._ask("GET", f"/v1/catalogue/{found['code']}")
        return item

    async def _file(self, item: dict[str, Any]) -> dict[str, Any]:
        body = {
            "item": item["code"],
            "area": self._known.resident.area,
            "title": TITLE,
            "text": TEXT,
            "address": ADDRESS,
            "answers": answers(item["form"], datetime.now(UTC).isoformat()),
        }
        case: dict[str, Any] = await self._ask("POST", "/v1/requests", body)
        self._say("filed", f"number {case['number']}, tracking code {case['tracking_code']}")
        return case

    async def _summary(self, case: str) -> None:
        """Wait until the acknowledgement is in the inbox."""
        deadline = time.monotonic() + TOLD_SECONDS
        while time.monotonic() < deadline:
            for message in (await self._ask("GET", "/v1/inbox"))["items"]:
                if message["about"] == case:
                    self._say("told", " ".join(message["body"].split("\n")))
                    return
            await asyncio.sleep(0.02)
        raise Astray("the acknowledgement has not arrived")

    def _handler(self, case: dict[str, Any]) -> StaffMember:
        """An account of the handler."""
        account = self._known.serving().get(case["handler"]["id"]) if case["handler"] else None
        if account is None:
            raise Astray("no demo account works for the handler")
        return StaffMember(self._gateway, account)

    async def _do(
        self, who: Bearer, case: dict[str, Any], step: str, body: dict[str, Any] | None, result: str
    ) -> dict[str, Any]:
        done: dict[str, Any] = await self._ask("POST", f"/v1/requests/{case['id']}/{step}", body, who)
        if who is self._resident:
            self._say("resident", result)
        else:
            self._say("handler", f"{done['handler']['name']['zh']} {result}")
        return done

    async def _ask(self, method: str, path: str, body: Any = None, who: Bearer | None = None) -> Any:
        token = (await (who or self._resident).token()).value
        key = "" if method == "GET" else f"tour:{self._run}:{path.rpartition('/')[2]}"
        return (await self._gateway.ask(method, path, token=token, key=key, body=body)).expect(f"{method} {path}")

    def _say(self, who: str, what: str) -> None:
        self._tell(Step(round(time.monotonic() - self._began, 2), who, what))

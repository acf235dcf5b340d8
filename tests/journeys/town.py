"""A town to make journeys in: real processes, a gateway, and people who sign in and ask for things over HTTP."""

import base64
import itertools
import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pyotp

from deploy.local import Stack

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
COMMUNITY = "990101001001"
OTHER_STREET = "990101002"
OTHER_COUNTY = "990102"
STREET = "990101001"
COUNTY = "990101"
CODE = re.compile(r"登录验证码\s*(\d{6})")
AGAIN = (429, 502, 503, 504)
_NEVER_SECONDS = 90
"""A wait that long is a failure, also on a machine that is slow and shared."""
_phones = itertools.count(secrets.randbelow(50_000_000))


@dataclass
class Person:
    """Somebody who is signed in."""

    token: str
    phone: str = ""

    @property
    def bearer(self) -> dict[str, str]:
        """The header that says who asks."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def claims(self) -> dict[str, Any]:
        """What the token says."""
        part = self.token.split(".")[1]
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return found


@dataclass
class Town:
    """One running town."""

    stack: Stack
    http: httpx.Client
    environment: dict[str, str]
    signed_in: dict[str, Person] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: Person | None = None, body: Any = None, **more: Any) -> httpx.Response:
        """One request; a POST, PUT or DELETE gets a new key where none is given in ``key``."""
        headers = who.bearer if who else {}
        key = more.pop("key", None) or secrets.token_hex(8)
        if method != "GET":
            headers["Idempotency-Key"] = key
        headers.update(more.pop("headers", {}))
        return self.http.request(method, path, headers=headers, json=body, **more)

    def insist(
        self, method: str, path: str, who: Person | None = None, body: Any = None, **more: Any
    ) -> httpx.Response:
        """The same with one key until it is answered, as a client does while something is down."""
        key = more.pop("key", None) or secrets.token_hex(8)

        def answered() -> httpx.Response | None:
            try:
                answer = self.ask(method, path, who, body, key=key, **more)
            except httpx.TransportError:
                return None
            return None if answer.status_code in AGAIN else answer

        return self.wait(answered, f"{method} {path} to be answered")

    def done(self, method: str, path: str, who: Person | None = None, body: Any = None, **more: Any) -> dict[str, Any]:
        """The body of an answer that must be a yes."""
        answer = self.ask(method, path, who, body, **more)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def staff(self, login: str) -> Person:
        """Somebody of the staff, signed in with password and one-time code."""
        if login not in self.signed_in:
            account = next(one for one in self.credentials["accounts"] if one["login"] == login)
            self.signed_in[login] = self.enter(account)
        return self.signed_in[login]

    def hire(self, place: str, *roles: str) -> Person:
        """Somebody new of the staff with these roles for this place."""
        body = {"login": f"new-{secrets.token_hex(4)}", "roles": roles, "places": [place]}
        return self.enter(self.done("POST", "/v1/accounts", self.staff("administrator"), body))

    def enter(self, account: dict[str, Any]) -> Person:
        """The owner of an account, signed in with its secrets."""
        otp = pyotp.TOTP(account["totp_secret"]).now()
        body = {"login": account["login"], "password": account["password"], "otp": otp}
        answer = self.insist("POST", "/v1/sign-in/staff", body=body)  # five a second from one address
        assert answer.is_success, answer.text
        return Person(answer.json()["access_token"])

    def resident(self, phone: str = "") -> Person:
        """A new resident, or the one with this phone, signed in with the code that came to it."""
        phone = phone or new_phone()
        answer = self.insist("POST", "/v1/sign-in/codes", body={"phone": phone})
        assert answer.is_success, answer.text
        code = self.wait(lambda: self.code(phone), "a sign-in code")
        tokens = self.done("POST", "/v1/sign-in/tokens", body={"phone": phone, "code": code})
        return Person(tokens["access_token"], phone)

    def file(self, who: Person, **more: Any) -> dict[str, Any]:
        """A request that anybody may make: a new one for each call."""
        return self.done("POST", "/v1/requests", who, filing(**more))

    def handler(self, case: dict[str, Any]) -> Person:
        """An account of the case's handler."""
        accounts = self.credentials["accounts"]
        fitting = [
            a["login"] for a in accounts if case["handler"]["id"] in a["organisations"] and "handler" in a["roles"]
        ]
        return self.staff(fitting[0])

    def all(self, path: str, who: Person) -> list[dict[str, Any]]:
        """Every entry of a list, page by page."""
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = self.done("GET", path, who, params={"limit": 200, **after})
            found += page["items"]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    def inbox(self, who: Person) -> list[dict[str, Any]]:
        """The newest messages of somebody."""
        found: list[dict[str, Any]] = self.done("GET", "/v1/inbox", who, params={"limit": 200})["items"]
        return found

    def notices(self, who: Person, case: str, template: str) -> list[dict[str, Any]]:
        """The messages of a sort that somebody got about a case."""
        return [one for one in self.inbox(who) if one["about"] == case and one["template"].startswith(template)]

    def text_messages(self, phone: str) -> list[dict[str, Any]]:
        """What came to a phone, oldest first."""
        found = [json.loads(file.read_text()) for file in self.stack.home.sms.glob("*.json")]
        return sorted((one for one in found if one["phone"].endswith(phone)), key=lambda one: str(one["at"]))

    def code(self, phone: str) -> str | None:
        """The newest sign-in code that came to a phone."""
        codes = [found[1] for one in self.text_messages(phone) if (found := CODE.search(one["text"]))]
        return codes[-1] if codes else None

    @property
    def credentials(self) -> dict[str, Any]:
        """The demo accounts."""
        found: dict[str, Any] = json.loads((self.stack.home.root / "credentials.json").read_text())
        return found

    def linli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What an operator types."""
        command = [sys.executable, "-m", "deploy.cli.main", *words]
        return subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)

    @contextmanager
    def without(self, process: str) -> Iterator[None]:
        """A time in which one process is not there."""
        self.stack.stop(process)
        try:
            yield
        finally:
            self.stack.start(process)

    def kill(self, process: str) -> None:
        """End a process without a word, and wait until another is ready in its place."""
        killed = self.stack.kill(process)

        def back() -> bool:
            if self.stack.pid(process) in (0, killed):
                return False
            with suppress(httpx.TransportError):
                return self.http.get(f"{self.stack.layout.address(process)}/readyz", timeout=2).is_success
            return False

        self.wait(back, f"{process} to be back")

    @staticmethod
    def wait(look: Callable[[], T | None], what: str) -> T:
        """The first result that is not None, False or empty. How long that takes is for the bench to measure."""
        deadline, pause = time.monotonic() + _NEVER_SECONDS, 0.05
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(pause)
            pause = min(1.3 * pause, 1)  # each look costs the town the time for which it is waited
        raise AssertionError(f"waited {_NEVER_SECONDS} s for {what}")


def new_phone() -> str:
    """A valid mobile number that nobody else has."""
    return f"138{next(_phones) % 100_000_000:08}"


def filing(**more: Any) -> dict[str, Any]:
    """The body of a request; what is given replaces the defaults."""
    return {
        "item": "GOV-GENERAL",
        "area": COMMUNITY,
        "title": "楼道灯不亮",
        "text": "三单元的楼道灯坏了一个星期，老人晚上回家看不见。",
        "answers": {"need": "修好楼道灯"},
        **more,
    }

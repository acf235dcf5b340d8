"""The first case says where it went astray."""

from pathlib import Path
from typing import Any

import pytest

from deploy.cli.city.credentials import Account, Credentials, Resident
from deploy.cli.demoing.tour import Astray, Step, Tour
from tests.cli.fake import answers, gateway

HANDLER = Account(
    login="h", password="p", totp_secret="JBSWY3DPEHPK3PXP", roles=("handler",), places=("1507",), organisations=("o1",)
)
KNOWN = Credentials(city="trial", accounts=(HANDLER,), resident=Resident(phone="13800138000", area="150702001001"))
NAMED = {"zh": "路灯", "en": "Street light"}
CASE = {"id": "case_1", "number": "N1", "tracking_code": "T", "handler": None}
CITY: dict[str, Any] = {
    "POST /v1/catalogue/suggest": {"items": [{"code": "GOV", "name": NAMED, "why": ["路灯"]}]},
    "GET /v1/catalogue/GOV": {"code": "GOV", "form": []},
    "POST /v1/requests": CASE,
    "GET /v1/inbox": {"items": [{"about": "case_1", "body": "已受理"}]},
}


async def astray(spool: Path, city: dict[str, Any]) -> tuple[str, list[Step]]:
    """What went wrong in a city that answers so, and the steps before it."""
    steps: list[Step] = []
    async with gateway(answers(city, spool)) as client:
        with pytest.raises(Astray) as raised:
            await Tour(client, KNOWN, spool, steps.append).play()
    return str(raised.value), steps


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"POST /v1/catalogue/suggest": {"items": []}}, "no service"),
        ({"POST /v1/requests": None}, "POST /v1/requests: 404"),
        ({}, "no demo account works for the handler"),
        ({"POST /v1/requests": {**CASE, "handler": {"id": "o2"}}}, "no demo account works for the handler"),
    ],
)
async def test_a_first_case_that_goes_astray_says_where(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    sentence, steps = await astray(tmp_path, {**CITY, **changed})
    assert said in sentence
    assert steps[0].who == "resident"

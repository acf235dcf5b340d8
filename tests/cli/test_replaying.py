"""A replay ends with all of its results, and is clean only where nothing is missing."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deploy.cli.city import credentials
from deploy.cli.city.credentials import Account, Credentials, Resident
from deploy.cli.city.progress import Lines
from deploy.cli.city.spool import Spool
from deploy.local import Home, Ports, Stack, Trouble
from tests.cli.fake import Answering, answers, gateway, serving, token
from tests.replay import __main__ as command
from tests.replay.callers import Callers, Town
from tests.replay.filing import CommandSender
from tests.replay.ledger import Ledger
from tests.replay.messages import LONGEST_TEXT, BadLine, Message
from tests.replay.results import Filed, Results
from tests.replay.run import Pace, Replay

COMMUNITY = "150702001001"
HANDLER = Account(login="a", password="p", totp_secret="JBSWY3DPEHPK3PXP", roles=("operator",), places=("1507",))
DISPATCHER = HANDLER.model_copy(update={"login": "d", "roles": ("dispatcher",), "places": ("150702",)})
KNOWN = Credentials(
    city="trial", accounts=(HANDLER, DISPATCHER), resident=Resident(phone="13800138000", area=COMMUNITY)
)
ITEM = {"code": "GOV", "form": []}
HANDED = {"id": "organisation_1", "tier": "station"}
CASE = {"id": "case_1", "number": "N1", "system": "government", "state": "closed", "handler": HANDED}
SEEDED = {
    "GET /v1/areas": {"items": [{"code": COMMUNITY}], "next": None},
    "GET /v1/catalogue": {"items": [ITEM], "next": None},
    "GET /v1/organisations": {"items": [{"area": COMMUNITY[:9], "id": "organisation_1"}], "next": None},
    "POST /v1/sign-in/staff": {"access_token": token(), "refresh_token": "r"},
    "POST /v1/people": {"id": "person_1"},
    "POST /v1/catalogue/suggest": {"items": [ITEM]},
    "POST /v1/requests": CASE,
    "POST /v1/requests/case_1/comment": CASE,
}


def message(id: str, text: str) -> Message:
    return Message(id=id, user="U1", title="路灯不亮", text=text)


def results(**more: Any) -> Results:
    """Of one message that was filed, settled and told."""
    filed = Filed("m1", "case_1", "N1", "+8613800138000", "government", "resident", tier="station")
    found = Results(1, [], [filed])
    found.notified[1] = 1
    for name, value in more.items():
        setattr(found, name, value)
    return found


async def play(folder: Path, answering: Answering, *messages: Message) -> Results:
    """What comes of these messages in a city that answers so."""
    found = Results(len(messages), [])
    async with gateway(answering) as client:
        with Ledger(folder / "ledger.jsonl") as ledger:
            callers, sender = Callers(client, KNOWN, Spool(folder)), CommandSender(client, ledger, "1")
            replay = Replay(client, await Town.look(client), callers, sender, found, 1)
            await replay.play(list(messages), 1, Pace(0), Lines())
    return found


def test_a_message_that_was_filed_settled_and_notified_is_complete() -> None:
    assert results().missing == []


def test_what_was_refused_or_is_no_message_is_missing() -> None:
    found = results(messages=3, bad=[BadLine(2, "the line is empty")])
    found.refused["file: 422 form-unfit"] = 2
    assert found.missing == ["1 lines that are no message", "2 messages refused"]


def test_a_city_that_has_not_caught_up_is_one_thing_missing() -> None:
    assert results(late="The services have not caught up.").missing == ["The services have not caught up."]


async def test_a_comment_that_is_refused_breaks_a_story_off_whose_case_is_filed(tmp_path: Path) -> None:
    silent = {path: body for path, body in SEEDED.items() if not path.endswith("comment")}
    found = await play(tmp_path, answers(silent, tmp_path), message("m1", "长" * (LONGEST_TEXT + 1)))
    assert ([one.case for one in found.filed], dict(found.refused)) == (["case_1"], {})
    assert dict(found.broken) == {"comment: 404 not-found": 1}


async def test_the_rest_of_a_long_text_follows_as_comments(tmp_path: Path) -> None:
    found = await play(tmp_path, answers(SEEDED, tmp_path), message("m1", "长" * (2 * LONGEST_TEXT + 1)))
    assert (found.steps["comment"], dict(found.broken)) == (2, {})


async def test_a_message_for_which_nothing_is_suggested_is_refused_and_the_others_continue(tmp_path: Path) -> None:
    usual = answers(SEEDED, tmp_path)

    async def answering(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/catalogue/suggest" and "怪" in (await request.json())["text"]:
            return web.json_response({"items": []})
        return await usual(request)

    found = await play(tmp_path, answering, message("m1", "怪"), message("m3", "灯"))
    assert (dict(found.refused), [one.message for one in found.filed]) == ({"NoItemFits": 1}, ["m3"])


async def test_a_case_for_which_there_is_nobody_breaks_off_its_own_story_and_no_other(tmp_path: Path) -> None:
    usual, waiting = answers(SEEDED, tmp_path), {**CASE, "state": "new", "inside": {"returns": 0}}
    filed = iter([{**waiting, "area": "150702009001"}, {**waiting, "area": "150781001001"}, CASE])

    async def answering(request: web.Request) -> web.StreamResponse:
        return web.json_response(next(filed)) if request.path == "/v1/requests" else await usual(request)

    found = await play(tmp_path, answering, message("m1", "灯"), message("m2", "灯"), message("m3", "灯"))
    assert [one.message for one in found.filed if one.tier] == ["m3"]
    assert [what.partition(":")[0] for what in found.broken] == [
        "Some street has no centre that cases could be given to",
        "There is no demo account of a dispatcher for 150781001001",
    ]


async def test_a_city_that_cannot_be_looked_at_is_one_sentence() -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with gateway(away, give_up_after=0.3) as client:
        with pytest.raises(Trouble, match="linli status"):
            await Town.look(client)


def test_a_ledger_in_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"later.*--ledger"):
        Ledger(tmp_path / "later" / "ledger.jsonl")


async def test_what_was_done_is_shown_also_where_the_city_does_not_catch_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "GIVE_UP_SECONDS", 0.2)
    Home(tmp_path).make()
    credentials.write(Home(tmp_path), KNOWN)
    async with serving(answers(SEEDED, tmp_path)) as server:
        assert server.port
        stack = Stack(tmp_path, Ports(gateway=server.port, members_worker=1))
        found = await command._replay(stack, [], [], tmp_path / "ledger.jsonl", (1, 0, 2))
    assert len(found.missing) == 1
    assert "have not caught up" in found.missing[0]

"""What operators type, on a town that runs."""

import json
from datetime import UTC, datetime

from tests.conftest import CITY_DATA
from tests.journeys.town import Town, new_phone


def test_a_town_that_runs_is_green_and_says_until_when_it_knows_the_holidays(town: Town) -> None:
    result = town.linli("status", "--json")
    status = json.loads(result.stdout)
    assert (result.returncode, status["red"]) == (0, [])
    holidays = json.loads((CITY_DATA / "holidays.json").read_text())
    assert status["holidays_known_until"] == holidays["covered_until"]
    assert status["flow"]["parked_events"] == 0


def test_a_token_is_had_for_a_phone_a_login_and_an_organisation(town: Town) -> None:
    station = town.ask("GET", "/v1/organisations", town.staff("supervisor")).json()["items"][0]["id"]
    for who, role in ((new_phone(), "resident"), ("operator", "operator"), (station, "handler")):
        token = town.linli("token", who).stdout.strip()
        me = town.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert role in me.json()["roles"], me.text


def test_a_token_says_whose_it_is_and_until_when(town: Town) -> None:
    result = json.loads(town.linli("token", new_phone(), "--json").stdout)
    me = town.http.get("/v1/me", headers={"Authorization": f"Bearer {result['token']}"}).json()
    assert result["actor"] == me["account"]
    assert datetime.fromisoformat(result["expires"]) > datetime.now(UTC)


def test_up_again_and_migrate_say_what_they_did(town: Town) -> None:
    up = json.loads(town.linli("up", "--json").stdout)
    assert (up["running"], up["gateway"]) == (True, town.stack.gateway)
    assert set(up["processes"]) == {process.name for process in town.stack.layout.processes}
    assert json.loads(town.linli("migrate", "--json").stdout) == {"migrated": ["members", "notify", "requests"]}


def test_the_first_case_is_shown_step_by_step(town: Town) -> None:
    result = json.loads(town.linli("demo", "--json").stdout)
    assert result["steps"][0]["who"] == "resident"
    assert result["steps"][-1]["what"] == "Closed"
    assert len(result["timeline"]) > 5


def test_a_token_for_nobody_is_refused_in_one_sentence(town: Town) -> None:
    result = town.linli("token", "nobody")
    assert result.returncode == 2
    assert result.stderr.startswith("linli: There is no account 'nobody'")


def test_the_doctor_finds_nothing_wrong_and_names_a_database_that_is_away(town: Town) -> None:
    result = town.linli("doctor", "--json")
    assert (result.returncode, [line for line in json.loads(result.stdout)["lines"] if line["level"] == "wrong"]) == (
        0,
        [],
    )
    with town.without("mongo-notify"):
        result = town.linli("doctor")
    assert result.returncode == 1
    assert "notify database wrong: does not answer" in result.stdout
    assert "members database ok" in result.stdout


def test_what_was_published_of_one_kind_is_sent_again_and_has_no_effect_twice(town: Town) -> None:
    shown = json.loads(town.linli("republish", "--kind", "team", "--json").stdout)["services"]
    assert [(one["service"], one["dry_run"], one["sent"]) for one in shown] == [("members", True, 0)]
    result = json.loads(town.linli("republish", "--kind", "team", "--yes", "--json").stdout)["services"][0]
    assert result["sent"] == shown[0]["events"] > 0
    assert town.linli("republish", "--kind", "plum").returncode == 2
    assert town.linli("verify", "--json").returncode == 0

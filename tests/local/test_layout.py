"""The environment of each process, and the record of a running stack."""

from pathlib import Path

import pytest
from pymongo.uri_parser import parse_uri

from deploy.local import EVERYTHING, STORES, Home, Ports, Trouble, front, keys
from deploy.local.layout import Layout


def layout(tmp_path: Path, **given: str) -> Layout:
    return Layout(Home(tmp_path), Ports(), EVERYTHING, given)


def test_a_2xx_is_on_a_majority_and_journaled(tmp_path: Path) -> None:
    options = parse_uri(layout(tmp_path).uris["requests"])["options"]
    assert (options["w"], options["journal"], options["readConcernLevel"]) == ("majority", True, "majority")
    assert parse_uri(layout(tmp_path).uris["requests"])["database"] == "linli_requests"


def test_only_members_web_can_sign_tokens(tmp_path: Path) -> None:
    for service in ("members", "requests", "notify"):
        for role in ("web", "worker", "migrate"):
            result = layout(tmp_path, LINLI_TOKEN_KEYS="/keys").environment(service, role)
            assert ("LINLI_TOKEN_KEYS" in result) == ((service, role) == ("members", "web"))


def test_each_process_has_a_port_of_its_own(tmp_path: Path) -> None:
    result = layout(tmp_path, LINLI_PORT="1", LINLI_PORT_GATEWAY="9").environment("notify", "worker")
    assert result["LINLI_PORT"] == str(Ports().notify_worker)
    assert "LINLI_PORT_GATEWAY" not in result


def test_settings_from_outside_reach_every_process(tmp_path: Path) -> None:
    result = layout(tmp_path, LINLI_SMTP="mail:25", LINLI_LOG_LEVEL="debug").environment("notify", "web")
    assert (result["LINLI_SMTP"], result["LINLI_LOG_LEVEL"]) == ("mail:25", "debug")


def test_what_runs_elsewhere_is_used_and_not_started(tmp_path: Path) -> None:
    given = {"LINLI_KAFKA": "broker:9092", "LINLI_MONGO_NOTIFY": "mongodb://db/notify"}
    changed = layout(tmp_path, **given)
    assert {process.name for process in changed.processes} == EVERYTHING - {"kafka", "mongo-notify"}
    assert given.items() <= changed.environment("notify", "worker").items()


def test_a_process_gets_the_address_of_its_own_database_only(tmp_path: Path) -> None:
    names = {service: f"LINLI_MONGO_{service.upper()}" for service in ("members", "requests", "notify")}
    result = layout(tmp_path, LINLI_MONGO_NOTIFY="mongodb://db/notify", LINLI_MONGO_DRIVER="pymongo")
    for service, name in names.items():
        for role in ("web", "worker", "migrate", "verify"):
            environment = result.environment(service, role)
            assert {given for given in environment if given in names.values()} == {name}
            assert environment["LINLI_MONGO_DRIVER"] == "pymongo"


def test_a_running_stack_is_remembered_and_a_stopped_one_forgotten(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    running = Layout(home, Ports.free(), STORES, {"LINLI_CITY": "hulunbuir"})
    running.remember()
    assert Layout.of({"LINLI_HOME": str(tmp_path)}).remembered() == running
    running.forget()
    assert running.remembered() is None


def test_services_gateway_and_public_keys_go_by_the_keys_that_are_given(tmp_path: Path) -> None:
    home, other = Home(tmp_path / "home"), Home(tmp_path / "other")
    for made in (home, other):
        made.make()
        keys.make(made)
    result = Layout(home, Ports(), given={"LINLI_TOKEN_KEYS": str(keys.token_keys(other))})
    keys.make(home, result.token_keys)
    assert keys.jwks(home).read_bytes() == keys.jwks(other).read_bytes()
    assert result.environment("members", "web")["LINLI_TOKEN_KEYS"] == str(keys.token_keys(other))
    result = Layout(home, Ports(), given={"LINLI_JWKS": str(keys.jwks(other))})
    assert result.environment("notify", "web")["LINLI_JWKS"] == str(keys.jwks(other))
    front.prepare(result)
    assert str(keys.jwks(other)) in (home.run / "envoy.yaml").read_text()


def test_keys_that_cannot_be_used_here_are_one_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    with pytest.raises(Trouble, match=r"holds no key.*LINLI_TOKEN_KEYS"):
        keys.make(home, tmp_path / "none")
    with pytest.raises(Trouble, match=r"LINLI_JWKS is https://issuer/keys.*file"):
        Layout(home, Ports(), given={"LINLI_JWKS": "https://issuer/keys"}).environment("members", "web")


def test_secrets_are_named_by_their_files_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    keys.make(home)
    result = " ".join(Layout(home, Ports()).environment("members", "web").values())
    assert keys.master_key(home).read_text() not in result

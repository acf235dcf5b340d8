"""What each process is told, and what a running stack remembers."""

from pathlib import Path

from pymongo.uri_parser import parse_uri

from deploy.local import EVERYTHING, STORES, Home, Ports, keys
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
            told = layout(tmp_path, LINLI_TOKEN_KEYS="/keys").environment(service, role)
            assert ("LINLI_TOKEN_KEYS" in told) == ((service, role) == ("members", "web"))


def test_each_process_has_a_port_of_its_own(tmp_path: Path) -> None:
    told = layout(tmp_path, LINLI_PORT="1", LINLI_PORT_GATEWAY="9").environment("notify", "worker")
    assert told["LINLI_PORT"] == str(Ports().notify_worker)
    assert "LINLI_PORT_GATEWAY" not in told


def test_settings_from_outside_reach_every_process(tmp_path: Path) -> None:
    told = layout(tmp_path, LINLI_SMTP="mail:25", LINLI_LOG_LEVEL="debug").environment("notify", "web")
    assert (told["LINLI_SMTP"], told["LINLI_LOG_LEVEL"]) == ("mail:25", "debug")


def test_what_runs_elsewhere_is_used_and_not_started(tmp_path: Path) -> None:
    given = {"LINLI_KAFKA": "broker:9092", "LINLI_MONGO_NOTIFY": "mongodb://db/notify"}
    changed = layout(tmp_path, **given)
    assert {process.name for process in changed.processes} == EVERYTHING - {"kafka", "mongo-notify"}
    assert given.items() <= changed.environment("members", "worker").items()


def test_a_running_stack_is_remembered_and_a_stopped_one_forgotten(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    running = Layout(home, Ports.free(), STORES, {"LINLI_CITY": "hulunbuir"})
    running.remember()
    assert Layout.of({"LINLI_HOME": str(tmp_path)}).remembered() == running
    running.forget()
    assert running.remembered() is None


def test_secrets_are_named_by_their_files_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    keys.make(home)
    told = " ".join(Layout(home, Ports()).environment("members", "web").values())
    assert keys.master_key(home).read_text() not in told

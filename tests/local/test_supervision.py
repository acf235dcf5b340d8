"""The supervisor's configuration, read back as the supervisor reads it."""

from configparser import RawConfigParser
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from supervisor.datatypes import dict_of_key_value_pairs
from supervisor.options import expand

from deploy.local import EVERYTHING, Home, Ports, Trouble, supervision
from deploy.local.processes import PROCESSES, Process, table
from deploy.local.topology import MOST, TOPOLOGIES


def read(home: Home) -> RawConfigParser:
    parser = RawConfigParser(inline_comment_prefixes=(";", " #"))
    parser.read(supervision.configuration(home))
    return parser


@pytest.fixture
def own_home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.make()
    return made


def test_every_process_of_the_table_is_supervised(own_home: Home) -> None:
    supervision.write(own_home, {process: (("true",), {}) for process in PROCESSES})
    programs = [name for name in read(own_home).sections() if name.startswith("program:")]
    assert {name.removeprefix("program:") for name in programs} == EVERYTHING


def test_a_process_is_started_again_and_has_time_to_stop(own_home: Home) -> None:
    supervision.write(own_home, {PROCESSES[0]: (("true",), {})})
    program = dict(read(own_home)["program:kafka"])
    result = {"autorestart": "true", "autostart": "false", "stopwaitsecs": "25", "stdout_logfile_maxbytes": "10MB"}
    assert result.items() <= program.items()


@pytest.mark.parametrize("value", ["mongodb://a:b%40c@h/d?x=1&y=2", "back\\slash", "a,b", "%(here)s", "it's"])
def test_a_value_arrives_as_it_was(own_home: Home, value: str) -> None:
    supervision.write(own_home, {PROCESSES[0]: (("true",), {"LINLI_A": value, "LINLI_B": "2"})})
    written = read(own_home)["program:kafka"]["environment"]
    arrived: dict[str, Any] = dict_of_key_value_pairs(expand(written, {"here": "wrong"}, "environment"))
    assert arrived == {"LINLI_A": value, "LINLI_B": "2"}


@pytest.mark.parametrize("value", ['say "it"', "'quoted'", "a ; b", "a\nb"])
def test_a_value_that_could_not_arrive_is_refused(own_home: Home, value: str) -> None:
    with pytest.raises(Trouble, match="cannot hold"):
        supervision.write(own_home, {PROCESSES[0]: (("true",), {"LINLI_A": value})})


def test_stores_start_first_and_stop_last() -> None:
    order = sorted(PROCESSES, key=lambda process: process.layer)
    kinds = [process.kind for process in order]
    assert set(kinds[:4]) == {"kafka", "mongo"}
    assert kinds[-1] == "gateway"


def test_no_two_things_listen_on_one_port() -> None:
    largest = replace(TOPOLOGIES["three"], webs=MOST, workers=MOST)
    named = [port for process in table(largest) for port in process.ports]
    assert sorted(named) == sorted(Ports().named())
    assert len(set(Ports().named().values())) == len(named)


def test_a_process_is_asked_on_its_own_port() -> None:
    assert Process("members-web", "web", "members").port == "members_web"

"""What all tests share: one broker and three databases, started once, or those that the environment names."""

import json
import os
import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import structlog
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from xdist.scheduler import LoadScopeScheduling

from deploy.local import layout, topology
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from services.chassis.runtime import entry
from tests.support.world import NAMES, Stores, World

ROOT = Path(__file__).resolve().parents[1]
CITY_DATA = ROOT / "deploy" / "cities" / "hulunbuir"
_SHARED = "TESTS_STORES"
"""Not named as a setting: a whole stack that a test starts must not take these stores for its own."""
_TOGETHER = ("tests/journeys/", "tests/local/", "tests/model/test_model.py")
"""One town for all journeys, and one more stack at a time beside it: a third does not fit. What a model has explored is
asked of three times."""
_CACHE_MIB = "1024"
"""Every test leaves a database of its own: the small cache of a city is full of their collections within minutes."""
_PARTS = frozenset({"kafka", *(f"mongo-{name}" for name in NAMES)})


@pytest.fixture(scope="session", autouse=True)
def logs_beside_what_commands_say() -> None:
    """A consumer that runs in a test must not speak into the words of a command that is typed there."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)  # the coloured is slow
    processors = [*structlog.get_config()["processors"][:-1], plain]
    structlog.configure(processors=processors, logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """(brokers, MongoDB URI by service) of a real Kafka and three real replica sets."""
    given: dict[str, str] = {name: os.environ.get(f"LINLI_MONGO_{name.upper()}", "") for name in NAMES}
    brokers = os.environ.get("LINLI_KAFKA", "")
    if brokers and all(given.values()):
        yield brokers, given
    elif shared := os.environ.get(_SHARED):
        brokers, uris = json.loads(shared)
        yield brokers, uris
    else:
        with started() as addresses:
            yield addresses


@contextmanager
def started() -> Iterator[Stores]:
    """The same, as long as the block lasts."""
    with TemporaryDirectory(prefix="linli-tests-", ignore_cleanup_errors=True) as home:
        stack = Stack(
            Path(home), Ports.free(), _PARTS, {topology.CACHE: _CACHE_MIB, layout.OPEN: "true"}, lifetime="tied"
        )
        stack.up()
        try:
            yield stack.kafka, stack.uris
        finally:
            stack.down()


def pytest_collection_finish() -> None:
    """As every process of ours begins: what is loaded by now is no garbage, and the collector comes seldom."""
    entry.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Where tests are handed out to processes (-n), these share what is started here."""
    # A broker that lives for minutes is not worth the second, slower compiler.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        # The supervisor outlives the call that starts it.
        warnings.filterwarnings("ignore", "subprocess .* is still running", ResourceWarning)
        opened = ExitStack()
        os.environ[_SHARED] = json.dumps(opened.enter_context(started()))
        config.add_cleanup(opened.close)


class _Handing(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """What shares something dear stays together in one process, and begins first; all else goes where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        return next((path for path in _TOGETHER if nodeid.startswith(path)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How tests are handed out to processes."""
    return _Handing(config, log)


@pytest.fixture(scope="session")
def lasting(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A corner that many tests share, one after the other: for what takes longer to build than to empty."""
    brokers, uris = stores
    return World(brokers, uris, tmp_path_factory.mktemp("lasting"), CITY_DATA)


@pytest.fixture
async def world(
    stores: Stores, tmp_path: Path, leaving: dict[str, MongoClient[dict[str, Any]]]
) -> AsyncIterator[World]:
    """A corner of its own for one test. Its databases go with it: all that is there slows the making of the next."""
    brokers, uris = stores
    corner = World(brokers, uris, tmp_path, CITY_DATA)
    yield corner
    for name, client in leaving.items():
        with suppress(PyMongoError):  # what is left over fails no test
            client.drop_database(corner.database(name))


@pytest.fixture(scope="session")
def leaving(stores: Stores) -> Iterator[dict[str, MongoClient[dict[str, Any]]]]:
    """A client of each database, to drop what tests leave."""
    clients = {name: MongoClient[dict[str, Any]](uri, w=1, journal=False) for name, uri in stores[1].items()}
    yield clients
    for client in clients.values():
        client.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have to say besides that they passed: ``record_property("line", …)``."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "line" and report.when == "call":
                terminalreporter.write_line(str(value))

"""Two webs and two workers of each service, on a broker and databases that run elsewhere."""

import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from deploy.local import EVERYTHING, Ports, Stack, health
from deploy.local.processes import SERVICES
from services.chassis.messaging.kafka.records import PARTITIONS
from tests.support.world import World

pytestmark = pytest.mark.timeout(300)

LAG = re.compile(r'linli_consumer_lag_records\{partition="(\d+)",topic="([^"]+)"\}')
ANSWERED = re.compile(r'linli_http_requests_total\{.*route="/v1/areas".*\} (\d+)')


@pytest.fixture
def wide(world: World) -> Iterator[Stack]:
    """All that is ours, and nothing else."""
    settings = world.settings()
    stores = {f"LINLI_MONGO_{service.upper()}": settings.mongo[service] for service in SERVICES}
    given = {
        "LINLI_ALLOW_OPEN_STORES": "true",
        "LINLI_KAFKA": world.kafka,
        "LINLI_TOPIC_PREFIX": world.name,
        "LINLI_WEB": "2",
        "LINLI_WORKERS": "2",
    }
    stack = Stack(world.folder / "home", Ports.free(), EVERYTHING, {**given, **stores}, "tied")
    stack.up()
    try:
        yield stack
    finally:
        stack.down()


def test_several_processes_of_a_service_share_its_work(wide: Stack) -> None:
    assert len(wide.layout.processes) == 3 * 4 + 1
    assert health.look(wide.layout).red == []
    _until(lambda: _shares(wide, "notify") and _shares(wide, "requests"))
    with httpx.Client(base_url=wide.gateway, timeout=20) as gateway:
        assert {gateway.get("/v1/areas").status_code for _ in range(40)} == {200}
        assert all(_answered(wide, web.name) for web in wide.layout.several("members", "web"))
        wide.stop("members-web")
        _until(lambda: all(gateway.get("/v1/areas").status_code == 200 for _ in range(20)))


def _shares(stack: Stack, service: str) -> bool:
    """Whether each worker of a service has partitions, none the same, and together those of two topics."""
    first, second = (
        set(LAG.findall(_metrics(stack, worker.name))) for worker in stack.layout.several(service, "worker")
    )
    return bool(first and second and not first & second) and len(first | second) == 2 * PARTITIONS


def _answered(stack: Stack, web: str) -> int:
    return sum(map(int, (text.partition(".")[0] for text in ANSWERED.findall(_metrics(stack, web)))))


def _metrics(stack: Stack, process: str) -> str:
    return httpx.get(f"{stack.layout.address(process)}/metrics", timeout=10).text


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)

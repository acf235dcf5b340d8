"""Three nodes of each store: their names, ports, settings and addresses; none of it is started."""

import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import create_server

import pytest
from pymongo.uri_parser import parse_uri

from deploy.local import EVERYTHING, STORES, Home, Ports, Stack, Trouble, broker, commands
from deploy.local.health import Health, ProcessHealth, StoreHealth, counted, flow
from deploy.local.layout import Layout
from deploy.local.topology import CACHE

THREE = {"LINLI_TOPOLOGY": "three"}


@pytest.fixture
def three(tmp_path: Path) -> Layout:
    return Layout(Home(tmp_path), Ports(), EVERYTHING, THREE)


def properties(layout: Layout) -> list[dict[str, str]]:
    """The settings of each broker."""
    written = [broker.properties(layout, process) for process in layout.processes if process.kind == "kafka"]
    return [dict(line.split("=", 1) for line in one.splitlines()) for one in written]


def test_every_store_has_three_nodes_and_everything_else_is_there_once(three: Layout) -> None:
    names = [process.name for process in three.processes]
    nodes = {f"{part}{node}" for part in STORES for node in ("", "-2", "-3")}
    assert sorted(names) == sorted(nodes | EVERYTHING)


def test_a_part_stands_for_all_its_nodes(tmp_path: Path) -> None:
    result = Layout(Home(tmp_path), Ports(), frozenset({"kafka"}), THREE)
    assert [process.name for process in result.processes] == ["kafka", "kafka-2", "kafka-3"]
    elsewhere = Layout(Home(tmp_path), Ports(), STORES, {**THREE, "LINLI_KAFKA": "broker:9092"})
    assert {process.kind for process in elsewhere.processes} == {"mongo"}


def test_services_get_the_address_of_every_node(three: Layout) -> None:
    result, ports = three.environment("notify", "worker"), Ports()
    assert result["LINLI_KAFKA"].split(",") == [f"127.0.0.1:{p}" for p in (ports.kafka, ports.kafka_2, ports.kafka_3)]
    uri = parse_uri(result["LINLI_MONGO_NOTIFY"])
    assert {port for _, port in uri["nodelist"]} == {ports.mongo_notify, ports.mongo_notify_2, ports.mongo_notify_3}
    assert (uri["options"]["replicaSet"], uri["options"]["w"]) == ("linli-notify", "majority")
    assert result["LINLI_TOPIC_REPLICAS"] == "3"
    assert "LINLI_TOPOLOGY" not in result


def test_a_service_may_have_several_webs_and_workers_each_with_a_port_and_a_slot_of_its_own(tmp_path: Path) -> None:
    wide = Layout(Home(tmp_path), Ports(), EVERYTHING, {"LINLI_WEB": "2", "LINLI_WORKERS": "3"})
    names = [process.name for process in wide.processes if process.service == "notify"]
    workers = [f"notify-worker{node}" for node in ("", "-2", "-3")]
    assert names == ["mongo-notify", "notify-web", "notify-web-2", *workers]
    given = [wide.environment("notify", "worker", node) for node in (1, 2, 3)]
    ports = Ports()
    assert [one["LINLI_PORT"] for one in given] == [
        str(port) for port in (ports.notify_worker, ports.notify_worker_2, ports.notify_worker_3)
    ]
    assert [one["LINLI_SLOT"] for one in given] == ["0", "1", "2"]
    assert not {"LINLI_WEB", "LINLI_WORKERS"} & given[0].keys()
    assert [process.name for process in wide.several("notify", "web")] == ["notify-web", "notify-web-2"]


@pytest.mark.parametrize("number", ["0", "5", "two"])
def test_an_unfit_number_of_processes_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(Trouble, match=f"LINLI_WEB is '{number}': give a number from 1 to 4"):
        Stack(tmp_path, Ports(), given={"LINLI_WEB": number}).up()


def test_the_cache_of_the_databases_can_be_larger_and_an_unfit_one_is_refused(tmp_path: Path) -> None:
    for topology, given, wanted in (("one", {}, 128), ("three", {}, 64), ("three", {CACHE: "2048"}, 2048)):
        large = Layout(Home(tmp_path), Ports(), EVERYTHING, {"LINLI_TOPOLOGY": topology, **given})
        node = next(process for process in large.processes if process.name == "mongo-notify")
        large.home.data.mkdir(parents=True, exist_ok=True)
        assert f"cache_size={wanted}M," in " ".join(commands.command(large, node))
        assert CACHE not in large.environment("notify", "worker")
    with pytest.raises(Trouble, match=f"{CACHE} is '8': give a number from 64 to 1000000"):
        Stack(tmp_path, Ports(), given={CACHE: "8"}).up()


def test_no_two_listeners_have_the_same_port() -> None:
    assert len(set(Ports().named().values())) == len(Ports().named())


def test_one_node_is_addressed_alone(tmp_path: Path) -> None:
    result = Layout(Home(tmp_path), Ports()).environment("notify", "worker")
    assert result["LINLI_KAFKA"] == f"127.0.0.1:{Ports().kafka}"
    assert parse_uri(result["LINLI_MONGO_NOTIFY"])["nodelist"] == [("127.0.0.1", Ports().mongo_notify)]
    assert result["LINLI_TOPIC_REPLICAS"] == "1"


def test_three_brokers_are_one_cluster_of_which_one_may_fail(three: Layout) -> None:
    result = properties(three)
    assert [one["node.id"] for one in result] == ["1", "2", "3"]
    for kind in ("default", "offsets.topic", "transaction.state.log"):
        assert {one[f"{kind}.replication.factor"] for one in result} == {"3"}
    assert (
        {one["min.insync.replicas"] for one in result}
        == {one["transaction.state.log.min.isr"] for one in result}
        == {"2"}
    )
    for own in ("listeners", "advertised.listeners", "log.dirs"):
        assert len({one[own] for one in result}) == 3
    (voters,) = {one["controller.quorum.voters"] for one in result}
    for one, voter in zip(result, voters.split(","), strict=True):
        assert voter.startswith(f"{one['node.id']}@")
        assert one["listeners"].endswith(f",CONTROLLER://{voter[2:]}")


def test_a_single_broker_keeps_one_copy(tmp_path: Path) -> None:
    (result,) = properties(Layout(Home(tmp_path), Ports()))
    assert (result["offsets.topic.replication.factor"], result["min.insync.replicas"]) == ("1", "1")
    assert "broker.session.timeout.ms" not in result


def test_brokers_are_formatted_for_the_same_cluster(tmp_path: Path) -> None:
    first = broker.cluster_id(tmp_path)
    assert len(first) == 22
    assert broker.cluster_id(tmp_path) != first
    (tmp_path / "kafka-2").mkdir()
    (tmp_path / "kafka-2" / "meta.properties").write_text(f"version=1\ncluster.id={first}\nnode.id=2\n")
    assert broker.cluster_id(tmp_path) == first


@pytest.fixture
def metadata() -> Iterator[str]:
    """The address of a broker that knows of brokers 1 and 3, the second in a rack."""
    host = struct.pack(">h", 4) + b"host"
    known = struct.pack(">ii", 2, 1) + host + struct.pack(">ihi", 9092, -1, 3) + host
    answer = struct.pack(">i", 7) + known + struct.pack(">ih", 9093, 1) + b"r" + struct.pack(">ii", 1, 0)
    with create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(struct.pack(">i", len(answer)) + answer)

        thread = threading.Thread(target=once)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_broker_tells_which_brokers_it_knows(metadata: str) -> None:
    assert broker.known(metadata) == {1, 3}


def test_a_topology_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="LINLI_TOPOLOGY is 'five': give one of one, three"):
        Stack(tmp_path, Ports(), given={"LINLI_TOPOLOGY": "five"}).up()


def test_a_home_stays_with_its_topology(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    home.settle("three")
    home.settle("three")
    with pytest.raises(Trouble, match=r"LINLI_TOPOLOGY=three, not one: .* LINLI_HOME"):
        Stack(tmp_path, Ports()).up()


def test_a_home_from_before_there_was_a_choice_has_one_node_of_each(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    (home.data / "kafka").mkdir()
    with pytest.raises(Trouble, match="LINLI_TOPOLOGY=one, not three"):
        home.settle("three")
    home.settle("one")


@pytest.mark.parametrize(
    ("ready", "red"),
    [
        (3, []),
        (2, ["mongo-notify-3 is not ready"]),
        (
            1,
            [
                "mongo-notify-2 is not ready",
                "mongo-notify-3 is not ready",
                "mongo-notify has no majority, 1 of 3 nodes are ready",
            ],
        ),
    ],
)
def test_a_store_without_a_majority_is_red(three: Layout, ready: int, red: list[str]) -> None:
    nodes = [process for process in three.processes if process.component == "mongo-notify"]
    seen = [ProcessHealth(one.name, "running", 1, 5, 80, one.node <= ready, "", "") for one in nodes]
    store = counted(three, StoreHealth("mongo-notify", "127.0.0.1:2", reachable=True), seen)
    assert Health("", seen, [store], flow([])).red == red


def test_a_store_elsewhere_is_as_it_answers(tmp_path: Path) -> None:
    elsewhere = Layout(Home(tmp_path), Ports(), EVERYTHING, {**THREE, "LINLI_KAFKA": "broker:9092"})
    assert counted(elsewhere, StoreHealth("kafka", "broker:9092", reachable=True), []).said == "answers"

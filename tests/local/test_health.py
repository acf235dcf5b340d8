"""What `linli status` calls red."""

from typing import Any

from deploy.local.health import Health, ProcessHealth, StoreHealth, flow

WORKER = """
# TYPE linli_relay_pending gauge
linli_relay_pending {pending}
# TYPE linli_relay_oldest_seconds gauge
linli_relay_oldest_seconds {oldest}
# TYPE linli_consumer_lag_records gauge
linli_consumer_lag_records{{topic="linli.requests.v1",partition="0"}} 2.0
linli_consumer_lag_records{{topic="linli.requests.v1",partition="1"}} 3.0
# TYPE linli_parked_events gauge
linli_parked_events{{reaction="a"}} 0.0
"""


def health(**numbers: float) -> Health:
    """All is well, but for these numbers."""
    process = ProcessHealth("gateway", "running", 1, 60, 50, True, "")
    calm: dict[str, Any] = {**flow([("members", WORKER.format(pending=0, oldest=0))]), **numbers}
    return Health("http://127.0.0.1:8080", [process], [StoreHealth("kafka", "127.0.0.1:1", True)], calm)


def test_the_numbers_of_all_workers_become_one() -> None:
    texts = WORKER.format(pending=4, oldest=1.5), WORKER.format(pending=1, oldest=9)
    result = flow(zip(("members", "requests"), texts, strict=True))
    assert (result["relay_pending"], result["relay_oldest_seconds"], result["consumer_lag"]) == (5, 9, 10)


def test_what_two_workers_of_one_service_say_of_the_same_thing_counts_once() -> None:
    """Each has its own partitions and parked events; both see which reactions are on, and whether the group rests."""
    both = """
linli_consumer_resting{state="paused"} 1.0
linli_reaction_on{reaction="tell"} 0.0
linli_reaction_on{reaction="copy-case"} 1.0
linli_parked_events{reaction="tell"} 2.0
"""
    result = flow([("notify", both), ("notify", both), ("requests", both)])
    assert (result["consumers_at_rest"], result["reactions_off"], result["parked_events"]) == (2, 2, 6)


def test_a_number_that_no_worker_reports_is_not_known() -> None:
    assert flow([])["parked_events"] is None


def test_nothing_is_red_when_all_is_well() -> None:
    assert health().red == []
    assert health(consumer_lag=1000, cases_overdue=7).red == []


def test_what_somebody_must_act_on_is_red() -> None:
    assert health(parked_events=1).red == ["parked_events is 1"]
    assert health(relay_stuck=2).red == ["relay_stuck is 2"]
    assert health(relay_oldest_seconds=31).red == ["relay_oldest_seconds is 31"]


def test_a_process_or_store_that_is_away_is_red() -> None:
    worker = ProcessHealth("notify-worker", "running", 2, 5, 80, False, "no partitions")
    store = StoreHealth("mongo-notify", "127.0.0.1:2", False)
    seen = Health("", [worker], [store], flow([]))
    assert seen.red == ["notify-worker is not ready", "mongo-notify does not answer"]
    assert seen.to_json()["red"] == seen.red

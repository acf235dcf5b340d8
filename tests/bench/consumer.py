"""What waits on a topic, taken into inboxes: by notify, by FastStream, and by hand."""

from collections.abc import Mapping

from deploy.local import Trouble
from services.chassis.runtime.service import open_container
from services.notify.app import service
from tests.bench import contenders, load_process
from tests.bench.alongside import apart
from tests.bench.bench import Bench
from tests.bench.contenders import Job, Taken
from tests.bench.figures import Bars, Figure, at_least
from tests.bench.load_process import NotifyLoad

NAME = "consumer"
TITLE = "What waits is applied to inboxes"

EVENTS, QUICK = 20_000, 2_000
PEOPLE = 2_000
AGAINST_FASTSTREAM, AGAINST_HAND = 2.0, 0.4
CONTENDERS = {
    "notify": contenders.by_notify,
    "FastStream, an upsert for each event": contenders.by_faststream,
    "by hand, in bulks of 1,000": contenders.by_hand,
}


async def measure(bench: Bench) -> list[Figure]:
    """The same events from the same topic into the same database, by one contender after the other."""
    events, rates, details = int(bench.pace.seconds(EVENTS, QUICK)), dict[str, float](), dict[str, dict[str, float]]()
    async with load_process.opened(bench, NAME, PEOPLE, events) as post:
        await post.accept_all()
        bench.say(f"  {events:,} events wait")
        job = Job(post.environment, post.topic, events, bench.folder / "consumer.log")
        for name, work in CONTENDERS.items():
            taken = await apart(work, job)
            rates[name], details[name] = events / taken.seconds, _reported(taken, events)
            bench.say(f"  {name}: {rates[name]:,.0f}/s")
        await _expect_complete(post, events)
    return _figures(rates, details)


def _reported(taken: Taken, events: int) -> dict[str, float]:
    return {"s": round(taken.seconds, 2), "processor ms an event": round(taken.processor * 1000 / events, 3)}


async def _expect_complete(post: NotifyLoad, events: int) -> None:
    """Trouble where notify did not do all of it: a message, a line and a memory for each event."""
    container = open_container(service, post.settings)
    messages, lines = await load_process.reported(container)
    remembered = await container.mongo.count("seen", {}, limit=10**9)
    await container.mongo.close()
    if (messages, lines, remembered) != (events, events, events):
        raise Trouble(f"Of {events} events notify made {messages} messages, {lines} lines and {remembered} memories.")


def _figures(rates: Mapping[str, float], details: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    ours, faststream, hand = rates.values()
    chart = Bars("Waiting events applied in a second", "/s", rates)
    reported = {name: {"a second": round(rates[name]), **detail} for name, detail in details.items()}
    return [
        Figure("waiting events applied: message, inbox line, memory", ours, "/s", None, reported, chart),
        Figure("against an upsert for each event by FastStream", ours / faststream, "×", at_least(AGAINST_FASTSTREAM)),
        Figure("against bulks of upserts made by hand", ours / hand, "×", at_least(AGAINST_HAND)),
    ]

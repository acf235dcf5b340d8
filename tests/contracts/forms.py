"""What is put together of parts, by the code that does it: causes, ids, marks, seals, records, chains of hashes."""

from typing import Any, cast
from unittest.mock import patch

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.chassis.domain.events import Recorded
from services.chassis.domain.scope import system_actor as eyes
from services.chassis.domain.values import id_from
from services.chassis.http import problems
from services.chassis.http.auth import Tokens
from services.chassis.http.routes import Routes
from services.chassis.messaging.outgoing import Address
from services.chassis.messaging.reactions import Create
from services.chassis.schedule import timers
from services.chassis.schedule.timers import Timer
from services.chassis.storage.audit import Audit
from services.chassis.storage.vault import Vault
from services.chassis.usecase import Context, usecase
from tests.contracts import toys
from tests.contracts.toys import MASTER, Acting, Toy


async def causes() -> list[str]:
    """What each thing that happens is caused by, as it is stored."""
    acting = Acting()
    acting.mongo.holds["toys"] = [{"_id": "toy_1", "state": {"to": toys.AT}, "history": [], "trace": None}]
    handled = await acting.reaction().batch(acting.container, [toys.delivered()])
    await handled(toys.delivered())
    await timers.sweep(Timer("tick", Toy, "to", acting.tick), acting.container)
    acting.causes.append(acting.container.system_context("toys", "cause").substep("step").cause)
    return sorted([*acting.causes, *await _of_requests(acting)])


class _Somebody:
    """Who brings a token that holds."""

    async def actor(self, _: Any) -> Any:
        return eyes("actor")


class _Audit:
    """Tells nobody."""

    async def tell(self, _: Any) -> None:
        return None


async def _of_requests(acting: Acting) -> list[str]:
    found: list[str] = []

    @usecase(allow="public")
    async def move_toy(ctx: Context, toy_id: str) -> None:
        """Move a toy."""
        found.append(ctx.cause)

    routes, app = Routes("/v1/toys", "toys"), FastAPI()
    problems.install(app, acting.container.texts)
    routes.get("/{toy_id}", move_toy)
    routes.post("/{toy_id}/move", move_toy)
    routes.install(app, acting.container, cast(Tokens, _Somebody()), cast(Audit, _Audit()))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://toys") as client:
        await client.get("/v1/toys/toy_1")
        await client.post("/v1/toys/toy_1/move", headers={"Idempotency-Key": "key"})
    return found


async def values() -> list[str]:
    """One value of each, made of known parts: another label, derivation or order of fields gives another."""
    history = toys.document()["history"]
    made = Create.of(Toy, toys.Acting().container.system_context("toys", "event:toy_1:1:react"), "part", toys.MOVED)
    with patch("secrets.token_bytes", return_value=bytes(12)):
        found = {
            "id_from(toy, cause)": id_from("toy", "cause"),
            "id of what a reaction makes": made.entity.id,
            "the same by hand": id_from("toy", "event:toy_1:1:react:part"),
            "hash of a history's entry": history[0]["hash"],
            "blind(kind, value)": MASTER.blind("kind", "value"),
            "fingerprint(payload)": MASTER.fingerprint(b"payload"),
            "wrapped key": MASTER.wrap(bytes(32), "person_1").hex(),
            "sealed text": await _sealed(),
        }
    return [f"{name} = {value}" for name, value in found.items()]


async def _sealed() -> str:
    mongo = toys.Acting().mongo
    mongo.holds["keys"] = [{"_id": "person_1", "wrapped": MASTER.wrap(bytes(32), "person_1")}]
    vault = Vault(mongo, MASTER)
    await vault.ensure_keys(["person_1"])
    return vault.seal("text", "person_1", "kind")


def record() -> list[str]:
    """A record on its way to the broker."""
    sent = Address("linli.toys.v1", "/linli/city/toys").record(Recorded.load(toys.document()["history"][0]))
    value = (sent.value or b"").decode()
    headers = [f"header {name} = {said}" for name, said in sent.headers.items()]
    return [f"topic = {sent.topic}", f"key = {sent.key}", f"value = {value}", *headers]

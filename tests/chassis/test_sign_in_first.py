"""Who does not sign in learns nothing of a route: no request is read before its token."""

from collections.abc import Iterator

import pytest

from services.chassis.domain.scope import PUBLIC
from services.chassis.http.routes import Route
from services.chassis.runtime.service import Service
from services.chassis.usecase import known_as
from services.members.app import service as members
from services.notify.app import service as notify
from services.requests.app import service as requests
from tests.support.world import World

SERVICES = {service.name: service for service in (members, requests, notify)}
TOO_LONG = "x" * 100
"""Longer than any part of a path may be."""
BODIES = {"no JSON": b"{", "a list": b"[]", "no body": b"", "an unknown field": b'{"nothing-of-this-name": 1}'}
MEDIA = ("application/json", "text/plain")


def routes(service: Service) -> Iterator[tuple[str, Route]]:
    """Every route of a service, with a path whose values are wrong."""
    for table in service.routes:
        for route in table.routes:
            parts = f"{table.prefix}{route.path}".split("/")
            yield "/".join(TOO_LONG if part.startswith("{") else part for part in parts), route


@pytest.mark.parametrize("name", SERVICES)
async def test_what_is_wrong_with_a_request_is_said_to_nobody_who_does_not_sign_in(world: World, name: str) -> None:
    container = await world.container(SERVICES[name])
    async with world.client(world.app(SERVICES[name])) as client:
        for path, route in routes(SERVICES[name]):
            for body in BODIES.values():
                for media in MEDIA:
                    headers = {"content-type": media, "if-match": "wrong"}
                    asked = (route.method, f"{path}?limit=wrong")
                    if PUBLIC not in known_as(route.work).allow:
                        answer = await client.request(*asked, content=body, headers=headers)
                        assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed"), asked
                    if not route.anonymous:
                        forged = {**headers, "authorization": "Bearer a.b.c"}
                        answer = await client.request(*asked, content=body, headers=forged)
                        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid"), asked
    await container.mongo.close()

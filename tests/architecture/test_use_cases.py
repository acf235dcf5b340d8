"""Every route leads to a use case, and every use case says in a sentence what it does and for whom it is."""

import importlib
import re
from collections import Counter

import pytest

from deploy.gateway.intro import TAGS
from deploy.gateway.routes import PUBLIC as PATHS
from services.chassis.domain.refusals import REFUSALS, Kind, Refusal
from services.chassis.domain.scope import PUBLIC, SYSTEM
from services.chassis.http.problems import STATUS
from services.chassis.http.routes import Route, Routes
from services.chassis.runtime.service import Service
from services.chassis.storage.audit import Action
from services.chassis.storage.revocations import FIELD as TOKENS_UNTIL
from services.chassis.usecase import REGISTER, Context, UseCase, known_as, usecase
from services.contracts.members.accounts import REVOKING
from services.contracts.members.roles import Role
from tests.support.world import NAMES, World

SERVICES: dict[str, Service] = {name: importlib.import_module(f"services.{name}.app").service for name in NAMES}
ROUTES = [(name, table, route) for name, one in SERVICES.items() for table in one.routes for route in table.routes]


def test_every_route_leads_to_a_use_case_with_a_permission() -> None:
    known = {PUBLIC, SYSTEM, *Role}
    assert len(ROUTES) > 20
    for name, table, route in ROUTES:
        allow = known_as(route.work).allow
        assert allow, (name, table.prefix, route.path)
        assert set(allow) <= known, f"{route.work.__name__} is for {allow}, of which some are no roles"
        assert SYSTEM not in allow or len(allow) > 1, f"{route.work.__name__} is for nobody who can come here"


def test_every_service_that_answers_requests_learns_whose_tokens_are_refused() -> None:
    revoking = {event.type_name() for event in REVOKING}
    for name, service in SERVICES.items():
        owns = {event for kind in service.signed_in for event in kind.events}
        heard = {type for one in service.all_reactions if one.name == "revoke-tokens" for type in one.types}
        assert (owns or heard) >= revoking, f"{name} would take tokens of sessions that have ended"
        assert all(TOKENS_UNTIL in kind.model_fields for kind in service.signed_in)


def _writes_accounts(known: UseCase) -> bool:
    """Whether it gives or takes rights."""
    return known.changes and known.allow != (SYSTEM,) and known.name.startswith(_OF_ACCOUNTS)


_OF_ACCOUNTS = ("members.accounts.open", "members.accounts.grant", "members.accounts.close")
_FOR_GOOD = re.compile(r"\b_?(unmask|export|erase|forget)")
"""Routes that show somebody in clear, hand data out, or destroy it."""


def test_what_nobody_can_take_back_asks_the_database_whether_the_token_still_holds() -> None:
    rights = {name for name, known in REGISTER.items() if _writes_accounts(known)}
    routed = {known_as(route.work).name for _, _, route in ROUTES if _FOR_GOOD.search(route.path)}
    routed |= {known_as(route.work).name for _, _, route in ROUTES if route.audited is Action.UNMASK}
    assert rights >= {"members.accounts.open_account", "members.accounts.grant_roles", "members.accounts.close_account"}
    assert routed >= {"members.people.unmask", "requests.cases.forgetting.forget"}
    assert [name for name in sorted(rights | routed) if not REGISTER[name].live] == []


def test_every_use_case_says_in_a_sentence_what_it_does() -> None:
    for _, _, route in ROUTES:
        sentence = known_as(route.work).sentence.split("\n")[0]
        assert sentence[:1].isupper(), route.work.__name__
        assert sentence.endswith((".", "…")), route.work.__name__


def test_no_two_routes_are_the_same() -> None:
    routes = Counter((route.method, table.prefix + route.path) for _, table, route in ROUTES)
    assert [route for route, count in routes.items() if count > 1] == []


def test_every_url_begins_with_its_version() -> None:
    for _, table, route in ROUTES:
        assert (table.prefix + route.path).startswith(("/v1/", "/.well-known/")), table.prefix + route.path


def test_the_gateway_knows_the_way_to_every_route_and_its_pages_describe_each_group() -> None:
    for name, table, route in ROUTES:
        path = table.prefix + route.path
        assert any(path == known or path.startswith(f"{known}/") for known in PATHS[name]), path
        assert table.tag in TAGS, table.tag


@pytest.mark.parametrize("name", NAMES)
def test_an_application_serves_only_what_its_table_says(world: World, name: str) -> None:
    document = world.app(SERVICES[name]).openapi()
    served = {(method.upper(), path) for path, routes in document["paths"].items() for method in routes}
    tabled = {(route.method, table.prefix + route.path) for one, table, route in ROUTES if one == name}
    assert served == tabled
    for routes in document["paths"].values():
        for route in routes.values():
            assert route["x-linli-roles"]


@pytest.mark.parametrize("name", NAMES)
def test_every_refusal_is_described_as_the_problem_that_comes(world: World, name: str) -> None:
    document = world.app(SERVICES[name]).openapi()
    assert "detail" in document["components"]["schemas"]["Problem"]["properties"]
    for route in (route for routes in document["paths"].values() for route in routes.values()):
        contents = [said["content"] for code, said in route["responses"].items() if code >= "400"]
        assert contents, route["operationId"]
        for content in contents:
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_a_route_without_a_use_case_cannot_be_opened(world: World) -> None:
    async def unguarded(ctx: Context) -> None:
        """Do something without a permission."""

    table = Routes("/v1/unguarded", "unguarded")
    table.get("", unguarded)
    with pytest.raises(AttributeError, match="__usecase__"):
        world.app(Service(name="members", entities=(), routes=(table,)))


def test_a_use_case_without_a_permission_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="allow"):
        usecase()  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="allow"):
        usecase(allow=())
    with pytest.raises(ValueError, match="allow"):
        usecase(allow="")


def test_codes_of_refusals_are_unique() -> None:
    ours = [kind for kind in _all_refusals() if kind.__module__.startswith("services.")]
    codes = Counter(kind.code() for kind in ours)
    assert [code for code, count in codes.items() if count > 1] == []
    for kind in ours:
        assert REFUSALS[kind.code()] is kind
        assert kind.kind in Kind, kind
        assert kind.kind in STATUS


def _all_refusals() -> list[type[Refusal]]:
    return list(dict.fromkeys([*REFUSALS.values(), *_below(Refusal)]))


def _below(kind: type[Refusal]) -> list[type[Refusal]]:
    return [one for direct in kind.__subclasses__() for one in (direct, *_below(direct))]


def test_a_location_names_where_the_new_thing_is_found() -> None:
    for _, _, route in ROUTES:
        if isinstance(route, Route) and route.location:
            assert route.location.startswith("/v1/")
            assert "{id}" in route.location

"""A use case becomes a route: a table of path, use case and view, without a second copy of the signature."""

import inspect
import re
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any, get_type_hints

from fastapi import Body, Depends, FastAPI, Header, Path, Query, Request, Response, params
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from services.chassis.domain.entity import Stored
from services.chassis.domain.paging import Page
from services.chassis.domain.refusals import Invalid, KeyNeeded
from services.chassis.domain.scope import PUBLIC, Actor
from services.chassis.http import problems
from services.chassis.http.audit_recorder import AuditRecorder, action_of
from services.chassis.http.auth import Tokens
from services.chassis.http.identification import identifying
from services.chassis.http.pages import Paged
from services.chassis.http.payloads import canonical
from services.chassis.http.problems import language_of
from services.chassis.http.sse import Stream
from services.chassis.storage.audit import Action, Audit
from services.chassis.usecase import Command, Container, Context, UseCase, known_as

_BEARER = HTTPBearer(auto_error=False, description="the token of `POST /v1/sign-in/tokens` or `…/staff`")
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')
_PROBLEMS: dict[int, str] = {
    401: "sign in first, or the token is not valid",
    403: "your role does not allow this",
    404: "it does not exist, or you may not see it",
    409: "its state does not allow this now",
    412: "it has changed since the version in If-Match",
    422: "something in what was sent is wrong",
    428: "an Idempotency-Key is needed",
    429: "too many requests; Retry-After says when to try again",
    503: "busy or away; repeat after Retry-After with the same key",
}

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
KeyHeader = Annotated[
    str | None, Header(description="makes a repeat harmless: same key, same payload, same answer", max_length=128)
]
MatchHeader = Annotated[str | None, Header(description="the ETag you saw; refused with 412 where it has changed since")]


@dataclass(frozen=True)
class Route:
    """One route: method, path, and the use case behind it."""

    method: str
    path: str
    work: Callable[..., Coroutine[Any, Any, Any]]
    view: type[Any] | None
    status: int
    listed: bool = False
    location: str | None = None
    keyed: bool = False
    audited: Action | None = None
    versioned: bool = True
    """Whether the answer says the version of what was changed: not to who may not see it."""
    anonymous: bool = False
    """Whether a token is not looked at: who signs in may still send one that is over."""


@dataclass
class Routes:
    """The table of the routes of one sub-domain, under one prefix."""

    prefix: str
    tag: str
    routes: list[Route] = field(default_factory=list)

    def get(self, path: str, work: Any, *, view: type[Any] | None = None) -> None:
        """Read one object."""
        self.routes.append(Route("GET", path, work, view, 200))

    def list(self, path: str, work: Any, *, view: type[Any]) -> None:
        """Read a page of objects."""
        self.routes.append(Route("GET", path, work, view, 200, listed=True, audited=Action.LIST))

    def find(self, path: str, work: Any, *, view: type[Any]) -> None:
        """Read a page of objects by what must not stand in an address: who somebody is."""
        self.routes.append(Route("POST", path, work, view, 200, listed=True, audited=Action.LIST))

    def post(
        self,
        path: str,
        work: Any,
        *,
        view: type[Any] | None = None,
        status: int = 201,
        location: str | None = None,
        keyed: bool = True,
        audited: Action | None = None,
        versioned: bool = True,
        anonymous: bool = False,
    ) -> None:
        """Create something, or take a step. ``location`` with {id} is where a new object is found.

        ``audited`` says how the answer is recorded if it shows more than was just recorded.
        """
        self.routes.append(
            Route(
                "POST",
                path,
                work,
                view,
                status,
                location=location,
                keyed=keyed,
                audited=audited,
                versioned=versioned,
                anonymous=anonymous,
            )
        )

    def put(self, path: str, work: Any, *, view: type[Any] | None = None) -> None:
        """Set something; a repeat changes nothing."""
        self.routes.append(Route("PUT", path, work, view, 200))

    def delete(self, path: str, work: Any, *, view: type[Any] | None = None, versioned: bool = True) -> None:
        """Remove something."""
        self.routes.append(Route("DELETE", path, work, view, 200 if view else 204, versioned=versioned))

    def install(self, app: FastAPI, container: Container, tokens: Tokens, audit: Audit) -> None:
        """Install the routes in the application itself: an included router would build its routes twice."""
        for route in self.routes:
            known = known_as(route.work)
            recorder = AuditRecorder(container, audit, known.name)
            name = f"{route.method} {self.prefix}{route.path}"
            signed_in = identifying(None if route.anonymous else tokens, known, recorder, name)
            self._open(app, route, known, _endpoint(route, container, recorder), signed_in)

    def _open(
        self, app: FastAPI, route: Route, known: UseCase, endpoint: Callable[..., Any], signed_in: type[APIRoute]
    ) -> None:
        if route.method == "GET" and not _live(route):
            # The server leaves the content out.
            app.router.add_api_route(
                f"{self.prefix}{route.path}",
                endpoint,
                methods=["HEAD"],
                include_in_schema=False,
                route_class_override=signed_in,
            )
        model: Any = Paged[route.view] if route.listed and route.view else route.view  # type: ignore[name-defined]
        roles = "everybody" if PUBLIC in known.allow else ", ".join(known.allow)
        app.router.add_api_route(
            f"{self.prefix}{route.path}",
            endpoint,
            methods=[route.method],
            route_class_override=signed_in,
            tags=[self.tag],
            status_code=route.status,
            response_model=model,
            summary=known.sentence.split("\n")[0],
            description=f"{known.sentence}\n\nFor: {roles}.",
            operation_id=known.name.replace(".", "_"),
            responses={
                **_live(route),
                **{code: {"description": text, "content": problems.CONTENT} for code, text in _PROBLEMS.items()},
            },
            openapi_extra={"x-linli-roles": list(known.allow), **({"security": [{}]} if PUBLIC in known.allow else {})},
        )


def _live(route: Route) -> dict[int | str, dict[str, Any]]:
    if get_type_hints(route.work).get("return") is not Stream:
        return {}
    return {200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}}


def _endpoint(route: Route, container: Container, recorder: AuditRecorder) -> Callable[..., Any]:
    hints = get_type_hints(route.work, include_extras=True)
    names = [name for name in inspect.signature(route.work).parameters if name != "ctx"]

    async def endpoint(request: Request, **given: Any) -> Response:
        ctx = await _context(route, container, request)
        result = await route.work(ctx, *(given[name] for name in names))
        response = await _response(route, ctx, result)
        await recorder.shown(request, ctx, action_of(route.audited, route.method, result))
        return response

    endpoint.__signature__ = _signature(route, names, hints)  # type: ignore[attr-defined]
    endpoint.__name__ = route.work.__name__
    return endpoint


def _signature(route: Route, names: list[str], hints: dict[str, Any]) -> inspect.Signature:
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("request", kind, annotation=Request)]
    given = inspect.signature(route.work).parameters
    parameters += [
        inspect.Parameter(n, kind, annotation=_source(n, hints[n], route), default=given[n].default) for n in names
    ]
    parameters.append(inspect.Parameter("bearer", kind, annotation=Credentials, default=None))
    if route.method != "GET":
        parameters.append(inspect.Parameter("idempotency_key", kind, annotation=KeyHeader, default=None))
        parameters.append(inspect.Parameter("if_match", kind, annotation=MatchHeader, default=None))
    return inspect.Signature(parameters)


def _source(name: str, hint: Any, route: Route) -> Any:
    """Where a parameter comes from: a command from the body, a query model from the query string, the rest from the
    path."""
    if isinstance(hint, type) and issubclass(hint, Command):
        return Annotated[hint, Body(default_factory=hint) if _may_be_missing(hint, route) else Body()]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return Annotated[hint, Query()]
    if f"{{{name}}}" in route.path:
        return Annotated[hint, Path(max_length=80)]
    if any(isinstance(mark, params.Header) for mark in getattr(hint, "__metadata__", ())):
        return hint
    return Annotated[hint, Query()]


def _may_be_missing(body: type[Command], route: Route) -> bool:
    """Whether a request may come without a body: where all fields are optional, but not that of a PUT, which would
    empty what it replaces."""
    return route.method == "POST" and not any(field.is_required() for field in body.model_fields.values())


async def _context(route: Route, container: Container, request: Request) -> Context:
    language, trace = language_of(request), request.state.trace
    actor: Actor = request.state.actor
    if route.method == "GET":
        return container.context(actor, "read", trace=trace, language=language)
    key = request.headers.get("idempotency-key")
    if key is None and route.keyed:
        raise KeyNeeded
    if key is not None and not _KEY.fullmatch(key):
        raise KeyNeeded
    payload = canonical(await request.body())
    return container.context(
        actor,
        f"http:{actor.id}:{route.method}:{request.url.path}:{key or secrets.token_hex(16)}",
        fingerprint=container.vault.master.fingerprint(payload),
        trace=trace,
        language=language,
        if_match=_versions(request.headers.get("if-match")),
    )


def _versions(etags: str | None) -> frozenset[int] | None:
    """The versions of which one must be the present one (RFC 9110 §13.1.1); None: any."""
    if etags is None or etags.strip() == "*":
        return None
    found = [_ETAG.fullmatch(etag.strip()) for etag in etags.split(",")]
    if None in found:
        raise Invalid(problem='If-Match: "<version>"')
    return frozenset(int(one[1]) for one in found if one)


async def _response(route: Route, ctx: Context, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
    if isinstance(result, Stored) and route.versioned:
        headers["ETag"] = f'"{result.version}"'
        if route.location:
            headers["Location"] = route.location.format(id=result.id)
    if route.view is None:
        return Response(status_code=204 if result is None else route.status, headers=headers)
    body = await _viewed(route, ctx, result)
    return Response(body.model_dump_json(), route.status, headers, "application/json")


async def _viewed(route: Route, ctx: Context, result: Any) -> BaseModel:
    things = result.items if isinstance(result, Page) else result if isinstance(result, list) else [result]
    await ctx.vault.ensure_keys({s for thing in things if isinstance(thing, Stored) for s in thing.key_subjects()})
    assert route.view is not None
    views = [thing if isinstance(thing, route.view) else route.view.of(thing, ctx) for thing in things]
    if not route.listed:
        one: BaseModel = views[0]
        return one
    following = result.next if isinstance(result, Page) else None
    page: BaseModel = Paged[route.view](items=views, next=following)  # type: ignore[name-defined]
    return page

"""Refusals as problem+json (RFC 9457): the only place where an HTTP status is chosen."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from services.chassis.domain.refusals import AddressUnknown, BodyTooLarge, Invalid, Kind, Refusal
from services.chassis.domain.texts import Texts
from services.chassis.domain.values import PATTERNS
from services.chassis.domain.words import FALLBACKS
from services.chassis.http.wording import field_of, problem_of
from services.chassis.telemetry import logs, tracing

log = logs.get()

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.STATE: 409,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.REQUIRED: 428,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
    Kind.OUTDATED: 503,
}
MAX_BODY = 1024 * 1024
"""The largest body that is read, in bytes."""
_METHODS = ("DELETE", "GET", "POST", "PUT")
_MEDIA = "application/problem+json"
_REF = "#/components/schemas/{model}"


class MethodUnknown(Refusal):
    kind = Kind.NOT_FOUND


class Malformed(Refusal):
    kind = Kind.INVALID


class MediaUnknown(Refusal):
    kind = Kind.INVALID


class Broken(Refusal):
    kind = Kind.UNAVAILABLE


_OWN_STATUS: Mapping[type[Refusal], int] = {MethodUnknown: 405, MediaUnknown: 415, Broken: 500}
"""Refusals that have a status of their own in HTTP, whatever their kind."""


class Problem(BaseModel):
    """What a refusal looks like on the wire."""

    type: str = Field(examples=["urn:linli:problem:not-found"])
    title: str = Field(description="the kind of refusal, in the language asked for", examples=["Not found"])
    status: int = Field(examples=[404])
    code: str = Field(description="stable; programs may rely on it", examples=["not-found"])
    detail: str = Field(description="what happened and what to do, in the language asked for")
    errors: list[dict[str, str]] | None = Field(None, description="the fields that are wrong, where fields are")
    params: dict[str, Any] | None = Field(None, description="the values in the sentence")


CONTENT: Mapping[str, Any] = {_MEDIA: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}}
"""How a response in OpenAPI refers to the problem model: by name, because FastAPI would build a model for each route.
"""


def texts_of(request: Request) -> Texts:
    """The texts of the application that answers a request."""
    texts: Texts = request.app.state.texts
    return texts


def language_of(request: Request) -> str:
    """The language that a request asks for, of those that there are."""
    return texts_of(request).negotiate(request.headers.get("accept-language", ""))


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status of a refusal."""
    return _OWN_STATUS.get(refusal) or STATUS[refusal.kind]


def answer(refusal: Refusal, texts: Texts, language: str, errors: Any = None) -> Response:
    """The response for a refusal."""
    code, status = refusal.code(), status_of(type(refusal))
    problem = {
        "type": f"urn:linli:problem:{code}",
        "title": texts.title(refusal.kind, language),
        "status": status,
        "code": code,
        "detail": texts.sentence(refusal, language),
        **({"params": refusal.as_record()["params"]} if refusal.params else {}),
        **({"errors": errors} if errors else {}),
    }
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(problem), status, headers, _MEDIA)


def install(app: FastAPI, texts: Texts) -> None:
    """Make an application answer refusals, invalid input and bugs as problems, in the language asked for."""
    app.state.texts = texts
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _broken)
    app.openapi = _completed(app.openapi, texts)  # type: ignore[method-assign]  # as FastAPI extends it
    logging.getLogger("uvicorn.error").addFilter(_is_not_logged_yet)


def _completed(openapi: Callable[[], dict[str, Any]], texts: Texts) -> Callable[[], dict[str, Any]]:
    """The same document, with the schema that ``CONTENT`` refers to, and with what each pattern means."""

    def described() -> dict[str, Any]:
        document = openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas[Problem.__name__] = Problem.model_json_schema(mode="serialization", ref_template=_REF)
        _describe_patterns(document, texts)
        return document

    return described


def _describe_patterns(document: Any, texts: Texts) -> None:
    """Nobody should have to read a pattern: a field that has one and no description gets the words for it."""
    if isinstance(document, list):
        for one in document:
            _describe_patterns(one, texts)
    elif isinstance(document, dict):
        name = PATTERNS.get(str(document.get("pattern")))
        if name is not None:
            document.setdefault("description", texts.get("patterns", name, FALLBACKS[0]))
        for one in document.values():
            _describe_patterns(one, texts)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _answer(request, error)


def _answer(request: Request, refusal: Refusal, errors: Any = None) -> Response:
    return answer(refusal, texts_of(request), language_of(request), errors)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _is_unread(request, error):
        return _answer(request, MediaUnknown())
    texts, language = texts_of(request), language_of(request)
    errors = [{"field": field_of(e), "problem": problem_of(e, texts, language)} for e in error.errors()[:20]]
    text = "; ".join(f"{e['field']} {e['problem']}" for e in errors[:3])
    return answer(Invalid(problem=text), texts, language, errors)


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(request, AddressUnknown())
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        response = _answer(request, MethodUnknown(allowed=allowed))
        response.headers["Allow"] = allowed
        return response
    if error.status_code == 413:
        return _answer(request, BodyTooLarge(limit=MAX_BODY))
    return _answer(request, Malformed())


def _is_unread(request: Request, error: RequestValidationError) -> bool:
    """Whether a body was not parsed because its content type is not JSON."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media == "application/json" or media.endswith("+json")
    return not is_json and any(tuple(e["loc"]) == ("body",) and e["type"] != "missing" for e in error.errors())


def _methods(request: Request) -> list[str]:
    """The methods of a path: each method is a route of its own, so the framework reports only one."""
    return [method for method in _METHODS if _takes(request, method)]


def _takes(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _broken(request: Request, error: Exception) -> Response:
    trace = getattr(request.state, "trace", None) or tracing.parent_of(request.headers)
    with tracing.bound(trace):
        log.error("a request failed", route=getattr(request.scope.get("route"), "path", "?"), exc_info=error)
    return _answer(request, Broken(trace_id=tracing.id_of(trace)))


def _is_not_logged_yet(record: logging.LogRecord) -> bool:
    """Drop the server's own line about a failed request: ``_broken`` has logged it, with its trace."""
    return not str(record.msg).startswith("Exception in ASGI application")

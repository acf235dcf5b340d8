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

from services.chassis.domain.refusals import TITLES, AddressUnknown, BodyTooLarge, Invalid, Kind, Refusal
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
    zh = "这个地址不支持该方法，可用：{allowed}。"
    en = "This address does not take that method; it takes {allowed}."


class Malformed(Refusal):
    kind = Kind.INVALID
    zh = "无法读取提交的内容：应为 UTF-8 编码的 JSON。"
    en = "What was sent cannot be read: it must be JSON in UTF-8."


class MediaUnknown(Refusal):
    kind = Kind.INVALID
    zh = "请在请求头中写明 Content-Type: application/json。"
    en = "Send the header Content-Type: application/json."


class Broken(Refusal):
    kind = Kind.UNAVAILABLE
    zh = "系统内部出错，已记录。请稍后用同一个 Idempotency-Key 重试；报修时请提供 trace 编号 {trace_id}。"
    en = (
        "Something is broken here; it has been noted. Try again later with the same Idempotency-Key; "
        "when you report it, give the trace id {trace_id}."
    )


_OWN_STATUS: Mapping[type[Refusal], int] = {MethodUnknown: 405, MediaUnknown: 415, Broken: 500}
"""Refusals that have a status of their own in HTTP, whatever their kind."""


class Problem(BaseModel):
    """What a refusal looks like on the wire."""

    type: str = Field(examples=["urn:linli:problem:not-found"])
    title: str = Field(description="what sort of no it is, in the language asked for", examples=["Not found"])
    status: int = Field(examples=[404])
    code: str = Field(description="stable; a program may rest on it", examples=["not-found"])
    detail: str = Field(description="what happened and what to do, in the language asked for")
    errors: list[dict[str, str]] | None = Field(None, description="the fields that are wrong, where fields are")
    params: dict[str, Any] | None = Field(None, description="the values in the sentence")


CONTENT: Mapping[str, Any] = {_MEDIA: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}}
"""How a response in OpenAPI refers to the problem model: by name, because FastAPI would build a model for each route.
"""


def language_of(request: Request) -> str:
    """``zh`` or ``en``, by Accept-Language; zh where neither is asked for."""
    for choice in request.headers.get("accept-language", "").lower().split(","):
        tag = choice.split(";")[0].strip()
        if tag.startswith(("zh", "en")):
            return tag[:2]
    return "zh"


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status of a refusal."""
    return _OWN_STATUS.get(refusal) or STATUS[refusal.kind]


def answer(refusal: Refusal, language: str, errors: Any = None) -> Response:
    """The response for a refusal."""
    code, status = refusal.code(), status_of(type(refusal))
    problem = {
        "type": f"urn:linli:problem:{code}",
        "title": TITLES[refusal.kind][language],
        "status": status,
        "code": code,
        "detail": refusal.sentence(language),
        **({"params": refusal.params} if refusal.params else {}),
        **({"errors": errors} if errors else {}),
    }
    headers = {"Content-Language": language, "Cache-Control": "no-store"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(problem, default=str), status, headers, _MEDIA)


def install(app: FastAPI) -> None:
    """Make an application answer refusals, invalid input and bugs as problems."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _broken)
    app.openapi = _naming(app.openapi)  # type: ignore[method-assign]  # as FastAPI extends it
    logging.getLogger("uvicorn.error").addFilter(_untold)


def _naming(openapi: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The same document, with the schema that ``CONTENT`` refers to."""

    def described() -> dict[str, Any]:
        document = openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas[Problem.__name__] = Problem.model_json_schema(mode="serialization", ref_template=_REF)
        return document

    return described


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return answer(error, language_of(request))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = language_of(request)
    if _is_unread(request, error):
        return answer(MediaUnknown(), language)
    errors = [{"field": field_of(e), "problem": problem_of(e, language)} for e in error.errors()[:20]]
    told = "; ".join(f"{e['field']} {e['problem']}" for e in errors[:3])
    return answer(Invalid(problem=told), language, errors=errors)


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    language = language_of(request)
    if error.status_code == 404:
        return answer(AddressUnknown(), language)
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        response = answer(MethodUnknown(allowed=allowed), language)
        response.headers["Allow"] = allowed
        return response
    if error.status_code == 413:
        return answer(BodyTooLarge(limit=MAX_BODY), language)
    return answer(Malformed(), language)


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
    return answer(Broken(trace_id=tracing.id_of(trace)), language_of(request))


def _untold(record: logging.LogRecord) -> bool:
    """Drop the server's own line about a failed request: ``_broken`` has logged it, with its trace."""
    return not str(record.msg).startswith("Exception in ASGI application")

"""One OpenAPI document out of three."""

from typing import Any

from deploy.gateway.merge import merge
from deploy.gateway.routes import PUBLIC


def document(path: str, **schemas: Any) -> dict[str, Any]:
    answer = {"$ref": f"#/components/schemas/{next(iter(schemas))}"} if schemas else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "one", "version": "0.1.0"},
        "paths": {path: {"get": {"responses": {"200": answer}}}, "/metrics": {"get": {}}},
        "components": {"schemas": schemas},
    }


def test_only_public_paths_are_described() -> None:
    merged = merge({"members": document("/v1/areas/{code}"), "requests": document("/v1/requests")}, PUBLIC)
    assert set(merged["paths"]) == {"/v1/areas/{code}", "/v1/requests"}
    assert (merged["info"]["title"], merged["info"]["version"]) == ("Linli", "0.1.0")


def test_a_schema_that_two_share_is_there_once() -> None:
    both = {
        "members": document("/v1/areas", Problem={"type": "object"}),
        "notify": document("/v1/inbox", Problem={"type": "object"}),
    }
    assert list(merge(both, PUBLIC)["components"]["schemas"]) == ["Problem"]


def test_schemas_of_one_name_that_differ_are_kept_apart_with_their_references() -> None:
    both = {
        "members": document("/v1/areas", View={"type": "object"}),
        "notify": document("/v1/inbox", View={"type": "string"}),
    }
    merged = merge(both, PUBLIC)
    assert merged["components"]["schemas"] == {"View": {"type": "object"}, "NotifyView": {"type": "string"}}
    reference = merged["paths"]["/v1/inbox"]["get"]["responses"]["200"]
    assert reference == {"$ref": "#/components/schemas/NotifyView"}


def test_nothing_to_merge_is_an_empty_document() -> None:
    assert merge({}, PUBLIC)["paths"] == {}

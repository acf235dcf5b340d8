"""The page of events: what the services tell each other."""

from docs.generate import tables
from docs.generate.catalogue import SERVICES, contract_events, contract_package
from docs.generate.tables import first_line, table
from services.chassis.domain.events import Event


def _event(kind: type[Event]) -> str:
    """One event: what it says and its fields."""
    properties = kind.model_json_schema().get("properties", {})
    rows = [
        (f"`{name}`", _type(field), "yes" if kind.model_fields[name].is_required() else "")
        for name, field in properties.items()
    ]
    fields = table(("field", "type", "required"), rows) if rows else "No fields: the entity's id says it all."
    shape = f" Shape {kind.schema_version}." if kind.schema_version > 1 else ""
    return f"### `{kind.type_name()}`\n\n{first_line(kind.__doc__)}{shape}\n\n{fields}"


_HOW = (
    "CloudEvents 1.0 in Kafka's binary mode: the envelope in headers (`ce_id`, `ce_type`, `ce_source`, `ce_time`, "
    "`ce_subject`, `ce_schema`, `ce_actor`, `traceparent`), the fields below as JSON in the value, the entity's "
    "id as key. Sealed fields are encrypted (decision 5). Fields are only ever added, and optional; "
    "where that was not enough, the event has another shape (`ce_schema`, decision 10)."
)


def page() -> str:
    """The whole page."""
    parts = [_HOW]
    for name in SERVICES:
        sentence = first_line(contract_package(name).__doc__)
        parts += [f"## {name}\n\n{sentence}", *(_event(kind) for kind in contract_events(name))]
    return tables.page("Events", *parts)


def _type(field: dict[str, object]) -> str:
    if "anyOf" in field and isinstance(field["anyOf"], list):
        return " or ".join(_type(choice) for choice in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if field.get("type") == "array" and isinstance(field.get("items"), dict):
        return f"list of {_type(field['items'])}"  # type: ignore[arg-type]
    return str(field.get("format") or field.get("type") or "any")

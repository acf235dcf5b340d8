"""The page of settings."""

from docs.generate import tables
from services.chassis.ops.settings import Settings


def page() -> str:
    """Every setting of a process, with its default."""
    rows = [
        (f"`LINLI_{name.upper()}`", "needed" if field.is_required() else f"`{field.default}`", field.description)
        for name, field in Settings.model_fields.items()
    ]
    how = "Read from the environment when a process starts; what is missing is named all at once. `linli up` sets them."
    return tables.page("Settings", how, tables.table(("setting", "default", "meaning"), rows))

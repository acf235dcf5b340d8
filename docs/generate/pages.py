"""Every generated page by its file name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import asyncapi, events, metrics, notices, openapi, problems, settings, steps

FOLDER = Path(__file__).resolve().parents[1]


PAGES: Mapping[str, Callable[[], str]] = {
    "events.md": events.page,
    "metrics.md": metrics.page,
    "notices.md": notices.page,
    "problems.md": problems.page,
    "settings.md": settings.page,
    "steps.md": steps.page,
    "asyncapi.json": asyncapi.document,
    "openapi.json": openapi.document,
}
"""What makes each page as the code says it now."""

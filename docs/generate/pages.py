"""Every generated page by its file name."""

from pathlib import Path

from docs.generate import asyncapi, events, metrics, openapi, problems, settings, steps

FOLDER = Path(__file__).resolve().parents[1]


def pages() -> dict[str, str]:
    """The pages as the code makes them now."""
    return {
        "events.md": events.page(),
        "metrics.md": metrics.page(),
        "problems.md": problems.page(),
        "settings.md": settings.page(),
        "steps.md": steps.page(),
        "asyncapi.json": asyncapi.document(),
        "openapi.json": openapi.document(),
    }

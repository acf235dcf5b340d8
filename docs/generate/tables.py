"""Small pieces of Markdown."""

from collections.abc import Iterable, Sequence

MADE = "<!-- made by `make docs` from the code: do not edit -->"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; pipes in cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines)


def page(title: str, *parts: str) -> str:
    """A page that says where it comes from."""
    return "\n\n".join([f"# {title}", MADE, *parts]) + "\n"


def first_line(text: str | None) -> str:
    """The first line of a docstring."""
    return (text or "").strip().split("\n")[0]

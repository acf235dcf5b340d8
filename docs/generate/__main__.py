"""``python -m docs.generate``: write every generated page."""

import sys

from docs.generate.pages import FOLDER, PAGES


def main() -> None:
    """Write what differs and say so."""
    for name, make in PAGES.items():
        text, file = make(), FOLDER / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            sys.stdout.write(f"docs/{name} written\n")


if __name__ == "__main__":
    main()

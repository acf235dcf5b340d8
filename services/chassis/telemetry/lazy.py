"""What only some settings or commands need is loaded when they do: it would be memory of every process, or time of
every command."""

import importlib
from typing import Any


def lazy_import(module: str, name: str) -> Any:
    """This name of this module. Only for the modules that ``tests/architecture/test_weight.py`` lists."""
    return getattr(importlib.import_module(module), name)

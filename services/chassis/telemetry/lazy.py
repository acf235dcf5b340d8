"""Loads modules on demand that only some settings or commands need: they would cost every process memory, or every
command time."""

import importlib
from typing import Any


def lazy_import(module: str, name: str) -> Any:
    """This name of this module. Only for the modules that ``tests/architecture/test_weight.py`` lists."""
    return getattr(importlib.import_module(module), name)

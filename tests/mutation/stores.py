"""One broker and three databases for all mutants, in a process of their own: what starts them loads the chassis."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ("LINLI_KAFKA", "LINLI_MONGO_MEMBERS", "LINLI_MONGO_REQUESTS", "LINLI_MONGO_NOTIFY")
"""The variables in which tests look for stores; kept here too, because tests.support loads the chassis."""


@contextmanager
def running(root: Path) -> Iterator[None]:
    """Put their addresses into the environment, unless it names some already."""
    if all(os.environ.get(name) for name in NAMES):
        yield
        return
    command = [sys.executable, "-m", "tests.mutation.store_process"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starting:
        assert starting.stdin is not None
        assert starting.stdout is not None
        try:
            os.environ |= json.loads(starting.stdout.readline())
            yield
        finally:
            starting.stdin.close()

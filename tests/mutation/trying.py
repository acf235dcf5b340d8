"""Tries a mutant: a process that is forked for it runs tests with the changed module in memory; no file is changed."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import pickle
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import CodeType, ModuleType
from typing import Generic, TypeVar

import pytest

from tests.mutation.covering import Covering, Recorder
from tests.mutation.mutants import Mutant

T = TypeVar("T")
_PYTEST = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-q", "--assert=plain", "--no-header", "--tb=no")
_OURS = ("services", "tests", "deploy", "docs")


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    BROKEN = "broken"
    """Killed as well: with it the tests could not even be loaded."""
    SLOW = "too slow"
    """Killed as well: the tests did not end in time."""
    SURVIVED = "survived"
    UNSEEN = "unseen"
    """No test runs it: it has survived."""
    EQUIVALENT = "equivalent"
    """It does the same as the code, and was not tried."""


DEAD = (Outcome.KILLED, Outcome.BROKEN, Outcome.SLOW)


def cover(root: Path, files: Sequence[Path], tests: Sequence[str]) -> Covering:
    """Run these tests once, and see which lines of the files they run."""

    def recorded() -> Covering:
        recorder = Recorder(files)
        pytest.main([*_PYTEST, "--color=no", *tests], plugins=[recorder])
        return recorder.covering([name for name in sys.modules if name.split(".")[0] not in _OURS])

    return Fork(root, recorded).result()


def load(modules: Sequence[str]) -> None:
    """Import what is not ours once, for all that is forked from here on."""
    for name in modules:
        with suppress(Exception):
            importlib.import_module(name)


def try_one(root: Path, mutant: Mutant, tests: Sequence[str], seconds: int) -> Outcome:
    """Run these tests on the mutant until one fails, for so many seconds of processor time at most."""
    if not tests:
        return Outcome.UNSEEN

    def tried() -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        assert str(mutant.file) not in {vars(module).get("__file__") for module in [*sys.modules.values()]}
        sys.meta_path.insert(0, _Mutated(mutant.file, mutant.code))
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        return int(pytest.main([*_PYTEST, "-x", *files], plugins=[_Only(tests)]))

    try:
        code = Fork(root, tried).result()
    except TimeoutError:
        return Outcome.SLOW
    except ChildProcessError:
        return Outcome.BROKEN
    return {0: Outcome.SURVIVED, 1: Outcome.KILLED}.get(code, Outcome.BROKEN)


class Fork(Generic[T]):
    """A process that is forked to work something out in a folder, and whose output nobody wants."""

    def __init__(self, folder: Path, work: Callable[[], T]) -> None:
        self._file = Path(tempfile.mkstemp(prefix="linli-mutation-")[1])
        self._pid = os.fork()
        if self._pid == 0:
            self._work(folder, work)

    def _work(self, folder: Path, work: Callable[[], T]) -> None:
        try:
            os.setsid()
            os.chdir(folder)
            nowhere = os.open(os.environ.get("MUTATION_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            self._file.write_bytes(pickle.dumps(work()))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def result(self) -> T:
        """What came out; TimeoutError beyond its processor time, ChildProcessError where it did not come to an end."""
        try:
            _, status = os.waitpid(self._pid, 0)
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
                raise TimeoutError
            if status != 0:
                raise ChildProcessError(status)
            found: T = pickle.loads(self._file.read_bytes())
            return found
        finally:
            self._file.unlink()
            # It leads a group: what it has started ends with it.
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)


class _Only:
    """A plugin of pytest that runs these tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        wanted = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(wanted, key=lambda item: self._places[item.nodeid])


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives the code of a mutant to whoever imports its file."""

    def __init__(self, file: Path, code: str) -> None:
        self._file, self._code = file, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The usual one, but for one file."""
        if fullname.rpartition(".")[2] not in {self._file.stem, self._file.parent.name}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None or Path(spec.origin) != self._file:
            return None
        return importlib.util.spec_from_file_location(fullname, self._file, loader=self)

    def get_code(self, fullname: str) -> CodeType | None:
        """Compiled from memory."""
        return compile(self._code, str(self._file), "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str | None:
        """As it is in memory."""
        return self._code

    def is_package(self, fullname: str) -> bool:
        """Whether it is the file of a package."""
        return self._file.name == "__init__.py"
